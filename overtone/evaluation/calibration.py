"""Truth and probabilities -> how far the probabilities can be taken at their word, and what mends them.

A model is calibrated where, of all answers it gives with a confidence of 0.8, eight in ten are right.
"""

from dataclasses import dataclass

import numpy as np

from overtone.datatypes import OofPredictions
from overtone.errors import InputError, MissingExtraError

BINS = 15  # of equal width, as most reports have it
UNCERTAIN_BELOW = 0.5  # with calibrated probabilities, an answer below one half is more likely wrong than right
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0  # temperatures beyond are no calibration but a broken model


@dataclass(frozen=True)
class Reliability:
    """How often answers were right, by the confidence they were given with.

    Attributes:
        edges: of the bins of confidence `(bins + 1,)`, from 0 to 1.
        count: answers in each bin, int `(bins,)`.
        confidence: their mean confidence `(bins,)`, NaN where there is none.
        accuracy: the share that was right `(bins,)`, NaN where there is none.
    """

    edges: np.ndarray
    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def ece(self) -> float:
        """Expected calibration error in [0, 1]: mean distance of confidence and accuracy, weighted by answers.

        Source: Guo et al. (2017), "On calibration of modern neural networks".
        """
        return float(np.nansum(self.count * np.abs(self.confidence - self.accuracy)) / self.count.sum())


def reliability(predictions: OofPredictions, bins: int = BINS) -> Reliability:
    """The reliability of all answers together.

    Args:
        predictions: at least one.
        bins: number of bins of equal width; an edge belongs to the bin below it.
    """
    confidence, right = _answers(predictions)
    edges = np.linspace(0, 1, bins + 1)
    of = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    count = np.bincount(of, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = (np.bincount(of, values, bins) / count for values in (confidence, right))
        return Reliability(edges, count, *means)


def brier(predictions: OofPredictions) -> float:
    """Mean squared distance of probabilities and truth, summed over the emotions; in [0, 2].

    Source: Brier (1950), "Verification of forecasts expressed in terms of probability".
    """
    truth = np.array(predictions.emotions) == predictions.truth[:, None]
    return float(((predictions.probabilities - truth) ** 2).sum(axis=1).mean())


def risk_coverage(predictions: OofPredictions) -> tuple[np.ndarray, np.ndarray]:
    """Share of clips answered and share of those answers that are wrong, from the surest answer to all of them.

    Source: El-Yaniv and Wiener (2010), "On the foundations of noise-free selective classification".

    Returns:
        coverage and risk, each `(thresholds,)` with a point per different confidence.
    """
    confidence, right = _answers(predictions)
    order = np.argsort(-confidence, kind="stable")
    answered = np.arange(1, len(order) + 1)
    last = np.append(np.diff(confidence[order]) != 0, True)  # equal confidences are answered together
    return (answered / len(order))[last], (np.cumsum(1 - right[order]) / answered)[last]


def selective_accuracy(predictions: OofPredictions, confidence: float) -> tuple[float, float]:
    """Share of answers that have at least this confidence, and the share of those that is right; NaN where none has."""
    confidences, right = _answers(predictions)
    sure = confidences >= confidence
    return float(sure.mean()), float(right[sure].mean()) if sure.any() else float("nan")


def fit_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """The number to divide logits by, so that the probabilities fit these clips best.

    It changes no answer, only how sure it is.

    Source: Guo et al. (2017).

    Args:
        logits: `(clips, emotions)`, of clips of other speakers than those learned from.
        truth: position of each clip's emotion, int `(clips,)`.

    Raises:
        InputError: no clip.
        MissingExtraError: scipy is not installed.
    """
    try:
        from scipy.optimize import minimize_scalar
        from scipy.special import log_softmax
    except ImportError as error:
        raise MissingExtraError("calibration needs scipy: pip install 'overtone[train]'") from error
    if not len(truth):
        raise InputError("calibration needs clips of speakers that were not learned from, got none")
    rows = np.arange(len(truth))

    def surprise(log_temperature: float) -> float:
        return -float(log_softmax(logits / np.exp(log_temperature), axis=1)[rows, truth].mean())

    found = minimize_scalar(surprise, bounds=(np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE)), method="bounded")
    return float(np.exp(found.x))


def _answers(predictions: OofPredictions) -> tuple[np.ndarray, np.ndarray]:
    """Confidence of each answer and 1 where it is right, each float `(n,)`."""
    best = predictions.probabilities.argmax(axis=1)
    right = np.array(predictions.emotions)[best] == predictions.truth
    return predictions.probabilities.max(axis=1), right.astype(float)
