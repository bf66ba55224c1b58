"""Features of single clips -> batches, shuffled, varied and mixed for training."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from overtone.features.augment import spec_augment
from overtone.features.front_end import Features
from overtone.features.loudness import FLOOR_DB
from overtone.features.mel import POWER_FLOOR
from overtone.models.network import Inputs
from overtone.recipe import Recipe
from overtone.training.feature_cache import ClipFeatures, FeatureStore

CHUNK_BATCHES = 6  # clips are sorted by length within so many batches: little padding, still well shuffled


def collate(clips: Sequence[ClipFeatures]) -> Features:
    """One batch of clips, padded with silence to the longest.

    Args:
        clips: at least one.
    """
    frames = max(len(clip.tracks) for clip in clips)
    bands = clips[0].log_mel.shape[1]
    log_mel = np.full((len(clips), frames, bands), np.log(POWER_FLOOR), np.float32)
    tracks = np.zeros((len(clips), frames, 3), np.float32)
    tracks[..., 2] = FLOOR_DB
    inside = np.zeros((len(clips), frames), bool)
    for row, clip in enumerate(clips):
        log_mel[row, : len(clip.tracks)] = clip.log_mel
        tracks[row, : len(clip.tracks)] = clip.tracks
        inside[row, : len(clip.tracks)] = True
    pitch_hz, periodicity, loudness_db = torch.from_numpy(tracks).unbind(-1)
    tempo_bpm, speech_rate_hz, pause_ratio = torch.from_numpy(np.stack([clip.rates for clip in clips])).unbind(-1)
    return Features(
        torch.from_numpy(log_mel), pitch_hz, periodicity, loudness_db, tempo_bpm, speech_rate_hz, pause_ratio,
        inside=torch.from_numpy(inside),
    )  # fmt: skip


def training_batches(
    store: FeatureStore, indices: Sequence[int], recipe: Recipe, rng: np.random.Generator
) -> Iterator[tuple[Features, np.ndarray]]:
    """All clips once, each in a version drawn anew, in batches of about one length and in random order.

    Yields:
        Features and the positions `(batch,)` of their utterances. A last batch of one clip is left out: batch
        statistics of one are none.
    """
    order = rng.permutation(np.asarray(indices))
    versions = rng.integers(0, len(store.versions), len(order))
    batches = []
    chunk = CHUNK_BATCHES * recipe.batch_clips
    for start in range(0, len(order), chunk):
        drawn = [
            (index, _training_clip(store, index, version, recipe))
            for index, version in zip(order[start : start + chunk], versions[start : start + chunk], strict=True)
        ]
        drawn.sort(key=lambda pair: len(pair[1].tracks))
        batches += [drawn[at : at + recipe.batch_clips] for at in range(0, len(drawn), recipe.batch_clips)]
    for position in rng.permutation(len(batches)):
        batch = batches[position]
        if len(batch) > 1:
            yield collate([clip for _, clip in batch]), np.array([index for index, _ in batch])


def _training_clip(store: FeatureStore, index: int, version: int, recipe: Recipe) -> ClipFeatures:
    clip = store.clip(index, version)
    return clip if recipe.crop_margin_frames < 0 else clip.around_speech(recipe.crop_margin_frames)


def clean_batches(store: FeatureStore, indices: Sequence[int], batch_clips: int = 32) -> Iterator[Features]:
    """The clean clips in the order given, whole."""
    for start in range(0, len(indices), batch_clips):
        yield collate([store.clip(index) for index in indices[start : start + batch_clips]])


def augment(inputs: Inputs, recipe: Recipe, rng: np.random.Generator) -> Inputs:
    """The same inputs with the mel picture shifted and partly hidden."""
    if not (recipe.mask_count or recipe.shift_bands):
        return inputs
    picture, *rest = inputs["mel"]
    varied = spec_augment(
        picture.cpu().numpy(),
        rng,
        shift_bands=recipe.shift_bands,
        mask_count=recipe.mask_count,
        mask_bands=recipe.mask_bands,
        mask_frames=recipe.mask_frames,
    )
    return {**inputs, "mel": (torch.from_numpy(varied).to(picture.device), *rest)}


def mixup(inputs: Inputs, weight: float, partners: Tensor) -> Inputs:
    """Each clip mixed with a partner; masks are joined.

    Source: Zhang et al. (2018), "mixup: beyond empirical risk minimization".

    Args:
        inputs: of the branches.
        weight: share of the clip itself, in [0, 1].
        partners: position of each clip's partner in the batch, int64 `(batch,)`.
    """

    def mixed(tensor: Tensor) -> Tensor:
        partner = tensor[partners]
        return tensor | partner if tensor.dtype == torch.bool else weight * tensor + (1 - weight) * partner

    return {part: tuple(mixed(tensor) for tensor in tensors) for part, tensors in inputs.items()}
