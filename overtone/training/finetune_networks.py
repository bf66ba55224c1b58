"""Networks of a model and a few labelled clips -> networks trained further, and how well they recognise others.

Cross-validation chooses the number of epochs and calibrates, on clips of speakers that were left out; then networks are
trained on all clips for that many epochs.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor

from overtone._internal.progress import Progress, silent_progress
from overtone.evaluation.calibration import fit_temperature
from overtone.evaluation.speaker_folds import Folds
from overtone.models.ensemble import networks_of
from overtone.models.network import Model
from overtone.models.reference_adapter import ReferenceAdapter
from overtone.models.statistics_mlp import StatisticsMlp
from overtone.recipe import Recipe
from overtone.training.exported_weights import State
from overtone.training.finetune_loop import OwnClips, start_mlp, train_epochs
from overtone.training.onnx_import import ImportedModel

# A few clips that are all right, or all wrong, must not make every prediction certain or even.
TEMPERATURES = (0.5, 5.0)


@dataclass(frozen=True)
class CrossValidation:
    """The result of a cross-validation.

    Attributes:
        epochs: number of epochs whose networks predict left-out clips best; 0 for those before the first step.
        temperature: that calibrates their predictions.
        positions: of the left-out clips, fold by fold, int64 `(left-out clips,)`.
        log_probabilities: of these clips, not calibrated, `(left-out clips, emotions)`.
        models: of each fold, calibrated.
        history: a row per number of epochs: loss and UAR of the left-out clips.
    """

    epochs: int
    temperature: float
    positions: Tensor
    log_probabilities: Tensor
    models: tuple[Model, ...]
    history: list[dict[str, float]]


def tried_epochs(most: int) -> tuple[int, ...]:
    """The numbers of epochs to choose from: 0, and powers of two up to the highest number."""
    return (0, *(2**k for k in range(most.bit_length())))


def cross_validate(
    start: ImportedModel,
    clips: OwnClips,
    folds: Folds,
    recipe: Recipe,
    seed: int,
    progress: Progress = silent_progress,
) -> CrossValidation:
    """Train the networks of each fold, and choose the number of epochs.

    Args:
        start: the model to start from.
        clips: all clips.
        folds: of the clips.
        recipe: the settings.
        seed: of all random numbers.
        progress: called after each network.
    """
    runs = [
        [
            train_epochs(
                start_mlp(mlp, start.card["emotions"], start.architecture, clips, split.train),
                clips, split.train, recipe, (seed, fold, member),
            )
            for member, mlp in enumerate(start.mlps)
        ]
        for fold, split in enumerate(folds.splits)
    ]  # fmt: skip
    positions = torch.tensor([i for split in folds.splits for i in split.validation])
    truth, history = clips.targets.truth[positions], []
    best, states, predictions = -1, [], torch.empty(0)
    tried = tried_epochs(recipe.epochs)
    for k, epochs in enumerate(tried):
        steps = epochs - (tried[k - 1] if k else -1)  # the first result is that before the first epoch
        current = []
        for fold, of_fold in enumerate(runs):
            current.append([_copy(_advance(run, steps)) for run in of_fold])
            progress(k * len(runs) + fold + 1, len(tried) * len(runs), "cross-validation")
        left_out = [split.validation for split in folds.splits]
        rows = [_log_probabilities(start, clips, *pair) for pair in zip(current, left_out, strict=True)]
        history.append({"epochs": epochs, **_quality(torch.cat(rows), truth)})
        if history[-1]["loss"] < min((row["loss"] for row in history[:-1]), default=math.inf):
            best, states, predictions = k, current, torch.cat(rows)
        elif k - best > recipe.patience:
            break
    temperature = limited_temperature(predictions, truth)
    models = tuple(_model(start, clips, of_fold, temperature) for of_fold in states)
    return CrossValidation(tried[best], temperature, positions, predictions, models, history)


def _advance(run: Iterator[StatisticsMlp], steps: int) -> StatisticsMlp:
    """The last of the next results of a training."""
    return next(islice(run, steps - 1, None))


def train_on_all(
    start: ImportedModel,
    clips: OwnClips,
    recipe: Recipe,
    validated: CrossValidation,
    seed: int,
    progress: Progress = silent_progress,
) -> Model:
    """The model trained on all clips, for as many epochs as the cross-validation has chosen, and calibrated by it.

    Args:
        start: the model to start from.
        clips: all clips.
        recipe: the settings of the training.
        validated: result of the cross-validation: the number of epochs and the temperature.
        seed: of all random numbers.
        progress: called after each network of the ensemble.
    """
    everything, states = range(len(clips.utterances)), []
    for member, mlp in enumerate(start.mlps):
        own = start_mlp(mlp, start.card["emotions"], start.architecture, clips, everything)
        run = train_epochs(own, clips, everything, recipe, (seed, len(everything), member))
        states.append(_copy(_advance(run, 1 + validated.epochs)))
        progress(member + 1, len(start.mlps), "training on all clips")
    return _model(start, clips, states, validated.temperature)


def _model(start: ImportedModel, clips: OwnClips, states: Sequence[State], temperature: float) -> Model:
    """A calibrated model of networks with these weights of their MLPs, and the adapter of the start."""
    emotions = len(clips.emotions)
    model = start.architecture.combine(start.architecture.load_mlps(states, emotions), emotions)
    for network in networks_of(model):
        network.round_to_float16()
    model.temperature.fill_(temperature)
    if isinstance(start.model.adapter, ReferenceAdapter):
        model.adapter = ReferenceAdapter(model.reference_size, emotions)
        model.adapter.expert_weights.copy_(start.model.adapter.expert_weights)
    return model


@torch.inference_mode()
def _log_probabilities(
    start: ImportedModel, clips: OwnClips, states: Sequence[State], positions: Sequence[int]
) -> Tensor:
    """Logarithms of the mean probabilities of networks with these MLPs, `(positions, emotions)`; not calibrated."""
    mlp, statistics = start.architecture.build_mlp(len(clips.emotions)).eval(), clips.statistics[0]
    rows = []
    for state in states:
        mlp.load_state_dict(state)
        rows.append(mlp(statistics[torch.tensor(positions)], torch.zeros(len(positions), 1))[1].softmax(-1))
    return clips.targets.at(torch.tensor(positions)).mask_disallowed(torch.stack(rows).mean(0).log()).log_softmax(-1)


def limited_temperature(log_probabilities: Tensor, truth: Tensor) -> float:
    """The temperature that calibrates these predictions, within the limits of `TEMPERATURES`.

    Args:
        log_probabilities: of left-out clips `(clips, emotions)`.
        truth: position of the emotion of each clip, int64 `(clips,)`.
    """
    fitted = fit_temperature(log_probabilities.double().numpy(), truth.numpy())
    return min(max(fitted, TEMPERATURES[0]), TEMPERATURES[1])


def _quality(log_probabilities: Tensor, truth: Tensor) -> dict[str, float]:
    """Mean loss of each class after calibration, averaged over the classes, and UAR."""
    calibrated = (log_probabilities / limited_temperature(log_probabilities, truth)).log_softmax(-1)
    losses, hits = -calibrated.gather(1, truth[:, None])[:, 0], calibrated.argmax(-1) == truth
    of_classes = [(losses[truth == k].mean().item(), hits[truth == k].float().mean().item()) for k in truth.unique()]
    loss, uar = np.mean(of_classes, axis=0)
    return {"loss": float(loss), "uar": float(uar)}


def _copy(mlp: StatisticsMlp) -> State:
    return {name: values.detach().clone() for name, values in mlp.state_dict().items()}
