"""Prosody branch of a small model: statistics of pitch, loudness, tempo and spectrum -> logits, by an MLP."""

from collections.abc import Sequence

import torch
from torch import Tensor

from overtone.features.front_end import Features, speech_frames
from overtone.features.mel import BANDS
from overtone.models.extra_contours import stack_contours
from overtone.models.pooling import masked_moments
from overtone.models.prosody_cnn import MARGIN_FRAMES, SUMMARIES, contours
from overtone.models.statistics_mlp import StatisticsMlp

LAG_FRAMES = 4  # 64 ms, about half a syllable


class ProsodyMlp(StatisticsMlp):
    """Statistics of a clip's speech -> embedding and logits; see `StatisticsMlp`.

    They are the summaries of the contours of `ProsodyCnn`, and of each mel band the mean, the standard deviation and
    the standard deviation of its change within 64 ms.

    Args:
        emotions: number of classes.
        dropout: probability of dropping a statistic, and a unit before the last layer.
        contours: rows of `overtone.features.contours.CONTOURS`: the mean and the standard deviation of each are two
            statistics more.
    """

    def __init__(self, emotions: int, dropout: float, contours: Sequence[str] = ()) -> None:
        super().__init__(SUMMARIES + 3 * BANDS + 2 * len(contours), emotions, dropout)
        self.contours = tuple(contours)

    def statistics(self, features: Features) -> Tensor:
        """The statistics of each clip, `(batch, values)`."""
        mask = speech_frames(features, MARGIN_FRAMES)
        _, summaries = contours(features, mask)
        weights = mask[:, None].to(torch.float32)
        bands = features.log_mel.transpose(1, 2)
        moments = masked_moments(bands, weights)
        changes = bands[..., LAG_FRAMES:] - bands[..., :-LAG_FRAMES]
        _, spread = masked_moments(changes, weights[..., LAG_FRAMES:] * weights[..., :-LAG_FRAMES])
        further = masked_moments(stack_contours(features, self.contours, mask), weights) if self.contours else ()
        return torch.cat([summaries, *moments, spread, *further], dim=-1)
