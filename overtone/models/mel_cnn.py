"""Log-mel picture -> embedding and logits: a residual network with attention over time."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from overtone.features.active_span import gather_frames, per_clip_spans, shared_span
from overtone.features.front_end import Features, speech_frames
from overtone.features.mel import BANDS
from overtone.models.masking import FrameWeights, apply_mask, frame_weights, stride_weights
from overtone.models.pooling import AttentiveStatisticsPooling, masked_moments

MARGIN_FRAMES = 8
CHANNELS = (32, 48, 96, 128)
STRIDES = ((2, 2), (2, 2), (1, 2))  # (time, bands) of each block; the stem halves both too
MIXED = 192
EMBEDDING = 128


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with a shortcut: `(batch, in, frames, bands)` -> fewer frames and bands, more channels.

    Args:
        channels_in: channels of the input.
        channels_out: channels of the output.
        stride: by what frames and bands are divided.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False)
        self.first_norm = nn.BatchNorm2d(channels_out)
        self.second = nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False)
        self.second_norm = nn.BatchNorm2d(channels_out)
        across_frames, across_bands = stride
        self.squeeze = nn.AvgPool2d(
            (2 * across_frames - 1, 2 * across_bands - 1), stride, padding=(across_frames - 1, across_bands - 1)
        )
        self.shortcut = nn.Conv2d(channels_in, channels_out, 1, bias=False)

    def forward(self, values: Tensor, weights: FrameWeights) -> Tensor:
        """Output, zero where frames do not count; `weights` are `(batch, 1, frames / stride)`."""
        inner = apply_mask(functional.relu(self.first_norm(self.first(values))), weights)
        inner = self.second_norm(self.second(inner))
        return apply_mask(functional.relu(inner + self.shortcut(self.squeeze(values))), weights)


class MelCnn(nn.Module):
    """Features -> embedding `(batch, EMBEDDING)` and logits `(batch, emotions)`, from clips of any length.

    Each layer is masked to the spoken frames, so an answer depends neither on the silence around the speech nor on
    the other clips of the batch.

    Args:
        emotions: number of classes.
        dropout: share of units dropped before each dense layer.
        pooling: frames -> one vector, twice as wide; a class of `overtone.models.pooling`.
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self, emotions: int, dropout: float, pooling: Callable[[int], nn.Module] = AttentiveStatisticsPooling
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(BANDS))
        self.register_buffer("scale", torch.ones(BANDS))
        self.stem = nn.Conv2d(1, CHANNELS[0], 5, stride=2, padding=2, bias=False)
        self.stem_norm = nn.BatchNorm2d(CHANNELS[0])
        pairs = zip(CHANNELS[:-1], CHANNELS[1:], STRIDES, strict=True)
        self.blocks = nn.ModuleList(ResidualBlock(*pair) for pair in pairs)
        bands_left = BANDS // 2 ** (1 + len(STRIDES))
        self.mix = nn.Conv2d(CHANNELS[-1], MIXED, (1, bands_left), bias=False)
        self.mix_norm = nn.BatchNorm1d(MIXED)
        self.pool = pooling(MIXED)
        self.embed = nn.Sequential(
            nn.BatchNorm1d(2 * MIXED), nn.Dropout(dropout), nn.Linear(2 * MIXED, EMBEDDING), nn.ReLU()
        )
        self.answer = nn.Sequential(nn.Dropout(dropout), nn.Linear(EMBEDDING, emotions))
        self.embedding = EMBEDDING

    def fit(self, training: list[Features]) -> None:
        """Takes mean and scale of each band over the spoken frames of the training side."""
        spoken = torch.cat([f.log_mel[speech_frames(f, MARGIN_FRAMES)] for f in training])
        self.mean.copy_(spoken.mean(0))
        self.scale.copy_(spoken.std(0))

    def inputs(self, features: Features) -> tuple[Tensor, ...]:
        """Normalised picture `(batch, frames, BANDS)`, 0 = average of the clip, and its mask `(batch, frames)`."""
        mask = speech_frames(features, MARGIN_FRAMES)
        picture = (features.log_mel - self.mean) / self.scale
        average, _ = masked_moments(picture.transpose(1, 2), mask[:, None].to(picture.dtype))
        # Without its own average a clip no longer tells microphone, distance and gain.
        # In training a clip falls on the grid of strides at random; in use always alike.
        positions, inside = shared_span(mask) if self.training else per_clip_spans(mask)
        return gather_frames(picture - average[:, None], positions, axis=1), inside

    def forward(self, picture: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding and logits.

        Args:
            picture: `(batch, frames, BANDS)`.
            mask: bool `(batch, frames)`, True where frames count.
        """
        weights = frame_weights(mask, picture, self.training)
        values, weights = self.stem(apply_mask(picture[:, None], weights)), stride_weights(weights, 2)
        values = apply_mask(functional.relu(self.stem_norm(values)), weights)
        for block, (frames_stride, _) in zip(self.blocks, STRIDES, strict=True):
            weights = stride_weights(weights, frames_stride)
            values = block(values, weights)
        mixed = apply_mask(
            functional.relu(self.mix_norm(self.mix(values).squeeze(-1))), weights
        )  # (batch, MIXED, frames)
        embedding = self.embed(self.pool(mixed, weights))
        return embedding, self.answer(embedding)
