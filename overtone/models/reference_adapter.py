"""Reference adapter: weighs predictions without and with reference clips of the same speaker or recording.

Subtracting the mean of reference clips removes voice, room and microphone; but if the reference clips are all of one
emotion, it removes this emotion as well. The adapter takes the number of reference clips and the mean of their
probabilities without a reference, and weighs the prediction without reference, the prediction with it, and that mean
accordingly.
"""

import math

import torch
from torch import Tensor, nn

from overtone.models.statistics_mlp import PRIOR_CLIPS

EXPERTS = 3
CONDITIONS = 3
MIN_CLIPS = 3  # fewer reference clips are too few: on unseen corpora, a single one cost three points of UAR
SMALLEST = 1e-6  # smaller probabilities count as this one, so that no logarithm dominates
WEIGHTS = "adapter.expert_weights"


def conditions(reference_probabilities: Tensor, clips: Tensor) -> Tensor:
    """What the weights of the experts depend on, `(batch, CONDITIONS)`: 1, reliability, and reliability x evenness.

    Args:
        reference_probabilities: mean of the probabilities of the reference clips `(batch, emotions)`.
        clips: number of reference clips `(batch,)`.
    """
    reliability = clips / (clips + PRIOR_CLIPS)
    probabilities = reference_probabilities.clamp(min=SMALLEST)
    entropy = -(probabilities * probabilities.log()).sum(-1) / math.log(probabilities.shape[-1])
    return torch.stack([torch.ones_like(reliability), reliability, reliability * entropy], dim=-1)


def experts(probabilities: Tensor, referring: Tensor, reference_probabilities: Tensor) -> Tensor:
    """Logarithms of the predictions without and with a reference, and of the mean of the references.

    Args:
        probabilities: without a reference `(batch, emotions)`.
        referring: with the reference `(batch, emotions)`.
        reference_probabilities: mean of the probabilities of the reference clips `(batch, emotions)`.

    Returns:
        `(batch, EXPERTS, emotions)`.
    """
    return torch.stack([probabilities, referring, reference_probabilities], dim=1).clamp(min=SMALLEST).log()


class ReferenceAdapter(nn.Module):
    """Predictions without and with a reference -> adapted logits: a product of experts, weighted by the reference set.

    The weights are fitted on clips of corpora that the networks were not trained on, with reference sets of any make-up
    (`overtone.training.fit_reference_adapter`).

    Args:
        values: number of values whose mean over the reference clips the branches take.
        emotions: number of classes.
    """

    expert_weights: Tensor

    def __init__(self, values: int, emotions: int) -> None:
        super().__init__()
        self.values, self.emotions = values, emotions
        self.register_buffer("expert_weights", torch.zeros(EXPERTS, CONDITIONS))
        self.expert_weights[0, 0] = 1.0

    def forward(
        self, probabilities: Tensor, referring: Tensor, reference_probabilities: Tensor, clips: Tensor
    ) -> Tensor:
        """Logits `(batch, emotions)`; with fewer than `MIN_CLIPS`, the log probabilities without a reference.

        Args:
            probabilities: without a reference `(batch, emotions)`.
            referring: with the reference `(batch, emotions)`.
            reference_probabilities: mean of the probabilities of the reference clips `(batch or 1, emotions)`.
            clips: number of reference clips `(batch or 1,)`.
        """
        mean = reference_probabilities.expand_as(probabilities)
        log_probabilities = experts(probabilities, referring, mean)
        weights = conditions(mean, clips.expand(len(mean))) @ self.expert_weights.T  # (batch, EXPERTS)
        adapted = (weights[..., None] * log_probabilities).sum(1)
        return torch.where((clips >= MIN_CLIPS)[:, None], adapted, log_probabilities[:, 0])

    def example_statistics(self) -> Tensor:
        """Statistics of a made-up reference set, to check an exported graph with: `(2, values + emotions)`."""
        mean = torch.cat([torch.linspace(-1, 1, self.values), torch.full((self.emotions,), 1 / self.emotions)])
        return torch.stack([mean, torch.ones_like(mean)])
