"""Shares are estimated from error rates, with intervals that cover the truth as often as they say."""

import numpy as np
import pytest

from overtone.errors import InputError
from overtone.shares import LEVEL, ErrorRates, ShareEstimate, ShareEstimator, effective_segments, mix

GOOD = np.array([[0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.05, 0.05, 0.9]])
SAD_AS_NEUTRAL = np.array([[0.9, 0.05, 0.05], [0.6, 0.35, 0.05], [0.05, 0.05, 0.9]])  # neutral, sad, angry


def values(estimates: tuple[ShareEstimate, ...]) -> np.ndarray:
    return np.array([estimate.value for estimate in estimates])


def test_estimates_sum_to_1_and_lie_in_their_intervals() -> None:
    estimates = ShareEstimator(np.array([GOOD])).estimate(np.array([0.5, 0.3, 0.2]), 40)
    assert values(estimates).sum() == pytest.approx(1)
    assert values(estimates) == pytest.approx([0.5, 0.3, 0.2], abs=0.1)
    for estimate in estimates:
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
        assert 100 * estimate.low == pytest.approx(round(100 * estimate.low))
    assert str(ShareEstimate(0.349, 0.1, 0.62)) == "35 % [10, 62]"


def test_an_emotion_that_is_taken_for_another_is_corrected_upwards() -> None:
    observed = np.array([0.65, 0.25, 0.1])
    plain, corrected = (
        values(ShareEstimator(np.array([rates])).estimate(observed, 60)) for rates in (GOOD, SAD_AS_NEUTRAL)
    )
    assert corrected[1] > plain[1] + 0.1
    assert corrected[0] < plain[0] - 0.1


def test_few_segments_and_groups_that_differ_widen_the_intervals() -> None:
    observed = np.array([0.5, 0.3, 0.2])

    def width(rates: list[np.ndarray], segments: float) -> float:
        estimates = ShareEstimator(np.array(rates)).estimate(observed, segments)
        return float(np.mean([estimate.high - estimate.low for estimate in estimates]))

    assert width([GOOD], 1) > width([GOOD], 10) > width([GOOD], 100)
    assert width([GOOD, SAD_AS_NEUTRAL], 100) > 1.2 * width([GOOD], 100)


def test_intervals_cover_the_shares_of_speakers_whose_errors_are_like_those_of_the_groups() -> None:
    rng = np.random.default_rng(5)
    estimator = ShareEstimator(np.array([GOOD, SAD_AS_NEUTRAL]))
    hits = []
    for _ in range(300):
        shares = rng.dirichlet(np.full(3, rng.choice([0.3, 1.0])))
        rows = [rng.dirichlet(10 * row) for row in (GOOD, SAD_AS_NEUTRAL)[rng.integers(2)]]
        observed = rng.multinomial(30, shares @ np.array(rows)) / 30
        found = estimator.estimate(observed, 30)
        hits += [item.low <= share <= item.high for item, share in zip(found, shares, strict=True)]
    assert np.mean(hits) == pytest.approx(LEVEL, abs=0.05)


def test_segments_count_less_the_more_there_are() -> None:
    rates = ErrorRates(np.array([GOOD]), 20)
    assert rates.independent_segments(20) == pytest.approx(10)
    assert rates.independent_segments(1e6) == pytest.approx(20, rel=1e-3)
    assert effective_segments([3, 3, 3, 3]) == pytest.approx(4)
    assert effective_segments([30, 0.1, 0.1]) == pytest.approx(1, abs=0.05)
    assert effective_segments([]) == 0


def test_rates_are_mixed_by_the_share_of_each_kind() -> None:
    first, second = ErrorRates(np.array([GOOD]), 20), ErrorRates(np.array([SAD_AS_NEUTRAL]), 8)
    assert mix(first, second, 1) == first
    assert mix(first, second, 0) == second
    mixed = mix(first, second, 0.25)
    assert mixed.rates[0, 1] == pytest.approx([0.4625, 0.4875, 0.05])
    assert mixed.equivalent_segments == 8


@pytest.mark.parametrize(
    ("rates", "segments"),
    [(np.eye(3), 5.0), (np.ones((1, 2, 3)) / 3, 5.0), (np.ones((1, 2, 2)), 5.0), (np.array([GOOD]), 0.0)],
)
def test_impossible_error_rates_are_rejected(rates: np.ndarray, segments: float) -> None:
    with pytest.raises(InputError, match="ErrorRates: expected"):
        ErrorRates(rates, segments)
