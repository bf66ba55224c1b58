"""Late fusion: embeddings and logits of all branches -> logits. A recipe names one of `FUSIONS`.

A fusion is an `nn.Module` built from the widths of the embeddings, the number of emotions and the dropout; `forward`
takes the embeddings and the logits of the branches, `(batch, width)` and `(batch, emotions)` each, without gradient.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn


class MlpFusion(nn.Module):
    """The embeddings of the branches, concatenated, through an MLP -> logits `(batch, emotions)`.

    It is trained with the branches, on the same clips: it trusts a branch as far as that branch knows the training
    clips, which may be further than it knows those of other corpora.

    Args:
        embeddings: width of the embedding of each branch.
        emotions: number of classes.
        dropout: probability of dropping a unit before each dense layer.
        hidden: width of the hidden layer.
    """

    def __init__(self, embeddings: Sequence[int], emotions: int, dropout: float, hidden: int = 96) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(sum(embeddings), hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, emotions),
        )

    def forward(self, embeddings: Sequence[Tensor], logits: Sequence[Tensor]) -> Tensor:
        """Logits from the embeddings, in the order of the widths."""
        return self.layers(torch.cat(list(embeddings), dim=-1))


class WeightedFusion(nn.Module):
    """Weighted sum of the log probabilities of the branches -> logits: a product of experts.

    The weights are not trained with the branches but fitted on clips of speakers or corpora that the branches were not
    trained on (`overtone.training.fit_fusion`), so that each branch counts as far as it can be trusted there.

    Source: Hinton (2002), "Training products of experts by minimizing contrastive divergence".

    Args:
        embeddings: width of the embedding of each branch, for their number.
        emotions: number of classes; unused, as is the dropout: all fusions are built alike.
        dropout: unused.
    """

    weights: Tensor

    def __init__(self, embeddings: Sequence[int], emotions: int, dropout: float) -> None:
        super().__init__()
        self.register_buffer("weights", torch.full((len(embeddings),), 1 / len(embeddings)))

    def forward(self, embeddings: Sequence[Tensor], logits: Sequence[Tensor]) -> Tensor:
        """Logits from the logits of the branches."""
        return torch.stack(
            [weight * row.log_softmax(-1) for weight, row in zip(self.weights, logits, strict=True)]
        ).sum(0)


FUSIONS: dict[str, Callable[[Sequence[int], int, float], nn.Module]] = {"mlp": MlpFusion, "weighted": WeightedFusion}
