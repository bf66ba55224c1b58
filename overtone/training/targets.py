"""Utterances -> what a network should answer, and how far it is from that."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from overtone.datatypes import Utterance

IMPOSSIBLE = -1e4  # a logit that has no share


class Targets(NamedTuple):
    """What a network should answer.

    Attributes:
        truth: position of each clip's emotion, int64 `(clips,)`.
        possible: emotions that each clip could have had, bool `(clips, emotions)`; True at the truth.
        wanted: share of each emotion in the answer to learn, float32 `(clips, emotions)`, rows summing to 1; None where
            that is the truth alone.
    """

    truth: Tensor
    allowed: Tensor
    soft_labels: Tensor | None = None

    def at(self, positions: Tensor) -> "Targets":
        """Those of the clips at these positions, int64 `(some clips,)`."""
        wanted = None if self.soft_labels is None else self.soft_labels[positions]
        return Targets(self.truth[positions], self.allowed[positions], wanted)

    def to(self, device: str) -> "Targets":
        """The same on another device."""
        wanted = None if self.soft_labels is None else self.soft_labels.to(device)
        return Targets(self.truth.to(device), self.allowed.to(device), wanted)

    def shares(self) -> Tensor:
        """Share of each emotion in the answer to learn, float32 `(clips, emotions)`."""
        if self.soft_labels is not None:
            return self.soft_labels
        return functional.one_hot(self.truth, self.allowed.shape[-1]).float()

    def distilled(self, positions: Sequence[int], logits: Tensor, share: float) -> "Targets":
        """The same, with the answers of a teacher mixed into what is to learn.

        Source: Hinton et al. (2015), "Distilling the knowledge in a neural network".

        Args:
            positions: of the clips that the teacher has answered.
            logits: its answers `(clips answered, emotions)`.
            share: of the teacher in what is to learn, in [0, 1].
        """
        wanted, clips = self.shares().clone(), torch.tensor(positions)
        wanted[clips] = (1 - share) * wanted[clips] + share * self.at(clips).mask_disallowed(logits).softmax(-1)
        return self._replace(wanted=wanted)

    def mask_disallowed(self, logits: Tensor) -> Tensor:
        """Logits `(clips, emotions)` with nothing left for emotions that a clip could not have had."""
        return logits.masked_fill(~self.allowed, IMPOSSIBLE)


def make_targets(utterances: Sequence[Utterance], emotions: Sequence[str]) -> Targets:
    """The targets of labelled clips; a clip could have had every emotion of its corpus.

    A corpus without calm clips says nothing of calm: its angry clips are no examples of "not calm".

    Args:
        utterances: the labelled clips.
        emotions: the classes, in the order of the network's answers; every clip's is among them.
    """
    labels = [emotions.index(utterance.emotion) for utterance in utterances]
    known: defaultdict[str, set[int]] = defaultdict(set)
    for utterance, label in zip(utterances, labels, strict=True):
        known[utterance.corpus].add(label)
    rows = {corpus: torch.tensor([k in found for k in range(len(emotions))]) for corpus, found in known.items()}
    return Targets(torch.tensor(labels), torch.stack([rows[utterance.corpus] for utterance in utterances]))


def smoothed_cross_entropy(logits: Tensor, targets: Targets, smoothing: float) -> Tensor:
    """Mean cross entropy among the emotions that each clip could have had; the others get no gradient.

    Args:
        logits: `(clips, emotions)`.
        targets: of the same clips.
        smoothing: share of the target spread evenly over the possible emotions.
    """
    log_shares = targets.mask_disallowed(logits).log_softmax(-1)
    even = targets.allowed / targets.allowed.sum(-1, keepdim=True)
    wanted = smoothing * even + (1 - smoothing) * targets.shares()
    return -(wanted * log_shares).sum(-1).mean()
