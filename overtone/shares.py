"""Shares of the emotions in speech, estimated from predictions and from how often the model confuses the emotions.

A model that takes a third of sad speech for neutral understates the share of sad in every recording. This module is a
quantifier: it estimates the true shares, with an interval.

The observed shares are the true ones times the error rates of the model (González et al. 2017, "A review on
quantification learning", sections 3 and 4). The error rates for the speaker at hand are unknown; known are those for
other groups of recordings, such as corpora that the model was not trained on. So they are drawn: a group at random,
then rows of a Dirichlet distribution around the rates of this group. Each draw comes with true shares from a prior, and
is weighted by the probability of the observed predictions: importance sampling of the posterior of the true shares
(Ziegler and Czyż 2024, "Bayesian quantification with black-box estimators", with a hierarchy of error rates).

Segments of one speaker are not independent, and the rates of no group are exactly those of the speaker, so that this
posterior is too narrow. Therefore n segments count as n m / (n + m) independent ones (Miller and Dunson 2019, "Robust
Bayesian inference via coarsening"). `overtone.evaluation.error_rates` chooses m such that the intervals cover the true
shares of groups that are left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from overtone.datatypes import FloatArray, require
from overtone.equality import EqualByValue

LEVEL = 0.9  # of the intervals
DRAWS = 20_000
CONCENTRATION = 10.0  # of the Dirichlet distribution of the rows of error rates around those of their group
PRIORS = (0.3, 1.0)  # concentrations of the true shares: few emotions, and any mixture
SMALLEST = 1e-4  # probability of a prediction that the error rates exclude
MAX_CLASSES = 12  # with more, the draws fill the space of shares too thinly
SEED = 0


@dataclass(frozen=True)
class ShareEstimate:
    """An estimated share of the time, in [0, 1], and the bounds of its 90 % interval, in whole per cent."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{100 * self.value:.0f} % [{100 * self.low:.0f}, {100 * self.high:.0f}]"


@dataclass(frozen=True, eq=False)
class ErrorRates(EqualByValue):
    """How often a model predicts each emotion where another one is true, in several groups of recordings.

    Attributes:
        rates: float `(groups, emotions, emotions)`, rows = truth, columns = prediction; each row sums to 1.
        equivalent_segments: number of independent segments that many segments of a speaker are worth.
    """

    rates: FloatArray
    equivalent_segments: float

    def __post_init__(self) -> None:
        shape = self.rates.shape
        is_square = len(shape) == 3 and shape[0] > 0 and shape[1] == shape[2]
        require(is_square, self, "rates (groups, emotions, emotions)", shape)
        sums = self.rates.sum(2)
        is_distribution = bool((self.rates >= 0).all() and np.allclose(sums, 1, atol=1e-2))
        require(is_distribution, self, "rows of rates that sum to 1", sums)
        require(self.equivalent_segments > 0, self, "equivalent_segments > 0", self.equivalent_segments)

    def independent_segments(self, segments: float) -> float:
        """Return the number of independent segments that a number of segments of one speaker counts as."""
        return segments * self.equivalent_segments / (segments + self.equivalent_segments)


class ShareEstimator:
    """Observed shares -> estimates of the true shares.

    Args:
        rates: of `ErrorRates`.
    """

    def __init__(self, rates: FloatArray) -> None:
        self._shares, confusions = _draw(rates, np.random.default_rng(SEED))
        observed = np.einsum("sk,skj->sj", self._shares, confusions)
        self._log_observed = np.log(np.maximum(observed, SMALLEST))
        self._order = np.argsort(self._shares, axis=0)

    def estimate(self, observed: FloatArray, segments: float) -> tuple[ShareEstimate, ...]:
        """Return an estimate per emotion.

        Args:
            observed: `(emotions,)`, share of the time that each emotion is predicted in, with a sum of 1.
            segments: number of independent segments, as `ErrorRates.independent_segments` returns it.
        """
        log_weights = self._log_observed @ observed * segments
        weights = np.exp(log_weights - log_weights.max())
        weights /= weights.sum()
        bounds = [_bounds(self._shares[order, emotion], weights[order]) for emotion, order in enumerate(self._order.T)]
        means = (weights @ self._shares).tolist()
        return tuple(ShareEstimate(value, *bound) for value, bound in zip(means, bounds, strict=True))


def effective_segments(durations_s: Sequence[float]) -> float:
    """Return the number of segments of equal duration that estimate a share as precisely as these; 0 for none.

    Source: Kish (1965), "Survey Sampling", section 11.7.
    """
    durations = np.asarray(durations_s, float)
    return float(durations.sum() ** 2 / (durations**2).sum()) if len(durations) else 0.0


def mix(first: ErrorRates, second: ErrorRates, share: float) -> ErrorRates:
    """Return the error rates of predictions of which a share is of the first kind, and the rest of the second.

    Args:
        first: the error rates of one kind of predictions, such as adapted ones.
        second: those of the other kind, in the same groups.
        share: in [0, 1].
    """
    if share >= 1 or share <= 0:
        return first if share >= 1 else second
    fewest = min(first.equivalent_segments, second.equivalent_segments)
    return ErrorRates(share * first.rates + (1 - share) * second.rates, fewest)


def _draw(rates: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return true shares `(draws, emotions)` and error rates `(draws, emotions, emotions)`."""
    group = rng.integers(len(rates), size=DRAWS)
    rows = rng.gamma(np.maximum(CONCENTRATION * rates[group], 1e-3))
    shares = rng.gamma(np.repeat(rng.choice(PRIORS, size=(DRAWS, 1)), rates.shape[1], axis=1)) + 1e-12
    return shares / shares.sum(1, keepdims=True), rows / np.maximum(rows.sum(2, keepdims=True), 1e-12)


def _bounds(shares: FloatArray, weights: FloatArray) -> tuple[float, float]:
    """Return the bounds of the central interval of sorted shares, rounded outwards to whole per cent."""
    cumulative = np.cumsum(weights)
    positions = np.searchsorted(cumulative, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    low, high = shares[np.minimum(positions, len(shares) - 1)].tolist()
    return float(np.floor(100 * low)) / 100, float(np.ceil(100 * high)) / 100
