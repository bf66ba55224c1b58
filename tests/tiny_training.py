"""A training of seconds on made clips of two kinds that anyone can tell apart; as a program, one that is killed.

    python tiny_training.py CHECKPOINT RECIPE_JSON after|while EPOCH

trains as `fit` below and kills itself with SIGKILL after the checkpoint of that epoch (counted over all phases, from
1) is there, or while it is being written.
"""

import dataclasses
import functools
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import sounds
import torch

from overtone._internal.progress import Progress, silent_progress
from overtone.datatypes import Split, Waveform
from overtone.models import build
from overtone.models.network import Network
from overtone.recipe import PARTS, Recipe, read_recipe, recipe_from_dict
from overtone.training import loop
from overtone.training.feature_cache import FeatureStore, extract
from overtone.training.targets import Targets

EMOTIONS = ("sad", "angry")
CLIPS = 24
CLIP_S = 0.6
SPLIT = Split("made", "1", train=tuple(range(16)), validation=tuple(range(16, 24)), test=())


def waveform(index: int) -> Waveform:
    """Clip `index`: even ones low, soft and slow (sad), odd ones high, rough and fast (angry)."""
    rng = np.random.default_rng([7, index])
    angry = index % 2
    pitch_hz = rng.uniform(240, 300) if angry else rng.uniform(90, 120)
    samples = sounds.syllables(6 if angry else 3, 3 if angry else 2, pitch_hz)[: round(CLIP_S * sounds.RATE_HZ)]
    samples = np.pad(samples, (0, round(CLIP_S * sounds.RATE_HZ) - len(samples)))
    breath = rng.standard_normal(len(samples)) * (0.03 if angry else 0.0005)
    return Waveform((samples * (2 if angry else 1) + breath).astype(np.float32), f"made {index}")


def store_of(waveforms: Sequence[Waveform], versions: int = 1) -> FeatureStore:
    """Features of clips that lie in no file."""
    return FeatureStore(tuple(extract(waveforms, version, silent_progress) for version in range(versions)))


@functools.cache
def made_store(versions: int = 1) -> FeatureStore:
    """Features of all made clips."""
    return store_of([waveform(index) for index in range(CLIPS)], versions)


def labels() -> np.ndarray:
    """Positions in EMOTIONS, int64 `(CLIPS,)`."""
    return np.arange(CLIPS) % 2


def targets() -> Targets:
    """What a network should answer to the made clips, which could all have had both emotions."""
    return Targets(torch.from_numpy(labels()), torch.ones(CLIPS, len(EMOTIONS), dtype=torch.bool))


def recipe(name: str, **changes: Any) -> Recipe:
    """A recipe of the package, made small."""
    small = {"epochs": 2, "batch_clips": 4, "wave_variants": min(1, read_recipe(name).wave_variants)}
    return dataclasses.replace(read_recipe(name), **{**small, **changes})


def fit(
    path: Path, recipe: Recipe, seed: int = 3, progress: Progress = silent_progress
) -> tuple[Network, list[dict[str, Any]]]:
    """The trained network and its history.

    Args:
        path: the checkpoint.
        recipe: what to do.
        seed: of weights and draws.
        progress: told after each epoch.
    """
    torch.manual_seed(seed)
    network = build(recipe, len(EMOTIONS))
    store = made_store(1 + recipe.wave_variants)
    parts = dict.fromkeys(PARTS, SPLIT)
    return network, loop.fit(network, store, targets(), parts, recipe, seed=seed, path=path, progress=progress)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Trains until it is killed."""
    path, recipe_json, when, epoch = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    replace, written = Path.replace, 0

    def half_written(file: Path, target: Path) -> Path:
        nonlocal written
        written += 1
        if written == epoch:
            os.truncate(file, file.stat().st_size // 2)
            _die()
        return replace(file, target)

    if when == "while":
        setattr(Path, "replace", half_written)  # noqa: B010 (a method cannot be assigned to)
    fit(
        path,
        recipe_from_dict(json.loads(recipe_json), "argument"),
        progress=lambda done, total, text: _die() if when == "after" and done == epoch else None,
    )


if __name__ == "__main__":
    main()
