"""Late fusion: the embeddings of all branches -> logits."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class LateFusion(nn.Module):
    """The embeddings of the branches, concatenated, through an MLP -> logits `(batch, emotions)`.

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

    def forward(self, *embeddings: Tensor) -> Tensor:
        """Logits.

        Args:
            embeddings: `(batch, width)` of each branch, in the order of the widths.
        """
        return self.layers(torch.cat(embeddings, dim=-1))
