"""Fits the weights of a weighted fusion, temperatures and the confidence threshold on validation clips."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from overtone.datatypes import Split, Utterance
from overtone.evaluation.calibration import (
    PRECISION_OF_CERTAIN,
    UNCERTAIN_BELOW,
    fit_product_weights,
    fit_temperature,
    fit_threshold,
)
from overtone.models.ensemble import networks_of
from overtone.models.fusion import WeightedFusion
from overtone.models.network import Model
from overtone.recipe import FUSION
from overtone.training.feature_cache import FeatureStore
from overtone.training.loop import predict_logits
from overtone.training.targets import Targets

TrainedOn = Sequence[tuple[Model, Mapping[str, Split]]]
"""The model, or each of its networks, with the splits (part -> split) whose validation clips it was not trained on."""


def calibrate(model: Model, store: FeatureStore, targets: Targets, trained_on: TrainedOn) -> None:
    """Set the weights of a weighted fusion, and the temperature of each part, that fit the validation clips best.

    Args:
        model: gets the weights and the temperatures.
        store: features of all clips.
        targets: of all clips.
        trained_on: the model with its splits, or each of its networks with its own.
    """
    logits = _validation_logits(store, trained_on)
    clips = {
        part: torch.tensor([i for _, splits in trained_on for i in splits[part].validation]) for part in model.parts
    }
    fusions = weighted_fusions(model)
    if fusions:
        rows = torch.stack([_masked(logits[branch], targets, clips[FUSION]) for branch in model.branch_names])
        weights = torch.from_numpy(fit_product_weights(rows.double().numpy(), targets.truth[clips[FUSION]].numpy()))
        for fusion in fusions:
            fusion.weights.copy_(weights)
        logits[FUSION] = fusions[0]([], [logits[branch] for branch in model.branch_names])  # all have these weights
    for k, part in enumerate(model.parts):
        values = _masked(logits[part], targets, clips[part]).double().numpy()
        model.temperature[k] = fit_temperature(values, targets.truth[clips[part]].numpy())


def confidence_threshold(
    model: Model, store: FeatureStore, utterances: Sequence[Utterance], targets: Targets, trained_on: TrainedOn
) -> float:
    """Confidence from which on predictions for unknown recordings are as precise as `PRECISION_OF_CERTAIN`.

    It is fitted on the validation clips if these are of corpora that the networks were not trained on; otherwise
    nothing is known about unknown recordings, and `UNCERTAIN_BELOW` applies.

    Args:
        model: calibrated.
        store: features of all clips.
        utterances: all clips.
        targets: of all clips.
        trained_on: the model, or each of its networks, with the splits whose validation clips it was not trained on.
    """
    splits = [splits[FUSION] for _, splits in trained_on]
    if any(_corpora(utterances, split.train) & _corpora(utterances, split.validation) for split in splits):
        return UNCERTAIN_BELOW
    clips = torch.tensor([i for split in splits for i in split.validation])
    logits = _validation_logits(store, trained_on)[FUSION] / model.temperature[model.parts.index(FUSION)]
    probabilities = targets.at(clips).mask_disallowed(logits).softmax(-1)
    confidence, predicted = probabilities.max(-1)
    correct = (predicted == targets.truth[clips]).numpy()
    corpora = np.array([utterances[i].corpus for i in clips])
    return fit_threshold(confidence.numpy(), correct, corpora, PRECISION_OF_CERTAIN)


def _corpora(utterances: Sequence[Utterance], indices: Sequence[int]) -> set[str]:
    return {utterances[i].corpus for i in indices}


def weighted_fusions(model: Model) -> list[WeightedFusion]:
    """The weighted fusions of all networks of a model."""
    fusions = [network.fusion for network in networks_of(model)]
    return [fusion for fusion in fusions if isinstance(fusion, WeightedFusion)]


def _validation_logits(store: FeatureStore, trained_on: TrainedOn) -> dict[str, Tensor]:
    """Part -> logits of the validation clips of all splits, one split after the other."""
    rows: dict[str, list[Tensor]] = {part: [] for part in trained_on[0][0].parts}
    for network, splits in trained_on:
        logits = {split: predict_logits(network, store, split.validation) for split in set(splits.values())}
        for part, split in splits.items():
            rows[part].append(logits[split][part])
    return {part: torch.cat(values) for part, values in rows.items()}


def _masked(logits: Tensor, targets: Targets, clips: Tensor) -> Tensor:
    return targets.at(clips).mask_disallowed(logits).log_softmax(-1)
