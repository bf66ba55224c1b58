"""Prosody branch: pitch, loudness and tempo -> embedding and logits, by a CNN on contours and an MLP on summaries."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from overtone.features.active_span import gather_frames, per_clip_spans, shared_span
from overtone.features.front_end import Features, speech_frames
from overtone.models.extra_contours import contour_moments, stack_contours
from overtone.models.masking import frame_weights, stride_weights
from overtone.models.pooling import AttentiveStatisticsPooling, masked_moments

MARGIN_FRAMES = 8
TRACKS = 7
SUMMARIES = 25
CHANNELS = 64
STRIDES = (1, 2, 1)  # over time, of each convolution
EMBEDDING = 64
REFERENCE_HZ = 100.0
# Mel bands below about 1 kHz and above about 1.9 kHz: their difference is the spectral tilt (vocal effort).
LOW_BANDS, HIGH_BANDS = slice(8, 24), slice(32, 64)


def relative_pitch(features: Features, voiced: Tensor) -> tuple[Tensor, Tensor]:
    """Pitch in semitones around the clip's mean `(batch, frames)`, 0 where unvoiced, and that mean `(batch, 1)`.

    Args:
        features: of the clips.
        voiced: 1 in voiced frames, else 0, `(batch, frames)`.
    """
    semitones = 12 * (features.pitch_hz.clamp(min=50) / REFERENCE_HZ).log2()
    mean = (semitones * voiced).sum(-1, keepdim=True) / voiced.sum(-1, keepdim=True).clamp(min=1)
    return (semitones - mean) * voiced, mean


def difference(track: Tensor) -> Tensor:
    """Difference to the previous frame, 0 at the first; `(batch, frames)`."""
    return functional.pad(track[:, 1:] - track[:, :-1], (1, 0))


def contours(features: Features, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Tracks `(batch, TRACKS, frames)` and summaries `(batch, SUMMARIES)`, each scaled to about 1.

    In unvoiced frames the pitch track is 0, as the voicing track shows; summaries of pitch cover voiced frames only.

    Args:
        features: of the clips.
        mask: speech frames, bool `(batch, frames)`.
    """
    spoken = mask.to(torch.float32)
    voiced = ((features.pitch_hz > 0) & mask).to(torch.float32)
    both_voiced = functional.pad(voiced[:, 1:] * voiced[:, :-1], (1, 0))
    pitch, mean_pitch = relative_pitch(features, voiced)
    pitch_step = difference(pitch).clamp(-6, 6) * both_voiced
    level, _ = masked_moments(features.loudness_db[:, None], spoken[:, None])
    loudness = (features.loudness_db - level).clamp(-40, 40) / 10 * spoken
    loudness_step = difference(loudness) * spoken
    periodicity = features.periodicity * spoken
    tilt = (features.log_mel[..., LOW_BANDS].mean(-1) - features.log_mel[..., HIGH_BANDS].mean(-1)) / 4 * spoken
    tracks = torch.stack([pitch / 4, voiced, periodicity, loudness, pitch_step, loudness_step, tilt], dim=1)

    # All moments at once: on tracks as short as these, each operation costs more than its arithmetic.
    means, spreads = masked_moments(
        torch.stack(
            [pitch, pitch_step, loudness, loudness_step, loudness, periodicity, periodicity, tilt, tilt], dim=1
        ),
        torch.stack([voiced, both_voiced, spoken, spoken, voiced, spoken, voiced, spoken, voiced], dim=1),
    )
    total = spoken.sum(-1, keepdim=True).clamp(min=1)
    voiced_count = voiced.sum(-1, keepdim=True)
    summaries = [
        mean_pitch * (voiced_count > 0) / 12,
        spreads[:, 0:1],
        pitch.amax(-1, keepdim=True) / 6,
        pitch.amin(-1, keepdim=True) / 6,
        pitch.clamp(min=0).sum(-1, keepdim=True) / voiced_count.clamp(min=1),
        spreads[:, 1:2],
        level / 20,
        spreads[:, 2:3],
        loudness.masked_fill(~mask, -9.0).amax(-1, keepdim=True),
        spreads[:, 3:4],
        torch.stack([means[:, 4:], spreads[:, 4:]], dim=-1).flatten(1),
        voiced_count / total,
        total / 100,
        features.tempo_bpm[:, None] / 100,
        features.speech_rate_hz[:, None] / 5,
        features.pause_ratio[:, None],
    ]
    return tracks, torch.cat(summaries, dim=-1)


class Conv1dAs2d(nn.Conv1d):
    """A convolution over time, computed as a 2-D convolution over an image of one row: faster in onnxruntime."""

    def forward(self, values: Tensor) -> Tensor:
        """The convolved tracks, `(batch, channels, 1, frames)` like the input."""
        assert isinstance(self.padding, tuple)  # not a string such as "same"
        stride, padding, dilation = (1, *self.stride), (0, *self.padding), (1, *self.dilation)
        return functional.conv2d(values, self.weight[:, :, None], self.bias, stride, padding, dilation)


class ProsodyCnn(nn.Module):
    """Features -> embedding `(batch, EMBEDDING)` and logits `(batch, emotions)`, from contours of any length.

    Args:
        emotions: number of classes.
        dropout: probability of dropping a unit before each dense layer.
        contours: rows of `overtone.features.contours.CONTOURS`: each is one track more, and two summaries more, its
            mean and standard deviation.
    """

    contour_mean: Tensor
    contour_scale: Tensor

    def __init__(self, emotions: int, dropout: float, contours: Sequence[str] = ()) -> None:
        super().__init__()
        self.contours = tuple(contours)
        tracks, summaries = TRACKS + len(contours), SUMMARIES + 2 * len(contours)
        if contours:
            self.register_buffer("contour_mean", torch.zeros(len(contours)))
            self.register_buffer("contour_scale", torch.ones(len(contours)))
        self.convolutions = nn.ModuleList(
            [
                Conv1dAs2d(tracks, CHANNELS, 5, padding=2, stride=STRIDES[0]),
                Conv1dAs2d(CHANNELS, CHANNELS, 5, padding=2, stride=STRIDES[1]),
                Conv1dAs2d(CHANNELS, CHANNELS, 5, padding=4, stride=STRIDES[2], dilation=2),
            ]
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(CHANNELS) for _ in self.convolutions)
        self.pool = AttentiveStatisticsPooling(CHANNELS, hidden=32)
        self.summary_norm = nn.BatchNorm1d(summaries)
        self.embed = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(2 * CHANNELS + summaries, EMBEDDING),
            nn.BatchNorm1d(EMBEDDING),
            nn.ReLU(),
        )
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(EMBEDDING, emotions))
        self.embedding = EMBEDDING

    def fit(self, training: list[Features]) -> None:
        """Set mean and scale of the further contours; those of the others are constants."""
        if not self.contours:
            return
        masks = [speech_frames(features, MARGIN_FRAMES) for features in training]
        stacked = [stack_contours(clips, self.contours, mask) for clips, mask in zip(training, masks, strict=True)]
        mean, scale = contour_moments(stacked, masks)
        self.contour_mean.copy_(mean)
        self.contour_scale.copy_(scale)

    def inputs(self, features: Features) -> tuple[Tensor, ...]:
        """Tracks `(batch, tracks, frames)`, summaries `(batch, summaries)` and mask `(batch, frames)`."""
        mask = speech_frames(features, MARGIN_FRAMES)
        tracks, summaries = contours(features, mask)
        if self.contours:
            further, moments = self._further_contours(features, mask)
            tracks, summaries = torch.cat([tracks, further], dim=1), torch.cat([summaries, moments], dim=-1)
        positions, inside = shared_span(mask) if self.training else per_clip_spans(mask)  # see `MelCnn.inputs`
        # After the end of a shorter span the last frame is repeated: mask it.
        return gather_frames(tracks, positions, axis=2) * inside[:, None], summaries, inside

    def _further_contours(self, features: Features, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Standardised tracks `(batch, contours, frames)` and their moments `(batch, 2 * contours)`."""
        spoken = mask[:, None].to(torch.float32)
        tracks = stack_contours(features, self.contours, mask) - self.contour_mean[:, None]
        tracks = tracks / self.contour_scale[:, None] * spoken
        return tracks, torch.cat(masked_moments(tracks, spoken), dim=-1)

    def forward(self, tracks: Tensor, summaries: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding and logits.

        Args:
            tracks: `(batch, tracks, frames)`: TRACKS, and the further contours.
            summaries: `(batch, summaries)`: SUMMARIES, and two for each further contour.
            mask: bool `(batch, frames)`, True in valid frames.
        """
        weights = frame_weights(mask, tracks, self.training)
        values = tracks[:, :, None]
        for convolution, norm, stride in zip(self.convolutions, self.norms, STRIDES, strict=True):
            weights = stride_weights(weights, stride)
            values = functional.relu(norm(convolution(values)))
            values = values if weights is None else values * weights[:, :, None]
        pooled = self.pool(values.squeeze(2), weights)
        embedding = self.embed(torch.cat([pooled, self.summary_norm(summaries)], dim=-1))
        return embedding, self.classifier(embedding)
