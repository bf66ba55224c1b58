"""A trained model and its training speakers -> the speaker adapter."""

from collections.abc import Sequence

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from overtone.datatypes import Split, Utterance
from overtone.evaluation.calibration import fit_temperature
from overtone.models.network import Model
from overtone.models.speaker_adapter import SpeakerAdapter, average_adapters
from overtone.training.adapted_predictions import by_speaker, extract_speaker_features, statistics_tensors
from overtone.training.feature_cache import FeatureStore

MAX_ITERATIONS = 1000  # of the solver; it converges long before


def _normalise_by_speaker(adapter: SpeakerAdapter, speaker_features: Tensor, speakers: Sequence[Tensor]) -> Tensor:
    normalised = torch.empty_like(speaker_features)
    for clips in speakers:
        normalised[clips] = adapter.normalise(speaker_features[clips], *statistics_tensors(speaker_features[clips]))
    return normalised


def can_adapt(split: Split, utterances: Sequence[Utterance]) -> bool:
    """Whether the speakers of a split are known, and its training, validation and test speakers are disjoint."""
    speakers = [
        {(utterances[i].corpus, utterances[i].speaker) for i in subset}
        for subset in (split.train, split.validation, split.test)
    ]
    disjoint = sum(map(len, speakers)) == len(set().union(*speakers))
    return disjoint and all(name for subset in speakers for _, name in subset)


@torch.no_grad()
def fit_adapter(
    model: Model,
    store: FeatureStore,
    utterances: Sequence[Utterance],
    truth: Tensor,
    trained_on: Sequence[tuple[Model, Split]],
    strength: float,
) -> None:
    """Give a model its adapter: a multinomial logistic regression on features normalised by speaker.

    The statistics of every speaker come from all of their clips, of whatever emotion; the labels serve the weights
    alone. The regression is fitted on the validation speakers too: the networks were not trained on them, so their
    embeddings are like those of new speakers. The temperature is fitted on predictions for each validation speaker by
    an adapter that was fitted without this speaker.

    Args:
        model: trained; on the CPU.
        store: features of all clips.
        utterances: all clips.
        truth: position of each clip's emotion `(clips,)`.
        trained_on: the model, or each of its networks, with the split that it was trained on; the splits as `can_adapt`
            requires them.
        strength: inverse of the penalty on the weights.
    """
    adapters = [_fit_one(network, store, utterances, truth, split, strength) for network, split in trained_on]
    model.adapter = adapters[0] if len(adapters) == 1 else average_adapters(adapters)


def _fit_one(
    model: Model, store: FeatureStore, utterances: Sequence[Utterance], truth: Tensor, split: Split, strength: float
) -> SpeakerAdapter:
    indices = [*split.train, *split.validation]
    features, labels = extract_speaker_features(model, store, indices), truth[indices].numpy()
    adapter = SpeakerAdapter(features.shape[1], int(truth.max()) + 1)
    adapter.centre.copy_(features[: len(split.train)].mean(0))
    adapter.scale.copy_(features[: len(split.train)].std(0).clamp(min=1e-6))
    speakers = by_speaker(utterances, indices)
    normalised = _normalise_by_speaker(adapter, features, speakers).double().numpy()
    validation_speakers = [clips.numpy() for clips in speakers if clips[0] >= len(split.train)]
    held_out = []
    for clips in validation_speakers:
        others = np.delete(normalised, clips, axis=0), np.delete(labels, clips)
        weights, bias = _logistic_regression(*others, strength)
        held_out.append(normalised[clips] @ weights.T + bias)
    temperature = fit_temperature(np.concatenate(held_out), labels[np.concatenate(validation_speakers)])
    weights, bias = _logistic_regression(normalised, labels, strength)
    adapter.classifier.weight.copy_(torch.from_numpy(weights / temperature))
    adapter.classifier.bias.copy_(torch.from_numpy(bias / temperature))
    return adapter


def _logistic_regression(features: np.ndarray, labels: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights `(emotions, values)` and bias `(emotions,)`."""
    fitted = LogisticRegression(C=strength, max_iter=MAX_ITERATIONS).fit(features, labels)
    if len(fitted.classes_) > 2:
        return fitted.coef_, fitted.intercept_
    # For two classes sklearn has a single row: that of the second against the first.
    return np.concatenate([0 * fitted.coef_, fitted.coef_]), np.append(0.0, fitted.intercept_)
