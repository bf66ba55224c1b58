"""Cross-validated predictions -> what to expect of a fine-tuned model on other speakers, and what would improve it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from overtone.datatypes import OofPredictions, Scores, Utterance
from overtone.emotions import list_classes
from overtone.evaluation.metrics import SEED, score
from overtone.evaluation.speaker_folds import Folds

ENOUGH_SPEAKERS = 8  # with fewer, other speakers improve a model more than further clips of the same ones
# With fewer, the UAR on others was up to 20 points off, outside the interval: see `results/finetune.json`.
RELIABLE_SPEAKERS = 6
WEAK_MARGIN = 0.1  # a class is weak if its recall is this far below the mean of the classes
FEW_SHARE = 0.5  # a class has few clips if it has less than this share of the mean number of clips per class
MAX_LISTED = 5  # classes in a line


@dataclass(frozen=True)
class Expectation:
    """What to expect of a model on recordings like those that it was trained on.

    Attributes:
        scores: of the left-out clips.
        chance: UAR of a model that always predicts the same class, in [0, 1].
        speakers: number of speakers that were left out, each at its turn.
        most_frequent: the class that most of the left-out clips have.
        share: the share of these clips, in [0, 1].
        folds: how the clips were left out.
        advice: what would improve the model most, best first.
    """

    scores: Scores
    chance: float
    speakers: int
    most_frequent: str
    share: float
    folds: Folds
    advice: tuple[str, ...]

    @property
    def no_better_than_chance(self) -> bool:
        """Whether the interval of the UAR includes that of a model that always predicts the most frequent class."""
        return self.scores.uar.low <= self.chance

    @property
    def measured_on(self) -> str:
        """What the left-out clips are, for a sentence."""
        if self.folds.same_speakers:
            return "other clips of the same speakers"
        return "other speakers"

    def lines(self) -> list[str]:
        """The expectation as text, a line per statement."""
        scores = self.scores
        lines = [
            f"expect on {self.measured_on}, recorded likewise: UAR {scores.uar} per cent, accuracy {scores.wa} "
            f"(cross-validated on {scores.n} clips; 95 % interval over {scores.interval_over})",
            f"always predicting '{self.most_frequent}', the most frequent class: UAR {100 * self.chance:.1f} per cent, "
            f"accuracy {100 * self.share:.1f}",
        ]
        if self.no_better_than_chance:
            lines.append(f"the model is no better than always predicting '{self.most_frequent}': do not rely on it")
        if self.folds.same_speakers:
            lines.append(f"nothing is known about other speakers: {self.folds.same_speakers}; expect less of strangers")
        elif self.speakers < RELIABLE_SPEAKERS:
            lines.append(f"measured on {self.speakers} speakers only: others may differ by more than the interval says")
        if self.folds.unmeasured:
            names = list_classes(self.folds.unmeasured, MAX_LISTED)
            lines.append(f"not measured, as too few speakers have these classes: {names}")
        return [*lines, f"recall: {_recalls(scores)}", *(f"to improve it: {text}" for text in self.advice)]


def expectation(predictions: OofPredictions, utterances: Sequence[Utterance], folds: Folds) -> Expectation:
    """What to expect of a model.

    Args:
        predictions: of the left-out clips, each by networks that were not trained on it.
        utterances: all clips.
        folds: of these clips.
    """
    scores = score(predictions, np.random.default_rng(SEED))
    counts = Counter(predictions.truth.tolist())
    most_frequent, count = counts.most_common(1)[0]
    chance, share = 1 / len(counts), count / len(predictions)
    speakers = len({*zip(predictions.corpus.tolist(), predictions.speaker.tolist(), strict=True)})
    return Expectation(scores, chance, speakers, most_frequent, share, folds, tuple(_advice(scores, utterances, folds)))


def _recalls(scores: Scores) -> str:
    """The recall of every class in per cent, from the worst on; of many classes, only that of the worst."""
    recalls = sorted((row.recall, name) for name, row in scores.classes.items() if row.support)
    listed = ", ".join(f"{name} {100 * recall:.0f}" for recall, name in recalls[: 2 * MAX_LISTED])
    more = f" and {len(recalls) - 2 * MAX_LISTED} more" if len(recalls) > 2 * MAX_LISTED else ""
    return f"{listed}{more} (per cent of the clips of a class that are recognised)"


def _advice(scores: Scores, utterances: Sequence[Utterance], folds: Folds) -> list[str]:
    counts = Counter(utterance.emotion for utterance in utterances)
    speakers = len({(utterance.corpus, utterance.speaker) for utterance in utterances})
    advice = []
    if folds.same_speakers:
        advice.append("name the speakers, and add clips of other ones; only then can it be measured on strangers")
    elif speakers < ENOUGH_SPEAKERS:
        advice.append(f"more speakers: {speakers} are few, and further ones help more than further clips of these")
    if folds.unmeasured:
        advice.append(f"clips by more speakers of: {list_classes(folds.unmeasured, MAX_LISTED)}")
    mean = len(utterances) / len(counts)
    few = [name for name in counts if counts[name] < FEW_SHARE * mean]
    advice += [f"more clips of '{name}': {counts[name]} of {len(utterances)}" for name in few[:MAX_LISTED]]
    advice += [text for name, text in _weak_classes(scores) if name not in few]
    return advice or ["more clips of every class, by other speakers"]


def _weak_classes(scores: Scores) -> list[tuple[str, str]]:
    """Each class that is recognised worse than the others, worst first, and what it is mistaken for."""
    limit = scores.uar.value - WEAK_MARGIN
    weak = sorted((row.recall, name) for name, row in scores.classes.items() if row.support and row.recall < limit)
    lines = []
    for recall, name in weak[:MAX_LISTED]:
        mistakes = scores.confusion[scores.emotions.index(name)].copy()
        mistakes[scores.emotions.index(name)] = 0
        other = scores.emotions[int(mistakes.argmax())]
        lines.append(
            (name, f"more clips of '{name}': {100 * recall:.0f} per cent recognised, most others taken for '{other}'")
        )
    return lines
