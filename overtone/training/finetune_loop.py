"""Trains the networks of a model further on a few labelled clips, without letting them drift far from their start.

Many clips have taught these networks what speech has in common; a few clips teach them what is particular to one's own
recordings. So the encoder stays as it is; the mean that the MLP subtracts moves towards that of the clips; the last
layer starts from the rows of the classes that the model knows, and learns fast; the layer before it learns slowly. The
number of epochs is chosen on other speakers (`overtone.training.finetune`).
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from overtone.datatypes import Utterance
from overtone.emotions import find_class
from overtone.models.encoder_statistics import FEATURE
from overtone.models.statistics_mlp import PRIOR_CLIPS, StatisticsMlp
from overtone.recipe import Recipe
from overtone.training.batches import sampling_weights
from overtone.training.feature_cache import FeatureStore
from overtone.training.loop import MAX_GRADIENT_NORM
from overtone.training.onnx_import import Architecture
from overtone.training.reference_sets import ReferenceSets
from overtone.training.targets import Targets, smoothed_cross_entropy

MIN_STEPS = 10  # of an epoch, however few clips there are
HIDDEN_RATE = 0.3  # learning rate of the layer before the last one, as a share of that of the last one


@dataclass(frozen=True)
class OwnClips:
    """The clips that a model is trained on further.

    Attributes:
        utterances: the clips.
        emotions: their classes.
        store: their features, in every version.
        targets: their targets.
        statistics: of the encoder, `(versions, clips, values)`; version 0 is the clean one.
    """

    utterances: Sequence[Utterance]
    emotions: tuple[str, ...]
    store: FeatureStore
    targets: Targets
    statistics: Tensor


def stack_statistics(store: FeatureStore) -> Tensor:
    """The statistics of the encoder of all clips in all versions, `(versions, clips, values)`."""
    versions = range(len(store.versions))
    rows = [np.stack([store.clip(i, version).extra[FEATURE][0] for i in range(len(store))]) for version in versions]
    return torch.from_numpy(np.stack(rows))


@torch.no_grad()
def start_mlp(
    start: StatisticsMlp, known: Sequence[str], architecture: Architecture, clips: OwnClips, train: Sequence[int]
) -> StatisticsMlp:
    """An MLP for the classes of these clips that starts from one for other classes.

    Args:
        start: gives the weights; for classes that it does not know, those of the last layer are 0.
        known: the classes of `start`.
        architecture: of `start`.
        clips: all clips.
        train: positions of the training clips. The mean that is subtracted moves towards theirs, as far as their number
            makes it reliable.
    """
    mlp = architecture.build_mlp(len(clips.emotions))
    shared = {name: values for name, values in start.state_dict().items() if not name.startswith("classifier.")}
    mlp.load_state_dict({**mlp.state_dict(), **shared})
    mlp.mean.lerp_(clips.statistics[0, torch.tensor(train)].mean(0), len(train) / (len(train) + PRIOR_CLIPS))
    names = [find_class(emotion, known) for emotion in clips.emotions]
    for parameter, rows in zip(mlp.classifier.parameters(), start.classifier.parameters(), strict=True):
        parameter.zero_()
        for row, name in zip(parameter, names, strict=True):
            if name is not None:
                row.copy_(rows[known.index(name)])
    return mlp.eval()


def train_epochs(
    mlp: StatisticsMlp, clips: OwnClips, train: Sequence[int], recipe: Recipe, seed: Sequence[int]
) -> Iterator[StatisticsMlp]:
    """Train an MLP in place; yields the moving average of its weights, as an MLP, before and after each epoch.

    Args:
        mlp: as `start_mlp` returns it.
        clips: all clips.
        train: positions of the training clips.
        recipe: the settings; `epochs` ends the training.
        seed: of all random numbers.
    """
    rng = np.random.default_rng(seed)
    torch.manual_seed(int(rng.integers(2**62)))
    average = copy.deepcopy(mlp)
    yield average
    rates = {"embed": HIDDEN_RATE, "classifier": 1.0}
    groups = [
        {"params": list(getattr(mlp, name).parameters()), "lr": rate * recipe.learning_rate}
        for name, rate in rates.items()
    ]
    optimiser = torch.optim.Adam(groups)
    draw = _Batches(clips, train, recipe, mlp)
    steps = max(MIN_STEPS, -(-len(train) // recipe.batch_clips))
    for epoch in range(recipe.epochs):
        mlp.train()
        for step in range(steps):
            loss = draw.loss(rng)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(mlp.parameters(), MAX_GRADIENT_NORM)
            optimiser.step()
            done = epoch * steps + step
            _move_towards(average, mlp, min(recipe.ema_decay, (1 + done) / (11 + done)))
        mlp.eval()
        yield average


class _Batches:
    """Random batches of training clips.

    Args:
        clips: all clips.
        train: positions of the training clips.
        recipe: the settings.
        mlp: the network whose loss is computed.
    """

    def __init__(self, clips: OwnClips, train: Sequence[int], recipe: Recipe, mlp: StatisticsMlp) -> None:
        self._clips, self._recipe, self._mlp = clips, recipe, mlp
        self._train = np.asarray(train)
        self._weights = sampling_weights(clips.utterances, train)
        self._sets = ReferenceSets(clips.utterances, train)

    def loss(self, rng: np.random.Generator) -> Tensor:
        """The loss of a batch of random clips in random versions, some relative to references, all mixed in pairs."""
        recipe, clips = self._recipe, self._clips
        drawn = rng.choice(self._train, recipe.batch_clips, p=self._weights)
        refers = rng.random(len(drawn)) < recipe.reference_sets
        versions = np.where(refers, 0, rng.integers(0, len(clips.statistics), len(drawn)))
        inputs = self._refer(clips.statistics[versions, drawn], drawn, refers, rng)
        weight = float(rng.beta(recipe.mixup, recipe.mixup)) if recipe.mixup else 1.0
        partners = torch.from_numpy(rng.permutation(len(drawn)))
        mixed = [weight * values + (1 - weight) * values[partners] for values in inputs]
        _, logits = self._mlp(*mixed)
        targets = clips.targets.at(torch.from_numpy(drawn))
        own, partner = (
            smoothed_cross_entropy(logits, of_clips, recipe.label_smoothing)
            for of_clips in (targets, targets.at(partners))
        )
        return weight * own + (1 - weight) * partner

    def _refer(
        self, statistics: Tensor, drawn: np.ndarray, refers: np.ndarray, rng: np.random.Generator
    ) -> tuple[Tensor, ...]:
        """The inputs of the MLP; those that refer are relative to a random set of training clips."""
        means, counts = torch.zeros_like(statistics), torch.zeros(len(drawn))
        if refers.any():
            rows = torch.from_numpy(refers)
            means[rows], counts[rows] = self._sets.means(self._clips.statistics[0], drawn[refers], rng)
        return self._mlp.refer((statistics, torch.zeros_like(statistics[:, :1])), means, counts)


@torch.no_grad()
def _move_towards(average: nn.Module, network: nn.Module, decay: float) -> None:
    for slow, fast in zip(average.parameters(), network.parameters(), strict=True):
        slow.lerp_(fast, 1 - decay)
