"""The networks of one training: trained one after another, answering together, or taught to one that answers alone."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from overtone._internal.atomic_write import write_text
from overtone.datatypes import Split, Utterance
from overtone.models import build
from overtone.models.ensemble import Ensemble
from overtone.models.network import Model, Network
from overtone.recipe import Recipe
from overtone.training import checkpoint
from overtone.training.feature_cache import FeatureStore
from overtone.training.loop import predict_logits
from overtone.training.targets import Targets

MEMBER_STEP = 1000  # between the seeds of an ensemble's networks, so that runs of small seeds share none

Parts = dict[str, Split]  # part -> its split
History = list[dict[str, Any]]
Fit = Callable[[Network, int, Path], History]  # trains a network in place, from this seed, with this checkpoint


def combine(networks: Sequence[Network]) -> Model:
    """One model of one network or several."""
    return networks[0] if len(networks) == 1 else Ensemble(networks)


def final_network_count(recipe: Recipe) -> int:
    """How many networks a finished model of this recipe has."""
    return 1 if recipe.distil else recipe.members


def member_seeds(recipe: Recipe, seed: int) -> list[int]:
    """Seeds of the networks of a run; the first is that of the run."""
    return [seed + MEMBER_STEP * member for member in range(recipe.members)]


def student_seed(recipe: Recipe, seed: int) -> int:
    """Seed of the network that learns from those of a run."""
    return seed + MEMBER_STEP * recipe.members


def train_member(recipe: Recipe, folder: Path, seed: int, emotions: int, fit: Fit) -> tuple[Network, History]:
    """One trained network and its history, a row per part and epoch with its seed; kept until the run is finished.

    Args:
        recipe: of the run.
        folder: the run folder; a network that lies there trained is read.
        seed: of the network.
        emotions: number of classes.
        fit: trains it.
    """
    kept = folder / f"member-{seed}.safetensors"
    beside = kept.with_suffix(".json")
    torch.manual_seed(seed)
    network = build(recipe, emotions)
    if kept.is_file():
        checkpoint.load_weights(kept, network)
        return network, json.loads(beside.read_text(encoding="utf-8"))
    several = recipe.members > 1 or recipe.distil > 0
    # Each of several has a checkpoint of its own, so that none goes on another's.
    path = folder / (f"member-{seed}-checkpoint.safetensors" if several else "checkpoint.safetensors")
    history = [{**row, "seed": seed} for row in fit(network, seed, path)]
    network.cpu()
    network.mel.to(memory_format=torch.contiguous_format)  # as it will be when read again: the same bits
    network.round_to_float16()
    if several:
        write_text(beside, json.dumps(history, indent=1) + "\n")
        checkpoint.save_weights(kept, network)
    return network, history


def member_splits(recipe: Recipe, parts: Parts, utterances: Sequence[Utterance]) -> list[Parts]:
    """What each network of a run learns from and is calibrated on."""
    if recipe.validation == "shared":
        return [parts] * recipe.members
    turns = {split: rotating_validation(split, utterances, recipe.members) for split in set(parts.values())}
    return [{part: turns[split][member] for part, split in parts.items()} for member in range(recipe.members)]


def rotating_validation(split: Split, utterances: Sequence[Utterance], turns: int) -> list[Split]:
    """A fold several times, each time with another part of its validation side; the other parts are learned from.

    Parts are of whole speakers where the validation side holds other speakers than the training side, else of clips.
    Where there are fewer speakers than turns, they come round again.

    Args:
        split: the fold.
        utterances: what its positions point into.
        turns: how many splits to make.
    """
    speakers = sorted(_speakers(utterances, split.validation))
    if all(name for _, name in speakers) and not _speakers(utterances, split.train) & set(speakers):
        groups = [speakers[k::turns] for k in range(min(turns, len(speakers)))]
        found = [tuple(i for i in split.validation if _speakers(utterances, [i]) <= set(group)) for group in groups]
    else:
        found = [split.validation[k::turns] for k in range(min(turns, len(split.validation)))]
    clips = {*split.train, *split.validation}
    own = [found[k % len(found)] for k in range(turns)]
    return [replace(split, train=tuple(sorted(clips - set(part))), validation=part) for part in own]


def _speakers(utterances: Sequence[Utterance], positions: Sequence[int]) -> set[tuple[str, str]]:
    return {(utterances[i].corpus, utterances[i].speaker) for i in positions}


def distillation_targets(
    model: Model, store: FeatureStore, targets: Targets, clips: Sequence[int], share: float
) -> Targets:
    """Targets with the fused answers of a calibrated model mixed into those of these clips.

    Every part of a student learns from the fused answer: it is the best there is.
    """
    return targets.distilled(clips, model.probabilities(predict_logits(model, store, clips))["fusion"].log(), share)
