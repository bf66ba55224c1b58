"""Encoder branch: statistics of the hidden states of a pretrained speech encoder -> embedding and logits, by an MLP."""

import torch
from torch import Tensor, nn

from overtone.features.front_end import Features
from overtone.models.encoder_statistics import FEATURE, statistics_size
from overtone.models.whisper_encoder import CONFIG_FILE, find_encoder, read_config

DEFAULT_ENCODER = "whisper-tiny.en"
EMBEDDING = 128
MIN_SCALE = 1e-6


class EncoderMlp(nn.Module):
    """Statistics of the states of an encoder -> embedding `(batch, EMBEDDING)` and logits `(batch, emotions)`.

    Dropout on the statistics keeps the MLP from relying on those that tell the training corpora apart.

    Args:
        name: of the encoder, as `find_encoder` takes it.
        emotions: number of classes.
        dropout: probability of dropping a statistic, and a unit before the last layer.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, name: str, emotions: int, dropout: float) -> None:
        super().__init__()
        values = statistics_size(read_config(find_encoder(name) / CONFIG_FILE))
        self.register_buffer("mean", torch.zeros(values))
        self.register_buffer("scale", torch.ones(values))
        self.embed = nn.Sequential(nn.Dropout(dropout), nn.Linear(values, EMBEDDING), nn.GELU())
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(EMBEDDING, emotions))
        self.embedding = EMBEDDING

    @torch.no_grad()
    def fit(self, training: list[Features]) -> None:
        """Set mean and scale to those of the training clips."""
        statistics = torch.cat([features.extra[FEATURE] for features in training])[:, 0]
        self.mean.copy_(statistics.mean(0))
        self.scale.copy_(statistics.std(0).clamp(min=MIN_SCALE))

    def inputs(self, features: Features) -> tuple[Tensor, ...]:
        """Statistics in standard deviations from the mean of the training clips, `(batch, values)`."""
        return ((features.extra[FEATURE][:, 0] - self.mean) / self.scale,)

    def forward(self, statistics: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding and logits of standardised statistics `(batch, values)`."""
        embedding = self.embed(statistics)
        return embedding, self.classifier(embedding)
