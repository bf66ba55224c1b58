"""Predictions that are adapted to the speaker: each speaker's own clips are the reference, unlabelled."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from overtone.datatypes import Utterance
from overtone.inference.speaker_statistics import compute_speaker_statistics
from overtone.models.network import Inputs, Model
from overtone.recipe import FUSION
from overtone.training.batches import clean_batches
from overtone.training.feature_cache import FeatureStore


class Unadapted(NamedTuple):
    """What a model computes for a batch of clips before it adapts.

    Attributes:
        inputs: of the branches.
        probabilities: of the fusion `(batch, emotions)`.
        speaker_features: `(batch, values)`.
    """

    inputs: Inputs
    probabilities: Tensor
    speaker_features: Tensor


@torch.inference_mode()
def unadapted(model: Model, store: FeatureStore, indices: Sequence[int]) -> Iterator[Unadapted]:
    """What a model computes for the clean clips, in batches, in the order of `indices`."""
    model.eval()
    for features in clean_batches(store, indices):
        inputs = model.inputs(features)
        logits, embedding = model.logits_and_embedding(inputs)
        probabilities = model.probabilities(logits)[FUSION]
        yield Unadapted(inputs, probabilities, model.speaker_features(features, inputs, probabilities, embedding))


class WithSets(NamedTuple):
    """Predictions for a batch of clips, each with a reference set of its own.

    Attributes:
        referring: of the fusion, relative to the set, `(batch, emotions)`.
        reference_probabilities: mean of the probabilities of the reference clips, without a reference, likewise; 0 for
            an empty set.
        clips: number of reference clips `(batch,)`.
    """

    referring: Tensor
    reference_probabilities: Tensor
    clips: Tensor


@torch.inference_mode()
def predict_with_sets(
    model: Model, inputs: Inputs, statistics: Tensor, sets: Sequence[Sequence[int] | np.ndarray]
) -> WithSets:
    """Predictions for a batch of clips, each relative to a reference set of its own.

    Args:
        model: with branches that refer.
        inputs: of the batch.
        statistics: reference values and probabilities of all clips, `(clips, reference_size + emotions)`.
        sets: for each clip of the batch, the rows of its reference clips.
    """
    positions = [torch.as_tensor(np.asarray(rows, np.int64)) for rows in sets]
    clips = torch.tensor([len(rows) for rows in positions], dtype=statistics.dtype)
    empty = statistics.new_zeros(statistics.shape[1])
    means = torch.stack([statistics[rows].mean(0) if len(rows) else empty for rows in positions])
    values, probabilities = means.tensor_split([model.reference_size], dim=1)
    referring = model.probabilities(model.logits(model.refer(inputs, values, clips)))[FUSION]
    return WithSets(referring, probabilities, clips)


def extract_speaker_features(model: Model, store: FeatureStore, indices: Sequence[int]) -> Tensor:
    """Speaker features of the clean clips, float32 `(clips, values)`, in the order of `indices`."""
    return torch.cat([batch.speaker_features for batch in unadapted(model, store, indices)])


def statistics_tensors(speaker_features: Tensor) -> tuple[Tensor, Tensor]:
    """Statistics of the speaker of these clips as the graph takes them: `(2, values)` and the number of clips `(1,)`.

    Args:
        speaker_features: `(clips, values)`, at least one clip.
    """
    statistics, clips = compute_speaker_statistics(speaker_features.numpy()).inputs.values()
    return torch.from_numpy(statistics), torch.from_numpy(clips)


def by_speaker(utterances: Sequence[Utterance], indices: Sequence[int]) -> list[Tensor]:
    """Positions within `indices` of the clips of each speaker."""
    groups: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for position, index in enumerate(indices):
        groups[utterances[index].corpus, utterances[index].speaker].append(position)
    return [torch.tensor(positions) for positions in groups.values()]


@torch.inference_mode()
def adapted_logits(
    model: Model, store: FeatureStore, utterances: Sequence[Utterance], indices: Sequence[int]
) -> Tensor:
    """Logits `(clips, emotions)` of the adapter, with the statistics of each speaker from these clips, unlabelled.

    Args:
        model: with an adapter.
        store: features of all clips.
        utterances: all clips.
        indices: the clips to predict.
    """
    rows: dict[int, Tensor] = {}
    for positions in by_speaker(utterances, indices):
        batches = list(unadapted(model, store, [indices[position] for position in positions]))
        statistics, clips = statistics_tensors(torch.cat([batch.speaker_features for batch in batches]))
        logits = torch.cat([model.adapted_logits(*batch, statistics, clips) for batch in batches])
        rows.update(zip(positions.tolist(), logits, strict=True))
    return torch.stack([rows[position] for position in range(len(indices))])
