"""A trained model and its training speakers -> the layer that answers when the speaker is known."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from overtone.datatypes import Split, Utterance
from overtone.evaluation.calibration import fit_temperature
from overtone.inference.speaker_statistics import compute_speaker_statistics as usual_in_use
from overtone.models.network import Model
from overtone.models.speaker_adapter import SpeakerAdapter, average_adapters
from overtone.training.batches import clean_batches
from overtone.training.feature_cache import FeatureStore

MOST_STEPS = 1000  # of the solver; it has converged long before


@torch.inference_mode()
def extract_speaker_features(model: Model, store: FeatureStore, indices: Sequence[int]) -> Tensor:
    """What an adapter hears of the clean clips, float32 `(clips, values)`, in the order of `indices`."""
    model.eval()
    rows = [
        model.speaker_features(f, model.logits_and_embedding(model.inputs(f))[1]) for f in clean_batches(store, indices)
    ]
    return torch.cat(rows)


def statistics_tensors(voice: Tensor) -> tuple[Tensor, Tensor]:
    """What is usual for the speaker of these clips as the graph takes it: `(2, values)` and `(1,)`.

    Args:
        voice: `(clips, values)`, at least one clip.
    """
    usual, clips = usual_in_use(voice.numpy()).inputs.values()
    return torch.from_numpy(usual), torch.from_numpy(clips)


def _by_speaker(utterances: Sequence[Utterance], indices: Sequence[int]) -> list[Tensor]:
    """Positions within `indices` of the clips of each speaker."""
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for position, index in enumerate(indices):
        groups[utterances[index].corpus, utterances[index].speaker].append(position)
    return [torch.tensor(positions) for positions in groups.values()]


def _distances(adapter: SpeakerAdapter, voice: Tensor, speakers: Sequence[Tensor]) -> Tensor:
    found = torch.empty_like(voice)
    for own in speakers:
        found[own] = adapter.normalise(voice[own], *statistics_tensors(voice[own]))
    return found


def can_adapt(split: Split, utterances: Sequence[Utterance]) -> bool:
    """Whether the clips of a split say who speaks, and no speaker stands on two sides of it."""
    sides = [
        {(utterances[i].corpus, utterances[i].speaker) for i in side}
        for side in (split.train, split.validation, split.test)
    ]
    apart = sum(map(len, sides)) == len(set().union(*sides))
    return apart and all(speaker for side in sides for _, speaker in side)


@torch.no_grad()
def fit_adapter(
    model: Model,
    store: FeatureStore,
    utterances: Sequence[Utterance],
    truth: Tensor,
    answering: Sequence[tuple[Model, Split]],
    strength: float,
) -> None:
    """Gives a model its adapter: a multinomial logistic regression on what is unusual for the speaker.

    Every speaker is compared with all of his own clips, whatever their emotion; the labels are used for the weights
    alone. The validation speakers are learned from as well: the networks have not heard them, so their embeddings are
    as those of strangers will be. The temperature is fitted on answers for each of them by an adapter without him.

    Args:
        model: trained; on the CPU.
        store: features of all clips.
        utterances: all clips.
        truth: position of each clip's emotion `(clips,)`.
        answering: who was trained by which split: the model itself, or each of its networks by its own; the splits as
            `can_adapt` wants them.
        strength: inverse of the penalty on the weights.
    """
    found = [_fitted(one, store, utterances, truth, split, strength) for one, split in answering]
    model.adapter = found[0] if len(found) == 1 else average_adapters(found)


def _fitted(
    model: Model, store: FeatureStore, utterances: Sequence[Utterance], truth: Tensor, split: Split, strength: float
) -> SpeakerAdapter:
    indices = [*split.train, *split.validation]
    voice, labels = extract_speaker_features(model, store, indices), truth[indices].numpy()
    adapter = SpeakerAdapter(voice.shape[1], int(truth.max()) + 1)
    adapter.centre.copy_(voice[: len(split.train)].mean(0))
    adapter.scale.copy_(voice[: len(split.train)].std(0).clamp(min=1e-6))
    speakers = _by_speaker(utterances, indices)
    heard = _distances(adapter, voice, speakers).double().numpy()
    strangers = [own.numpy() for own in speakers if own[0] >= len(split.train)]
    held_out = []
    for own in strangers:
        weights, bias = _regression(np.delete(heard, own, axis=0), np.delete(labels, own), strength)
        held_out.append(heard[own] @ weights.T + bias)
    temperature = fit_temperature(np.concatenate(held_out), labels[np.concatenate(strangers)])
    weights, bias = _regression(heard, labels, strength)
    adapter.answer.weight.copy_(torch.from_numpy(weights / temperature))
    adapter.answer.bias.copy_(torch.from_numpy(bias / temperature))
    return adapter


def _regression(heard: np.ndarray, labels: np.ndarray, strength: float) -> tuple[np.ndarray, np.ndarray]:
    """Weights `(emotions, values)` and bias `(emotions,)`."""
    fitted = LogisticRegression(C=strength, max_iter=MOST_STEPS).fit(heard, labels)
    if len(fitted.classes_) > 2:
        return fitted.coef_, fitted.intercept_
    # Of two classes sklearn keeps one row: that of the second against the first.
    return np.concatenate([0 * fitted.coef_, fitted.coef_]), np.append(0.0, fitted.intercept_)


@torch.no_grad()
def adapted_logits(
    model: Model, store: FeatureStore, utterances: Sequence[Utterance], indices: Sequence[int]
) -> Tensor:
    """Logits `(clips, emotions)` for clips whose speakers are known by these very clips, without their labels.

    Args:
        model: with an adapter.
        store: features of all clips.
        utterances: all clips.
        indices: the clips to answer.
    """
    assert model.adapter is not None
    voice = extract_speaker_features(model, store, indices)
    return model.adapter.answer(_distances(model.adapter, voice, _by_speaker(utterances, indices)))
