"""Embeddings of both branches -> one answer."""

import torch
from torch import Tensor, nn


class LateFusion(nn.Module):
    """Both embeddings, side by side, through a new MLP -> logits `(batch, emotions)`.

    Args:
        mel_embedding: width of the mel branch's embedding.
        prosody_embedding: width of the prosody branch's embedding.
        emotions: number of classes.
        dropout: share of units dropped before each dense layer.
        hidden: width of the hidden layer.
    """

    def __init__(
        self, mel_embedding: int, prosody_embedding: int, emotions: int, dropout: float, hidden: int = 96
    ) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(mel_embedding + prosody_embedding, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, emotions),
        )

    def forward(self, mel: Tensor, prosody: Tensor) -> Tensor:
        """Logits.

        Args:
            mel: `(batch, mel_embedding)`.
            prosody: `(batch, prosody_embedding)`.
        """
        return self.layers(torch.cat([mel, prosody], dim=-1))
