"""The paper's branches: log-mel spectrogram and prosody tracks of one fixed length, padded or truncated.

Source: Govindu, "Multimodal Emotion Recognition from Audio". The paper gives no layer sizes; these are common ones.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from overtone.features.front_end import Features
from overtone.features.loudness import FLOOR_DB
from overtone.features.mel import BANDS, POWER_FLOOR

FRAMES = 240  # 3.84 s: the mean length of a RAVDESS clip is 3.7 s
MIN_SCALE = 1e-3  # of values that are the same in all training clips
# Inputs in standard deviations of the training clips are limited to this. In the first frames, which are silent in most
# clips, the deviation is tiny, and a clip that starts at once would otherwise be hundreds of thousands of them away.
MAX_DEVIATIONS = 10.0
LOG_FLOOR = float(torch.tensor(POWER_FLOOR).log())


def fixed_length(track: Tensor, inside: Tensor, padding: float) -> Tensor:
    """The first `FRAMES` frames of a track, padded where a clip is shorter; `(batch, FRAMES, ...)`.

    Args:
        track: `(batch, frames, ...)`.
        inside: True in frames of the clip, bool `(batch, frames)`.
        padding: value of silence.
    """
    inside = inside.reshape(inside.shape + (1,) * (track.ndim - inside.ndim))
    silent = torch.full_like(track[:, :1], padding).expand(-1, FRAMES, *track.shape[2:])
    return torch.cat([torch.where(inside, track, padding), silent], dim=1)[:, :FRAMES]


class PaperMelCnn(nn.Module):
    """Log-mel branch of the paper: features -> flattened last convolution and logits `(batch, emotions)`."""

    mean: Tensor
    scale: Tensor

    def __init__(self, emotions: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))
        self.register_buffer("scale", torch.ones(()))
        layers: list[nn.Module] = []
        for channels_in, channels_out in ((1, 16), (16, 32), (32, 64)):
            layers += [nn.Conv2d(channels_in, channels_out, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        self.convolutions = nn.Sequential(*layers, nn.Flatten())
        self.embedding = 64 * (FRAMES // 8) * (BANDS // 8)
        self.classifier = nn.Sequential(
            nn.Linear(self.embedding, 128), nn.ReLU(), nn.Dropout(dropout), nn.Linear(128, emotions)
        )

    def fit(self, training: list[Features]) -> None:
        """Set mean and scale of the spectrograms from the training set."""
        values = torch.cat([fixed_length(f.log_mel, f.inside, LOG_FLOOR) for f in training])
        self.mean.copy_(values.mean())
        self.scale.copy_(values.std().clamp(min=MIN_SCALE))

    def inputs(self, features: Features) -> tuple[Tensor, ...]:
        """The normalised spectrogram `(batch, FRAMES, BANDS)`, in [-MAX_DEVIATIONS, MAX_DEVIATIONS]."""
        spectrogram = fixed_length(features.log_mel, features.inside, LOG_FLOOR)
        return (((spectrogram - self.mean) / self.scale).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS),)

    def forward(self, spectrogram: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding and logits."""
        embedding = self.convolutions(spectrogram[:, None])
        return embedding, self.classifier(embedding)


class PaperDenseMelCnn(PaperMelCnn):
    """The same network with its first dense layer as the embedding, instead of the flattened convolution."""

    def __init__(self, emotions: int, dropout: float) -> None:
        super().__init__(emotions, dropout)
        self.embedding = 128

    def forward(self, spectrogram: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding and logits."""
        embedding = self.classifier[:2](self.convolutions(spectrogram[:, None]))
        return embedding, self.classifier[2:](embedding)


class PaperProsodyMlp(nn.Module):
    """Prosody branch of the paper: pitch, loudness and tempo as one vector -> first dense layer and logits."""

    mean: Tensor
    scale: Tensor

    def __init__(self, emotions: int, dropout: float) -> None:
        super().__init__()
        values = 2 * FRAMES + 1
        self.register_buffer("mean", torch.zeros(values))
        self.register_buffer("scale", torch.ones(values))
        self.embedding = 256
        self.first = nn.Linear(values, self.embedding)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), nn.Linear(256, 128), nn.ReLU(), nn.Dropout(dropout), nn.Linear(128, emotions)
        )

    def vector(self, features: Features) -> Tensor:
        """Padded pitch and loudness and the tempo `(batch, 2 * FRAMES + 1)`."""
        pitch = fixed_length(features.pitch_hz, features.inside, 0.0)
        loudness = fixed_length(features.loudness_db, features.inside, FLOOR_DB)
        return torch.cat([pitch, loudness, features.tempo_bpm[:, None]], dim=-1)

    def fit(self, training: list[Features]) -> None:
        """Set mean and scale of each value from the training set."""
        values = torch.cat([self.vector(f) for f in training])
        self.mean.copy_(values.mean(0))
        self.scale.copy_(values.std(0).clamp(min=MIN_SCALE))

    def inputs(self, features: Features) -> tuple[Tensor, ...]:
        """The normalised vector `(batch, 2 * FRAMES + 1)`, in [-MAX_DEVIATIONS, MAX_DEVIATIONS]."""
        return (((self.vector(features) - self.mean) / self.scale).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS),)

    def forward(self, vector: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding and logits."""
        embedding = functional.relu(self.first(vector))
        return embedding, self.classifier(embedding)
