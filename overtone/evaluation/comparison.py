"""Paired comparison of two or more models on the same clips: scores, tests of each pair, and what each gets wrong.

Speakers are the unit of the intervals and of the test of UAR; McNemar's test counts clips. Every bootstrap and every
test starts with the same seed, so that a result does not depend on which other models are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from overtone.datatypes import BoolArray, FloatArray, OofPredictions, Scores
from overtone.evaluation import metrics
from overtone.evaluation.alignment import Alignment, ModelPredictions, clips_of
from overtone.evaluation.calibration import reliability
from overtone.evaluation.oof_files import select


@dataclass(frozen=True)
class Confusion:
    """Clips of one class that a model predicts as another one.

    Attributes:
        truth: the true class.
        predicted: the predicted class.
        count: number of predictions.
        share: share of the predictions for clips of the true class, in [0, 1].
    """

    truth: str
    predicted: str
    count: int
    share: float


@dataclass(frozen=True)
class ModelResult:
    """The results of one model.

    Attributes:
        name: name of the model.
        scores: UAR, WA and macro-F1 with 95 % intervals, and the scores of each class.
        ece: expected calibration error, in [0, 1].
        sure: share of predictions that are sure (not uncertain), in [0, 1].
        sure_and_wrong: share of predictions that are sure and wrong, in [0, 1].
        uncertain_below: lowest and highest confidence below which predictions are uncertain.
        confusions: its confusions, the most frequent first.
    """

    name: str
    scores: Scores
    ece: float
    sure: float
    sure_and_wrong: float
    uncertain_below: tuple[float, float]
    confusions: tuple[Confusion, ...]


@dataclass(frozen=True)
class PairResult:
    """The comparison of two models; differences are first minus second.

    Attributes:
        first, second: names of the models.
        uar: difference of the UAR with its 95 % interval, and the p value of the permutation test over speakers.
        p_holm: that p value, adjusted for the number of pairs.
        only_first_correct, only_second_correct: numbers of clips that one model alone predicts correctly.
        mcnemar_p: p value of McNemar's exact test on these numbers.
        mcnemar_p_holm: that p value, adjusted for the number of pairs.
        recall_differences: emotion -> difference of the recall, the greatest absolute one first.
    """

    first: str
    second: str
    uar: metrics.Comparison
    p_holm: float
    only_first_correct: int
    only_second_correct: int
    mcnemar_p: float
    mcnemar_p_holm: float
    recall_differences: dict[str, float]


@dataclass(frozen=True)
class ComparisonResult:
    """The comparison of all models.

    Attributes:
        emotions: the classes.
        clips, speakers: numbers of clips and known speakers compared.
        mean_of_folds: whether scores are means of the scores of the folds.
        models: the results of each model, in the order given.
        pairs: the comparison of every two models.
        left_out: reason -> number of clips left out for it.
        dropped_classes: name of a model -> its classes that not all models have.
    """

    emotions: tuple[str, ...]
    clips: int
    speakers: int
    mean_of_folds: bool
    models: tuple[ModelResult, ...]
    pairs: tuple[PairResult, ...]
    left_out: dict[str, int]
    dropped_classes: dict[str, tuple[str, ...]]


def compare(alignment: Alignment, *, mean_of_folds: bool = False, seed: int = metrics.SEED) -> ComparisonResult:
    """Return the comparison of every two models.

    Args:
        alignment: the models, on the same clips.
        mean_of_folds: whether scores are means of the scores of the folds (`Protocol.mean_of_folds`).
        seed: of bootstrap and permutations.
    """
    results = {model.name: model_result(model, mean_of_folds=mean_of_folds, seed=seed) for model in alignment.models}
    pairs = [_pair_result(one, other, results, mean_of_folds, seed) for one, other in combinations(alignment.models, 2)]
    adjusted = holm([pair.uar.p for pair in pairs])
    mcnemar_adjusted = holm([pair.mcnemar_p for pair in pairs])
    scores = next(iter(results.values())).scores
    return ComparisonResult(
        emotions=scores.emotions,
        clips=scores.clips,
        speakers=scores.speakers,
        mean_of_folds=mean_of_folds,
        models=tuple(results.values()),
        pairs=tuple(
            replace(pair, p_holm=p, mcnemar_p_holm=mcnemar_p)
            for pair, p, mcnemar_p in zip(pairs, adjusted, mcnemar_adjusted, strict=True)
        ),
        left_out=alignment.left_out,
        dropped_classes=alignment.dropped_classes,
    )


def model_result(model: ModelPredictions, *, mean_of_folds: bool = False, seed: int = metrics.SEED) -> ModelResult:
    """Return the results of one model.

    Args:
        model: its predictions.
        mean_of_folds: whether scores, ECE and shares are means of those of the folds.
        seed: of the bootstrap.
    """
    table, rng = model.predictions, np.random.default_rng(seed)
    scores = metrics.score(table, rng, mean_of_folds=mean_of_folds)
    sure = table.probabilities.max(axis=1) >= model.uncertain_below
    wrong = ~_correct(table)
    folds = [table.fold == fold for fold in np.unique(table.fold)] if mean_of_folds else [np.full(len(table), True)]
    rates = [(reliability(select(table, rows)).ece, sure[rows].mean(), (sure & wrong)[rows].mean()) for rows in folds]
    ece, share, sure_and_wrong = np.mean(rates, axis=0).tolist()
    thresholds = (float(model.uncertain_below.min()), float(model.uncertain_below.max()))
    return ModelResult(model.name, scores, ece, share, sure_and_wrong, thresholds, confusions(scores))


def confusions(scores: Scores) -> tuple[Confusion, ...]:
    """Return the confusions of a model, the most frequent first."""
    counts = np.asarray(scores.confusion)
    found = [
        Confusion(truth, predicted, int(counts[i, k]), float(counts[i, k] / counts[i].sum()))
        for i, truth in enumerate(scores.emotions)
        for k, predicted in enumerate(scores.emotions)
        if i != k and counts[i, k] > 0
    ]
    return tuple(sorted(found, key=lambda confusion: -confusion.count))


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the two-sided p value of McNemar's exact test, in (0, 1].

    Source: McNemar (1947), "Note on the sampling error of the difference between correlated proportions or
    percentages", with the binomial distribution instead of its approximation.

    Args:
        only_first: number of clips that only the first model predicts correctly.
        only_second: number of clips that only the second model predicts correctly.
    """
    n, fewer = only_first + only_second, min(only_first, only_second)
    term = tail = 1  # binomial coefficients: whole numbers, so that no rounding error adds up
    for k in range(1, fewer + 1):
        term = term * (n - k + 1) // k
        tail += term
    p: float = 2 * tail / 2**n
    return min(1.0, p)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values adjusted for their number, in the same order, each at most 1.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure".
    """
    adjusted, highest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda index: p_values[index])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def _pair_result(
    first: ModelPredictions,
    second: ModelPredictions,
    results: dict[str, ModelResult],
    mean_of_folds: bool,
    seed: int,
) -> PairResult:
    """Return the comparison of two models, with p values that are not adjusted yet."""
    one, other = first.predictions, second.predictions
    difference = metrics.paired_test(one, other, np.random.default_rng(seed), mean_of_folds=mean_of_folds)
    first_correct, second_correct = (_correct_clips(table) for table in (one, other))
    only_first, only_second = int(np.sum(first_correct & ~second_correct)), int(np.sum(second_correct & ~first_correct))
    p = mcnemar(only_first, only_second)
    classes = [results[model.name].scores.classes for model in (first, second)]
    recalls = {
        emotion: classes[0][emotion].recall - classes[1][emotion].recall
        for emotion in one.emotions
        if classes[0][emotion].support
    }
    ordered = dict(sorted(recalls.items(), key=lambda item: -abs(item[1])))
    return PairResult(first.name, second.name, difference, difference.p, only_first, only_second, p, p, ordered)


def _correct(predictions: OofPredictions) -> BoolArray:
    """Return whether each prediction is correct, bool `(n,)`."""
    correct: BoolArray = np.array(predictions.emotions)[predictions.probabilities.argmax(axis=1)] == predictions.truth
    return correct


def _correct_clips(predictions: OofPredictions) -> BoolArray:
    """Return whether a model predicts each clip correctly, bool `(clips,)`: with more than half of its seeds."""
    clips = sorted(set(clips_of(predictions)))
    index_of = {clip: index for index, clip in enumerate(clips)}
    rows = np.array([index_of[clip] for clip in clips_of(predictions)])
    hits: FloatArray = np.bincount(rows, _correct(predictions)) / np.bincount(rows)
    return hits > 0.5
