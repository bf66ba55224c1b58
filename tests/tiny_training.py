"""A training of a few seconds on synthetic clips of two easily separable classes; as a program, one that kills itself.

    python tiny_training.py CHECKPOINT RECIPE_JSON after|while EPOCH

trains as `fit` below and kills itself with SIGKILL after the checkpoint of that epoch (counted over all phases, from
1) has been written, or while it is being written.
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
import synthetic_audio
import torch

from overtone._internal.progress import Progress, silent_progress
from overtone.datatypes import Split, Waveform
from overtone.models import build
from overtone.models.network import Network
from overtone.recipe import Recipe, read_recipe, recipe_from_dict
from overtone.training import loop
from overtone.training.feature_cache import FeatureStore
from overtone.training.feature_extraction import extract
from overtone.training.targets import Targets

EMOTIONS = ("sad", "angry")
CLIPS = 24
CLIP_S = 0.6
SPLIT = Split("made", "1", train=tuple(range(16)), validation=tuple(range(16, 24)), test=())


def waveform(index: int) -> Waveform:
    """Return a clip: low, soft and slow for even indices (sad), high, rough and fast for odd ones (angry)."""
    rng = np.random.default_rng([7, index])
    angry = index % 2
    pitch_hz = rng.uniform(240, 300) if angry else rng.uniform(90, 120)
    clip_samples = round(CLIP_S * synthetic_audio.RATE_HZ)
    speech = synthetic_audio.syllables(6 if angry else 3, 3 if angry else 2, pitch_hz)[:clip_samples]
    speech = np.pad(speech, (0, clip_samples - len(speech)))
    breath = rng.standard_normal(len(speech)) * (0.03 if angry else 0.0005)
    return Waveform((speech * (2 if angry else 1) + breath).astype(np.float32), f"made {index}")


def make_store(waveforms: Sequence[Waveform], versions: int = 1) -> FeatureStore:
    """Return the features of clips that are not in a file."""
    return FeatureStore(tuple(extract(waveforms, version, silent_progress) for version in range(versions)))


@functools.cache
def tiny_store(versions: int = 1) -> FeatureStore:
    """Return the features of all synthetic clips."""
    return make_store([waveform(index) for index in range(CLIPS)], versions)


def labels() -> np.ndarray:
    """Return the position of each clip's emotion in EMOTIONS, int64 `(CLIPS,)`."""
    return np.arange(CLIPS) % 2


def targets() -> Targets:
    """Return the targets of the synthetic clips; both emotions are allowed for each."""
    return Targets(torch.from_numpy(labels()), torch.ones(CLIPS, len(EMOTIONS), dtype=torch.bool))


def recipe(name: str, **changes: Any) -> Recipe:
    """Return a bundled recipe with fewer epochs, smaller batches and at most one augmented version."""
    small = {"epochs": 2, "batch_clips": 4, "wave_variants": min(1, read_recipe(name).wave_variants)}
    return dataclasses.replace(read_recipe(name), **{**small, **changes})


def fit(
    path: Path, recipe: Recipe, seed: int = 3, progress: Progress = silent_progress
) -> tuple[Network, list[dict[str, Any]]]:
    """Train a network on the synthetic clips; return it with its history.

    Args:
        path: the checkpoint.
        recipe: the settings.
        seed: of the weights and all random numbers.
        progress: called after each epoch.
    """
    torch.manual_seed(seed)
    network = build(recipe, len(EMOTIONS))
    store = tiny_store(1 + recipe.wave_variants)
    parts = dict.fromkeys(recipe.parts, SPLIT)
    return network, loop.fit(network, store, targets(), parts, recipe, seed=seed, path=path, progress=progress)


def _kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Train until the process is killed."""
    path, recipe_json, when, epoch = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    replace, writes = Path.replace, 0

    def truncate_and_die(file: Path, target: Path) -> Path:
        nonlocal writes
        writes += 1
        if writes == epoch:
            os.truncate(file, file.stat().st_size // 2)
            _kill_this_process()
        return replace(file, target)

    if when == "while":
        setattr(Path, "replace", truncate_and_die)  # noqa: B010 (a method cannot be assigned to)
    fit(
        path,
        recipe_from_dict(json.loads(recipe_json), "argument"),
        progress=lambda done, total, text: _kill_this_process() if when == "after" and done == epoch else None,
    )


if __name__ == "__main__":
    main()
