"""Utterances -> training targets, and the loss of logits against them."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from overtone.datatypes import Utterance

DISALLOWED = -1e4  # a logit that gets no probability


class Targets(NamedTuple):
    """The targets of a set of clips.

    Attributes:
        truth: position of each clip's emotion, int64 `(clips,)`.
        allowed: emotions among the classes of each clip's corpus, bool `(clips, emotions)`; True at the truth.
        soft_labels: target probability of each emotion, float32 `(clips, emotions)`, rows summing to 1; None for
            one-hot targets.
    """

    truth: Tensor
    allowed: Tensor
    soft_labels: Tensor | None = None

    def at(self, positions: Tensor) -> "Targets":
        """The targets of the clips at these positions, int64 `(some clips,)`."""
        soft_labels = None if self.soft_labels is None else self.soft_labels[positions]
        return Targets(self.truth[positions], self.allowed[positions], soft_labels)

    def to(self, device: str) -> "Targets":
        """The same targets on another device."""
        soft_labels = None if self.soft_labels is None else self.soft_labels.to(device)
        return Targets(self.truth.to(device), self.allowed.to(device), soft_labels)

    def probabilities(self) -> Tensor:
        """Target probability of each emotion, float32 `(clips, emotions)`."""
        if self.soft_labels is not None:
            return self.soft_labels
        return functional.one_hot(self.truth, self.allowed.shape[-1]).float()

    def distilled(self, positions: Sequence[int], logits: Tensor, weight: float) -> "Targets":
        """The targets mixed with the predictions of a teacher.

        Source: Hinton et al. (2015), "Distilling the knowledge in a neural network".

        Args:
            positions: of the clips that the teacher has predicted.
            logits: of the teacher, `(predicted clips, emotions)`.
            weight: of the teacher in the targets, in [0, 1].
        """
        mixed, clips = self.probabilities().clone(), torch.tensor(positions)
        teacher = self.at(clips).mask_disallowed(logits).softmax(-1)
        mixed[clips] = (1 - weight) * mixed[clips] + weight * teacher
        return self._replace(soft_labels=mixed)

    def mask_disallowed(self, logits: Tensor) -> Tensor:
        """Logits `(clips, emotions)` that leave no probability to emotions outside a clip's corpus."""
        return logits.masked_fill(~self.allowed, DISALLOWED)


def make_targets(utterances: Sequence[Utterance], emotions: Sequence[str]) -> Targets:
    """The targets of labelled clips; the emotions allowed for a clip are those of its corpus.

    A corpus without calm clips carries no information on calm: its angry clips are not examples of "not calm".

    Args:
        utterances: the labelled clips.
        emotions: the classes, in the order of the logits; they include the emotion of every clip.
    """
    labels = [emotions.index(utterance.emotion) for utterance in utterances]
    classes: defaultdict[str, set[int]] = defaultdict(set)
    for utterance, label in zip(utterances, labels, strict=True):
        classes[utterance.corpus].add(label)
    rows = {corpus: torch.tensor([k in present for k in range(len(emotions))]) for corpus, present in classes.items()}
    return Targets(torch.tensor(labels), torch.stack([rows[utterance.corpus] for utterance in utterances]))


def mean_recall(predicted: Tensor, truth: Tensor) -> float:
    """UAR: the recall of each class that occurs in the truth, averaged over these classes; in [0, 1].

    Args:
        predicted: position of the emotion predicted for each clip, int64 `(clips,)`.
        truth: position of its emotion, int64 `(clips,)`.
    """
    recalls = [(predicted[truth == label] == label).float().mean() for label in truth.unique()]
    return torch.stack(recalls).mean().item()


def smoothed_cross_entropy(logits: Tensor, targets: Targets, smoothing: float) -> Tensor:
    """Mean cross entropy over the allowed emotions of each clip; the others get no gradient.

    Args:
        logits: `(clips, emotions)`.
        targets: of the same clips.
        smoothing: share of the target that is spread evenly over the allowed emotions.
    """
    log_probabilities = targets.mask_disallowed(logits).log_softmax(-1)
    uniform = targets.allowed / targets.allowed.sum(-1, keepdim=True)
    smoothed = smoothing * uniform + (1 - smoothing) * targets.probabilities()
    return -(smoothed * log_probabilities).sum(-1).mean()
