"""Encoder branch: statistics of the hidden states of a pretrained speech encoder -> embedding and logits, by an MLP."""

import torch
from torch import Tensor, nn

from overtone.features.front_end import Features
from overtone.models.encoder_statistics import FEATURE, statistics_size
from overtone.models.whisper_encoder import CONFIG_FILE, find_encoder, read_config

DEFAULT_ENCODER = "whisper-tiny.en"
EMBEDDING = 128
PRIOR_CLIPS = 5.0  # number of reference clips whose mean counts as much as that of the training clips
MIN_SCALE = 1e-6


class EncoderMlp(nn.Module):
    """Statistics of the states of an encoder -> embedding `(batch, EMBEDDING)` and logits `(batch, emotions)`.

    Dropout on the statistics keeps the MLP from relying on those that tell the training corpora apart. The mean
    statistics of reference clips, of the same speaker or recording, can be subtracted: what is left is how a clip
    differs from them. One network serves both cases; it is trained on clips without and with references.

    Args:
        name: of the encoder, as `find_encoder` takes it.
        emotions: number of classes.
        dropout: probability of dropping a statistic, and a unit before the last layer.
    """

    mean: Tensor
    scale: Tensor
    # Each network of an ensemble standardises with its own training clips: a corpus that it leaves out is then as new
    # to it as any other recording.
    own_normaliser = True

    def __init__(self, name: str, emotions: int, dropout: float) -> None:
        super().__init__()
        values = statistics_size(read_config(find_encoder(name) / CONFIG_FILE))
        self.register_buffer("mean", torch.zeros(values))
        self.register_buffer("scale", torch.ones(values))
        self.embed = nn.Sequential(nn.Dropout(dropout), nn.Linear(values, EMBEDDING), nn.GELU())
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(EMBEDDING, emotions))
        self.embedding = EMBEDDING
        self.reference_values = values

    @torch.no_grad()
    def fit(self, training: list[Features]) -> None:
        """Set mean and scale to those of the training clips."""
        statistics = torch.cat([features.extra[FEATURE] for features in training])[:, 0]
        self.mean.copy_(statistics.mean(0))
        self.scale.copy_(statistics.std(0).clamp(min=MIN_SCALE))

    def inputs(self, features: Features) -> tuple[Tensor, ...]:
        """Statistics `(batch, values)`, and the weight of the references that were subtracted, 0, `(batch, 1)`."""
        statistics = features.extra[FEATURE][:, 0]
        return statistics, torch.zeros_like(statistics[:, :1])

    def refer(self, inputs: tuple[Tensor, ...], mean: Tensor, clips: Tensor) -> tuple[Tensor, ...]:
        """The inputs with the mean of reference clips subtracted, as far as their number makes it reliable.

        Args:
            inputs: as `inputs` returns them.
            mean: of the statistics of the reference clips, `(batch or 1, values)`.
            clips: number of reference clips `(batch or 1,)`; 0 for none.
        """
        statistics, _ = inputs
        weight = (clips / (clips + PRIOR_CLIPS))[:, None]
        return statistics - weight * mean, weight.expand(len(statistics), 1)

    def forward(self, statistics: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding and logits.

        Args:
            statistics: less the weighted mean of the references, `(batch, values)`.
            weight: of the references `(batch, 1)`, in [0, 1): as much of the training mean was subtracted with them.
        """
        embedding = self.embed((statistics - (1 - weight) * self.mean) / self.scale)
        return embedding, self.classifier(embedding)
