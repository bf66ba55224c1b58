"""Calibration: how well the confidence of predictions matches their accuracy, and a temperature that corrects it.

A model is calibrated if, for example, 80 % of its predictions with a confidence of 0.8 are correct.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from overtone.datatypes import BoolArray, FloatArray, IntArray, OofPredictions, StrArray
from overtone.errors import InputError, MissingExtraError

BINS = 15  # of equal width, the most common choice
UNCERTAIN_BELOW = 0.5  # a calibrated prediction below one half is more likely wrong than correct
# A prediction is certain from the confidence on at which this share of the predictions of single networks is correct,
# on corpora that they were not trained on. Their ensemble is more precise: on unseen corpora, about four in five.
PRECISION_OF_CERTAIN = 0.75
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0  # a temperature beyond these bounds indicates a broken model


@dataclass(frozen=True)
class Reliability:
    """The accuracy of predictions as a function of their confidence (a reliability diagram).

    Attributes:
        edges: edges of the confidence bins `(bins + 1,)`, from 0 to 1.
        count: number of predictions per bin, int `(bins,)`.
        confidence: mean confidence per bin `(bins,)`, NaN for an empty bin.
        accuracy: share of correct predictions per bin `(bins,)`, NaN for an empty bin.
    """

    edges: FloatArray
    count: IntArray
    confidence: FloatArray
    accuracy: FloatArray

    @property
    def ece(self) -> float:
        """Expected calibration error in [0, 1]: mean |confidence - accuracy|, weighted by the count of each bin.

        Source: Guo et al. (2017), "On calibration of modern neural networks".
        """
        return float(np.nansum(self.count * np.abs(self.confidence - self.accuracy)) / self.count.sum())


def reliability(predictions: OofPredictions, bins: int = BINS) -> Reliability:
    """Return the reliability of all predictions together.

    Args:
        predictions: at least one prediction.
        bins: number of bins of equal width; an edge belongs to the bin below it.
    """
    confidence, correct = _confidence_and_correct(predictions)
    edges = np.linspace(0, 1, bins + 1)
    bin_of = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    count = np.bincount(bin_of, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = (np.bincount(bin_of, values, bins) / count for values in (confidence, correct))
        return Reliability(edges, count, *means)


def brier(predictions: OofPredictions) -> float:
    """Return the Brier score in [0, 2]: mean squared distance of probabilities and truth, summed over the emotions.

    Source: Brier (1950), "Verification of forecasts expressed in terms of probability".
    """
    truth = np.array(predictions.emotions) == predictions.truth[:, None]
    return float(((predictions.probabilities - truth) ** 2).sum(axis=1).mean())


def risk_coverage(predictions: OofPredictions) -> tuple[FloatArray, FloatArray]:
    """Return the risk-coverage curve, from the most confident prediction to all predictions.

    Source: El-Yaniv and Wiener (2010), "On the foundations of noise-free selective classification".

    Returns:
        Coverage (share of predictions at or above a confidence threshold) and risk (share of these that are wrong),
        each `(thresholds,)` with one point per distinct confidence.
    """
    confidence, correct = _confidence_and_correct(predictions)
    order = np.argsort(-confidence, kind="stable")
    accepted = np.arange(1, len(order) + 1)
    last = np.append(np.diff(confidence[order]) != 0, True)  # equal confidences share one point
    return (accepted / len(order))[last], (np.cumsum(1 - correct[order]) / accepted)[last]


def selective_accuracy(predictions: OofPredictions, confidence: float) -> tuple[float, float]:
    """Return the share of predictions with at least this confidence, and their accuracy; NaN if there are none."""
    confidences, correct = _confidence_and_correct(predictions)
    accepted = confidences >= confidence
    return float(accepted.mean()), float(correct[accepted].mean()) if accepted.any() else float("nan")


@dataclass(frozen=True)
class ConfidenceScores:
    """How reliable the confidence of predictions is; a prediction is sure if it is not uncertain.

    Attributes:
        sure_and_wrong: share of all predictions that are sure and wrong, in [0, 1].
        right_if_sure: share of the sure predictions that are right, in [0, 1]; NaN if none is sure.
        ece: expected calibration error, in [0, 1].
    """

    sure_and_wrong: float
    right_if_sure: float
    ece: float


def confidence_scores(predictions: OofPredictions, uncertain_below: float) -> ConfidenceScores:
    """Return what the confidence of predictions is worth.

    Args:
        predictions: at least one prediction.
        uncertain_below: confidence below which a prediction is uncertain, in [0, 1].
    """
    coverage, accuracy = selective_accuracy(predictions, uncertain_below)
    wrong = coverage * (1 - accuracy) if coverage else 0.0
    return ConfidenceScores(wrong, accuracy, reliability(predictions).ece)


def fit_temperature(logits: FloatArray, truth: IntArray) -> float:
    """Return the temperature, a divisor of the logits, that minimises the negative log-likelihood of these clips.

    It changes the confidence of predictions, but not the predicted emotions.

    Source: Guo et al. (2017).

    Args:
        logits: `(clips, emotions)`, of clips by speakers outside the training set.
        truth: index of the true emotion of each clip, int `(clips,)`.

    Raises:
        InputError: there are no clips.
        MissingExtraError: scipy is not installed.
    """
    optimize, special = _scipy()
    _check_clips(truth)
    rows = np.arange(len(truth))

    def negative_log_likelihood(log_temperature: float) -> float:
        return -float(special.log_softmax(logits / np.exp(log_temperature), axis=1)[rows, truth].mean())

    bounds = (np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE))
    optimum = optimize.minimize_scalar(negative_log_likelihood, bounds=bounds, method="bounded")
    return float(np.exp(optimum.x))


def fit_product_weights(log_probabilities: FloatArray, truth: IntArray) -> FloatArray:
    """Return the weights of the normalised product of several classifiers that minimise the negative log-likelihood.

    Args:
        log_probabilities: `(classifiers, clips, emotions)`.
        truth: index of the true emotion of each clip, int `(clips,)`.

    Returns:
        `(classifiers,)`, each at least 0.

    Raises:
        InputError: there are no clips.
        MissingExtraError: scipy is not installed.
    """
    optimize, special = _scipy()
    _check_clips(truth)
    classifiers, rows = len(log_probabilities), np.arange(len(truth))

    def loss_and_gradient(weights: FloatArray) -> tuple[float, FloatArray]:
        log_product = special.log_softmax(np.tensordot(weights, log_probabilities, 1), axis=1)
        error = np.exp(log_product)
        error[rows, truth] -= 1
        return -float(log_product[rows, truth].mean()), (log_probabilities * error).sum((1, 2)) / len(truth)

    start = np.full(classifiers, 1 / classifiers)
    found = optimize.minimize(loss_and_gradient, start, jac=True, method="L-BFGS-B", bounds=[(0, None)] * classifiers)
    weights: FloatArray = found.x
    return weights


def _scipy() -> tuple[Any, Any]:
    """Return the modules `scipy.optimize` and `scipy.special`, which only training needs."""
    try:
        from scipy import optimize, special
    except ImportError as error:
        raise MissingExtraError("calibration needs scipy: pip install 'overtone[train]'") from error
    return optimize, special


def _check_clips(truth: IntArray) -> None:
    if not len(truth):
        raise InputError("calibration needs clips by speakers outside the training set, got none")


def fit_threshold(confidence: FloatArray, correct: BoolArray, groups: StrArray, precision: float) -> float:
    """Return the lowest confidence, in steps of 0.01, at and above which predictions are as precise as wanted.

    Args:
        confidence: of each prediction `(n,)`, in [0, 1].
        correct: whether it is correct, bool `(n,)`.
        groups: the group of each prediction, such as its corpus, str `(n,)`; the precision is the mean over the groups
            with predictions above the threshold.
        precision: wanted share of correct predictions, in [0, 1].

    Returns:
        The threshold; 1 if none is high enough.
    """
    for threshold in np.arange(0, 1, 0.01):
        above = confidence >= threshold
        shares = [correct[above & (groups == group)].mean() for group in np.unique(groups[above])]
        if shares and np.mean(shares) >= precision:
            return round(float(threshold), 2)
    return 1.0


def _confidence_and_correct(predictions: OofPredictions) -> tuple[FloatArray, FloatArray]:
    """Return the confidence of each prediction, and 1 if it is correct or else 0, each float `(n,)`."""
    best = predictions.probabilities.argmax(axis=1)
    correct = np.array(predictions.emotions)[best] == predictions.truth
    return predictions.probabilities.max(axis=1), correct.astype(float)
