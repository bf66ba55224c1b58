"""Trains the networks of one run one after another, and combines them into an ensemble or distils them into one."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from overtone._internal.atomic_write import write_text
from overtone.corpora import get_corpus
from overtone.datatypes import Split, Utterance
from overtone.models import build
from overtone.models.ensemble import Ensemble
from overtone.models.network import Model, Network
from overtone.recipe import FUSION, Recipe
from overtone.training import checkpoint
from overtone.training.feature_cache import FeatureStore
from overtone.training.loop import predict_logits
from overtone.training.targets import Targets

MEMBER_STEP = 1000  # between the seeds of the members of an ensemble, so that runs with small seeds share none

PartSplits = dict[str, Split]  # part -> its split
History = list[dict[str, Any]]
Fit = Callable[[Network, int, Path], History]  # trains a network in place, with this seed and this checkpoint


def combine(networks: Sequence[Network]) -> Model:
    """One model of one network or several."""
    return networks[0] if len(networks) == 1 else Ensemble(networks)


def final_network_count(recipe: Recipe) -> int:
    """Number of networks in a finished model of this recipe."""
    return 1 if distils_itself(recipe) else recipe.members


def distils_itself(recipe: Recipe) -> bool:
    """Whether the ensemble of a run is distilled into one more network."""
    return recipe.distil > 0 and not recipe.teacher


def member_seeds(recipe: Recipe, seed: int) -> list[int]:
    """Seeds of the networks of a run; the first is that of the run."""
    return [seed + MEMBER_STEP * member for member in range(recipe.members)]


def student_seed(recipe: Recipe, seed: int) -> int:
    """Seed of the network that the ensemble of a run is distilled into."""
    return seed + MEMBER_STEP * recipe.members


def train_member(
    recipe: Recipe, folder: Path, seed: int, emotions: int, fit: Fit, role: str = "member"
) -> tuple[Network, History]:
    """A trained network and its history, a row per part and epoch with its seed; stored until the run is finished.

    Args:
        recipe: of the run.
        folder: the run folder; a network that is stored there is loaded instead of trained.
        seed: of the network.
        emotions: number of classes.
        fit: trains the network.
        role: first word of the names of its files: "member" or "teacher".
    """
    weights = folder / f"{role}-{seed}.safetensors"
    history_file = weights.with_suffix(".json")
    torch.manual_seed(seed)
    network = build(recipe, emotions)
    if weights.is_file():
        checkpoint.load_weights(weights, network)
        return network, json.loads(history_file.read_text(encoding="utf-8"))
    several = recipe.members > 1 or recipe.distil > 0 or role == "teacher"  # a teacher is followed by its student
    # Each member has a checkpoint of its own, so that none resumes from another's.
    path = folder / (f"{role}-{seed}-checkpoint.safetensors" if several else "checkpoint.safetensors")
    history = [{**row, "seed": seed} for row in fit(network, seed, path)]
    network.cpu()
    network.set_memory_format(torch.contiguous_format)  # as after loading from a file: bitwise equal results
    network.round_to_float16()
    if several:
        write_text(history_file, json.dumps(history, indent=1) + "\n")
        checkpoint.save_weights(weights, network)
    return network, history


def member_splits(recipe: Recipe, parts: PartSplits, utterances: Sequence[Utterance]) -> list[PartSplits]:
    """Part -> split of each member of a run: what it is trained and calibrated on."""
    if recipe.validation == "shared":
        return [parts] * recipe.members
    rotate = leave_corpora_out if recipe.validation == "left-out-corpora" else rotating_validation
    rotations = {split: rotate(split, utterances, recipe.members) for split in set(parts.values())}
    return [{part: rotations[split][member] for part, split in parts.items()} for member in range(recipe.members)]


def rotating_validation(split: Split, utterances: Sequence[Utterance], rotations: int) -> list[Split]:
    """A fold several times, each with another part of its validation set; the other parts join the training set.

    The parts consist of whole speakers if the validation set holds other speakers than the training set, else of
    clips. If there are fewer speakers than rotations, they are reused.

    Args:
        split: the fold.
        utterances: the list that its positions point into.
        rotations: number of splits to make.
    """
    speakers = sorted(_speakers(utterances, split.validation))
    if all(name for _, name in speakers) and not _speakers(utterances, split.train) & set(speakers):
        groups = [speakers[k::rotations] for k in range(min(rotations, len(speakers)))]
        held_out = [tuple(i for i in split.validation if _speakers(utterances, [i]) <= set(group)) for group in groups]
    else:
        held_out = [split.validation[k::rotations] for k in range(min(rotations, len(split.validation)))]
    clips = {*split.train, *split.validation}
    validation = [held_out[k % len(held_out)] for k in range(rotations)]
    return [replace(split, train=tuple(sorted(clips - set(part))), validation=part) for part in validation]


def leave_corpora_out(split: Split, utterances: Sequence[Utterance], rotations: int) -> list[Split]:
    """A fold several times, each with another corpus as its validation set; all other clips are its training set.

    The validation clips thus come from speakers, microphones and often languages that the network was not trained on.
    Corpora of other sounds than speech are never left out, nor those with a class that no other corpus has: a network
    would miss that class. The validation speakers rotate instead if there are not two corpora to leave out, or if the
    tested corpus is among those of the training set: then unseen speakers are tested, not unseen corpora.

    Args:
        split: the fold.
        utterances: the list that its positions point into.
        rotations: number of splits to make; if there are fewer corpora, they are reused.
    """
    clips = sorted({*split.train, *split.validation})
    classes: defaultdict[str, set[str]] = defaultdict(set)
    for i in clips:
        classes[utterances[i].corpus].add(utterances[i].emotion)
    corpora = [
        name
        for name in sorted(classes)
        if get_corpus(name).INFO.speech
        and classes[name] <= set().union(*(present for other, present in classes.items() if other != name))
    ]
    if len(corpora) < 2 or {utterances[i].corpus for i in split.test} & {*classes}:
        return rotating_validation(split, utterances, rotations)
    held_out = [tuple(i for i in clips if utterances[i].corpus == corpora[k % len(corpora)]) for k in range(rotations)]
    return [replace(split, train=tuple(sorted({*clips} - {*part})), validation=part) for part in held_out]


def _speakers(utterances: Sequence[Utterance], positions: Sequence[int]) -> set[tuple[str, str]]:
    return {(utterances[i].corpus, utterances[i].speaker) for i in positions}


def distillation_targets(
    model: Model, store: FeatureStore, targets: Targets, clips: Sequence[int], weight: float
) -> Targets:
    """Targets mixed with the fused predictions of a calibrated model for these clips.

    Every part of the student is trained on the fused prediction, the best one available.

    Args:
        model: the calibrated model.
        store: features of all clips.
        targets: of all clips.
        clips: positions of the clips whose targets are mixed.
        weight: of the predictions, in [0, 1].
    """
    probabilities = model.probabilities(predict_logits(model, store, clips))[FUSION]
    return targets.distilled(clips, probabilities.log(), weight)
