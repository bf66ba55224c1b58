"""Pooling over time: any number of frames -> one vector."""

import torch
from torch import Tensor, nn

from overtone.models.masking import FrameWeights


def masked_moments(values: Tensor, weights: FrameWeights) -> tuple[Tensor, Tensor]:
    """Weighted mean and standard deviation over time, each `(batch, channels)`.

    Args:
        values: `(batch, channels, frames)`.
        weights: `(batch, 1 or channels, frames)`, not negative; None where all frames have the same weight.
    """
    if weights is None:
        mean = values.mean(-1)
        return mean, ((values - mean[..., None]).square().mean(-1) + 1e-5).sqrt()
    total = weights.sum(-1).clamp(min=1e-6)
    mean = (values * weights).sum(-1) / total
    variance = ((values - mean[..., None]).square() * weights).sum(-1) / total
    return mean, (variance + 1e-5).sqrt()


class StatisticsPooling(nn.Module):
    """`(batch, channels, frames)` -> mean and standard deviation `(batch, 2 * channels)`, without attention.

    The ablation of `AttentiveStatisticsPooling`.

    Args:
        channels: of the input; unused, so that both classes are built alike.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()

    def forward(self, values: Tensor, weights: FrameWeights) -> Tensor:
        """Pooled vector.

        Args:
            values: `(batch, channels, frames)`.
            weights: of the frames `(batch, 1, frames)`.
        """
        return torch.cat(masked_moments(values, weights), dim=-1)


class AttentiveStatisticsPooling(nn.Module):
    """`(batch, channels, frames)` -> attention-weighted mean and standard deviation `(batch, 2 * channels)`.

    Source: Okabe et al. (2018), "Attentive statistics pooling for deep speaker embedding".
    """

    def __init__(self, channels: int, hidden: int = 64) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Conv1d(channels, hidden, 1), nn.Tanh(), nn.Conv1d(hidden, channels, 1))

    def forward(self, values: Tensor, weights: FrameWeights) -> Tensor:
        """Pooled vector.

        Args:
            values: `(batch, channels, frames)`.
            weights: of the frames `(batch, 1, frames)`.
        """
        score = self.score(values)
        if weights is not None:
            score = score.masked_fill(weights == 0, -1e4)
        return torch.cat(masked_moments(values, score.softmax(-1)), dim=-1)
