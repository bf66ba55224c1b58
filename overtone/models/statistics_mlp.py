"""Statistics of a clip -> embedding and logits, by an MLP that can refer to other clips of the speaker or recording."""

import torch
from torch import Tensor, nn

from overtone.features.front_end import Features

EMBEDDING = 128
PRIOR_CLIPS = 5.0  # number of reference clips whose mean counts as much as that of the training clips
MIN_SCALE = 1e-6


class StatisticsMlp(nn.Module):
    """Statistics of clips -> embedding `(batch, EMBEDDING)` and logits `(batch, emotions)`.

    Dropout on the statistics keeps the MLP from relying on those that tell the training corpora apart. The mean
    statistics of reference clips, of the same speaker or recording, can be subtracted: what is left is how a clip
    differs from them. One network serves both cases; it is trained on clips without and with references.

    Subclasses implement `statistics`.

    Args:
        values: number of statistics per clip.
        emotions: number of classes.
        dropout: probability of dropping a statistic, and a unit before the last layer.
    """

    mean: Tensor
    scale: Tensor
    # Each network of an ensemble standardises with its own training clips: a corpus that it leaves out is then as new
    # to it as any other recording.
    own_normaliser = True

    def __init__(self, values: int, emotions: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(values))
        self.register_buffer("scale", torch.ones(values))
        self.embed = nn.Sequential(nn.Dropout(dropout), nn.Linear(values, EMBEDDING), nn.GELU())
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(EMBEDDING, emotions))
        self.embedding = EMBEDDING
        self.reference_values = values

    def statistics(self, features: Features) -> Tensor:
        """The statistics of each clip, `(batch, values)`."""
        raise NotImplementedError

    @torch.no_grad()
    def fit(self, training: list[Features]) -> None:
        """Set mean and scale to those of the training clips."""
        statistics = torch.cat([self.statistics(features) for features in training])
        self.mean.copy_(statistics.mean(0))
        self.scale.copy_(statistics.std(0).clamp(min=MIN_SCALE))

    def inputs(self, features: Features) -> tuple[Tensor, ...]:
        """Statistics `(batch, values)`, and the weight of the references that were subtracted, 0, `(batch, 1)`."""
        statistics = self.statistics(features)
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
