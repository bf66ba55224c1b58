"""Frames -> one vector, whatever their number."""

import torch
from torch import Tensor, nn


def masked_moments(values: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Weighted mean and standard deviation over time, each `(batch, channels)`.

    Args:
        values: `(batch, channels, frames)`.
        weights: `(batch, 1 or channels, frames)`, not negative.
    """
    total = weights.sum(-1).clamp(min=1e-6)
    mean = (values * weights).sum(-1) / total
    variance = ((values - mean[..., None]).square() * weights).sum(-1) / total
    return mean, (variance + 1e-5).sqrt()


class PlainStatistics(nn.Module):
    """`(batch, channels, frames)` -> mean and standard deviation `(batch, 2 * channels)`, every frame alike.

    What `AttentionStatistics` is compared with to see what attention is worth.

    Args:
        channels: of the input; only for the shape of `AttentionStatistics`.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Pooled vector.

        Args:
            values: `(batch, channels, frames)`.
            mask: bool `(batch, 1, frames)`, True where frames count.
        """
        return torch.cat(masked_moments(values, mask.to(values.dtype)), dim=-1)


class AttentionStatistics(nn.Module):
    """`(batch, channels, frames)` -> attention-weighted mean and standard deviation `(batch, 2 * channels)`.

    Source: Okabe et al. (2018), "Attentive statistics pooling for deep speaker embedding".
    """

    def __init__(self, channels: int, hidden: int = 64) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Conv1d(channels, hidden, 1), nn.Tanh(), nn.Conv1d(hidden, channels, 1))

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Pooled vector.

        Args:
            values: `(batch, channels, frames)`.
            mask: bool `(batch, 1, frames)`, True where frames count.
        """
        weights = self.score(values).masked_fill(~mask, -1e4).softmax(-1)
        return torch.cat(masked_moments(values, weights), dim=-1)
