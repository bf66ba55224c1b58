"""Features of single clips -> batches, shuffled, augmented and mixed for training."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from overtone.datatypes import Utterance
from overtone.features.front_end import ExtraFeature, Features
from overtone.features.loudness import FLOOR_DB
from overtone.features.mel import POWER_FLOOR
from overtone.models.branches import BRANCHES
from overtone.models.network import Inputs
from overtone.recipe import Recipe
from overtone.training.feature_cache import ClipFeatures, FeatureStore

CHUNK_BATCHES = 6  # clips are sorted by length within this many batches: little padding, still well shuffled


def collate(clips: Sequence[ClipFeatures], extra: Mapping[str, ExtraFeature] | None = None) -> Features:
    """One batch of clips, padded with silence to the longest.

    Args:
        clips: at least one.
        extra: name -> extra feature of the clips, for its padding.
    """
    frames = max(len(clip.tracks) for clip in clips)
    log_mel = _padded([clip.log_mel for clip in clips], frames, float(np.log(POWER_FLOOR)))
    tracks = np.zeros((len(clips), frames, 3), np.float32)
    tracks[..., 2] = FLOOR_DB
    inside = np.zeros((len(clips), frames), bool)
    for row, clip in enumerate(clips):
        tracks[row, : len(clip.tracks)] = clip.tracks
        inside[row, : len(clip.tracks)] = True
    pitch_hz, periodicity, loudness_db = torch.from_numpy(tracks).unbind(-1)
    tempo_bpm, speech_rate_hz, pause_ratio = torch.from_numpy(np.stack([clip.rates for clip in clips])).unbind(-1)
    extra_batch = {}
    for name, feature in (extra or {}).items():
        arrays = [clip.extra[name] for clip in clips]
        extra_batch[name] = torch.from_numpy(_padded(arrays, max(map(len, arrays)), feature.padding))
    return Features(
        torch.from_numpy(log_mel), pitch_hz, periodicity, loudness_db, tempo_bpm, speech_rate_hz, pause_ratio,
        inside=torch.from_numpy(inside), extra=extra_batch,
    )  # fmt: skip


def _padded(arrays: Sequence[np.ndarray], frames: int, padding: float) -> np.ndarray:
    """Arrays `(frames of each, ...)` as one, float32 `(arrays, frames, ...)`."""
    batch = np.full((len(arrays), frames, *arrays[0].shape[1:]), padding, np.float32)
    for row, array in zip(batch, arrays, strict=True):
        row[: len(array)] = array
    return batch


def sampling_weights(utterances: Sequence[Utterance], indices: Sequence[int]) -> np.ndarray:
    """Probability of drawing each clip in balanced sampling, `(indices,)`, summing to 1.

    Every corpus is drawn equally often; within a corpus every class; within a class every speaker.

    Args:
        utterances: all clips.
        indices: the training clips.
    """
    keys = [(utterances[i].corpus, utterances[i].emotion, utterances[i].speaker) for i in indices]
    weights = np.ones(len(keys))
    for depth in (1, 2, 3):  # the groups of each level share the weight of their parent
        groups = {key[:depth] for key in keys}
        siblings = Counter(group[:-1] for group in groups)
        weights /= [siblings[key[: depth - 1]] for key in keys]
    clips = Counter(keys)
    return weights / [clips[key] for key in keys]


def training_batches(
    store: FeatureStore,
    indices: Sequence[int],
    recipe: Recipe,
    rng: np.random.Generator,
    weights: np.ndarray | None = None,
) -> Iterator[tuple[Features, np.ndarray, np.ndarray]]:
    """All clips once, each in a random version, in batches of similar length and in random order.

    Args:
        store: features of all clips.
        indices: the training clips.
        recipe: the settings.
        rng: random generator.
        weights: probability of each clip `(indices,)`: as many clips are drawn, with replacement; None for all once.

    Yields:
        Features, the positions `(batch,)` of their utterances, and which of them are to refer to other clips, bool
        `(batch,)`: these are clean, as their reference is. A last batch of one clip is left out, since batch
        normalisation needs two.
    """
    order = rng.permutation(np.asarray(indices))
    if weights is not None:
        order = rng.choice(np.asarray(indices), len(indices), p=weights)
    versions = rng.integers(0, len(store.versions), len(order))
    refers = rng.random(len(order)) < recipe.reference_sets if recipe.reference_sets else np.zeros(len(order), bool)
    versions[refers] = 0
    batches = []
    chunk = CHUNK_BATCHES * recipe.batch_clips
    for start in range(0, len(order), chunk):
        clips = [
            (order[k], refers[k], _training_clip(store, order[k], versions[k], recipe))
            for k in range(start, min(start + chunk, len(order)))
        ]
        clips.sort(key=lambda row: len(row[2].tracks))
        batches += [clips[first : first + recipe.batch_clips] for first in range(0, len(clips), recipe.batch_clips)]
    for position in rng.permutation(len(batches)):
        batch = batches[position]
        if len(batch) > 1:
            indices, referring, features = zip(*batch, strict=True)
            yield collate(features, store.extra), np.array(indices), np.array(referring)


def _training_clip(store: FeatureStore, index: int, version: int, recipe: Recipe) -> ClipFeatures:
    clip = store.clip(index, version)
    return clip if recipe.crop_margin_frames < 0 else clip.around_speech(recipe.crop_margin_frames, store.extra)


def clean_batches(store: FeatureStore, indices: Sequence[int], batch_clips: int = 32) -> Iterator[Features]:
    """The clean clips in the given order, uncropped."""
    for start in range(0, len(indices), batch_clips):
        yield collate([store.clip(index) for index in indices[start : start + batch_clips]], store.extra)


def augment(inputs: Inputs, recipe: Recipe, rng: np.random.Generator) -> Inputs:
    """The inputs, each branch augmented as its row of `BRANCHES` says."""
    augmented = {}
    for name, tensors in inputs.items():
        augment_branch = BRANCHES[name].augment
        augmented[name] = tensors if augment_branch is None else augment_branch(tensors, recipe, rng)
    return augmented


def mixup(inputs: Inputs, weight: float, partners: Tensor) -> Inputs:
    """Each clip mixed with a partner clip; masks are combined with OR.

    Source: Zhang et al. (2018), "mixup: beyond empirical risk minimization".

    Args:
        inputs: of the branches.
        weight: weight of the clip, in [0, 1]; the rest is the weight of its partner.
        partners: position of each clip's partner in the batch, int64 `(batch,)`.
    """

    def mixed(tensor: Tensor) -> Tensor:
        partner = tensor[partners]
        return tensor | partner if tensor.dtype == torch.bool else weight * tensor + (1 - weight) * partner

    return {branch: tuple(mixed(tensor) for tensor in tensors) for branch, tensors in inputs.items()}
