"""Log-mel branch: features -> embedding and logits, by a residual CNN with attention over time."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from overtone.features.active_span import gather_frames, per_clip_spans, shared_span
from overtone.features.augment import spec_augment
from overtone.features.front_end import Features, speech_frames
from overtone.features.mel import BANDS
from overtone.models.masking import FrameWeights, apply_mask, frame_weights, stride_weights
from overtone.models.pooling import AttentiveStatisticsPooling, masked_moments
from overtone.recipe import Recipe

MARGIN_FRAMES = 8
MIN_SCALE = 0.1  # of the natural logarithm of the power: at 8 kHz, the upper half of the bands is empty
STRIDES = ((2, 2), (2, 2), (1, 2))  # (time, bands) of each block; the stem halves both too
EMBEDDING = 128


class Widths(NamedTuple):
    """Numbers of channels.

    Attributes:
        channels: of the stem and of each block.
        mixed: of the layer that combines the bands of a frame.
    """

    channels: tuple[int, ...]
    mixed: int


STANDARD = Widths((32, 48, 96, 128), 192)
SMALL = Widths((16, 32, 48, 64), 128)  # a third of the arithmetic


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with a shortcut: `(batch, in, frames, bands)` -> fewer frames and bands, more channels.

    Args:
        channels_in: channels of the input.
        channels_out: channels of the output.
        stride: downsampling factors of frames and bands.
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
        """Output, zero in invalid frames; `weights` are `(batch, 1, frames / stride)`."""
        inner = apply_mask(functional.relu(self.first_norm(self.first(values))), weights)
        inner = self.second_norm(self.second(inner))
        return apply_mask(functional.relu(inner + self.shortcut(self.squeeze(values))), weights)


class MelCnn(nn.Module):
    """Features -> embedding `(batch, EMBEDDING)` and logits `(batch, emotions)`, for clips of any length.

    Each layer is masked to the speech, so a prediction depends neither on the silence around the speech nor on the
    other clips of the batch.

    Args:
        emotions: number of classes.
        dropout: probability of dropping a unit before each dense layer.
        pooling: frames -> one vector, twice as wide; a class of `overtone.models.pooling`.
        widths: numbers of channels.
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        emotions: int,
        dropout: float,
        pooling: Callable[[int], nn.Module] = AttentiveStatisticsPooling,
        widths: Widths = STANDARD,
    ) -> None:
        super().__init__()
        channels, mixed = widths
        self.register_buffer("mean", torch.zeros(BANDS))
        self.register_buffer("scale", torch.ones(BANDS))
        self.stem = nn.Conv2d(1, channels[0], 5, stride=2, padding=2, bias=False)
        self.stem_norm = nn.BatchNorm2d(channels[0])
        pairs = zip(channels[:-1], channels[1:], STRIDES, strict=True)
        self.blocks = nn.ModuleList(ResidualBlock(*pair) for pair in pairs)
        bands_left = BANDS // 2 ** (1 + len(STRIDES))
        self.mix = nn.Conv2d(channels[-1], mixed, (1, bands_left), bias=False)
        self.mix_norm = nn.BatchNorm1d(mixed)
        self.pool = pooling(mixed)
        self.embed = nn.Sequential(
            nn.BatchNorm1d(2 * mixed), nn.Dropout(dropout), nn.Linear(2 * mixed, EMBEDDING), nn.ReLU()
        )
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(EMBEDDING, emotions))
        self.embedding = EMBEDDING

    def fit(self, training: list[Features]) -> None:
        """Set mean and scale of each band from the speech frames of the training set."""
        spoken = torch.cat([f.log_mel[speech_frames(f, MARGIN_FRAMES)] for f in training])
        self.mean.copy_(spoken.mean(0))
        self.scale.copy_(spoken.std(0).clamp(min=MIN_SCALE))

    def inputs(self, features: Features) -> tuple[Tensor, ...]:
        """Normalised spectrogram `(batch, frames, BANDS)`, 0 = average of the clip, and its mask `(batch, frames)`."""
        mask = speech_frames(features, MARGIN_FRAMES)
        spectrogram = (features.log_mel - self.mean) / self.scale
        average, _ = masked_moments(spectrogram.transpose(1, 2), mask[:, None].to(spectrogram.dtype))
        # Without its average a clip no longer reveals microphone, distance and gain.
        # In training the strides fall on random frames of a clip; in inference always on the same ones.
        positions, inside = shared_span(mask) if self.training else per_clip_spans(mask)
        return gather_frames(spectrogram - average[:, None], positions, axis=1), inside

    def forward(self, spectrogram: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding and logits.

        Args:
            spectrogram: `(batch, frames, BANDS)`.
            mask: bool `(batch, frames)`, True in valid frames.
        """
        weights = frame_weights(mask, spectrogram, self.training)
        values, weights = self.stem(apply_mask(spectrogram[:, None], weights)), stride_weights(weights, 2)
        values = apply_mask(functional.relu(self.stem_norm(values)), weights)
        for block, (frames_stride, _) in zip(self.blocks, STRIDES, strict=True):
            weights = stride_weights(weights, frames_stride)
            values = block(values, weights)
        mixed = functional.relu(self.mix_norm(self.mix(values).squeeze(-1)))  # (batch, mixed, frames)
        embedding = self.embed(self.pool(apply_mask(mixed, weights), weights))
        return embedding, self.classifier(embedding)


def augment_spectrogram(inputs: tuple[Tensor, ...], recipe: Recipe, rng: np.random.Generator) -> tuple[Tensor, ...]:
    """The inputs of a log-mel branch with the spectrogram shifted along frequency and partly masked.

    Args:
        inputs: the spectrogram `(batch, frames, bands)` first.
        recipe: specifies the sizes of shifts and masks.
        rng: random generator.
    """
    if not (recipe.mask_count or recipe.shift_bands):
        return inputs
    spectrogram, *others = inputs
    augmented = spec_augment(
        spectrogram.cpu().numpy(),
        rng,
        shift_bands=recipe.shift_bands,
        mask_count=recipe.mask_count,
        mask_bands=recipe.mask_bands,
        mask_frames=recipe.mask_frames,
    )
    return (torch.from_numpy(augmented).to(spectrogram.device), *others)
