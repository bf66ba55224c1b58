"""Calibration measures, on sampled predictions with a known reliability."""

import numpy as np
import pytest

from overtone.datatypes import OofPredictions
from overtone.errors import InputError
from overtone.evaluation.calibration import (
    brier,
    fit_temperature,
    fit_threshold,
    reliability,
    risk_coverage,
    selective_accuracy,
)

EMOTIONS = ("neutral", "sad", "angry")


def make_predictions(probabilities: np.ndarray, truth: np.ndarray) -> OofPredictions:
    n = len(truth)
    names = np.array([str(k) for k in range(n)])
    return OofPredictions(
        EMOTIONS,
        path=names,
        corpus=names,
        speaker=names,
        sentence=names,
        fold=names,
        seed=np.zeros(n, int),
        truth=np.array(EMOTIONS)[truth],
        probabilities=probabilities,
    )


def softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def sample(rng: np.random.Generator, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Return logits, and true classes sampled with exactly the probabilities of the logits."""
    logits = 2 * rng.standard_normal((n, len(EMOTIONS)))
    return logits, (softmax(logits).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)


def test_sampled_truth_is_calibrated(rng: np.random.Generator) -> None:
    logits, truth = sample(rng)
    result = reliability(make_predictions(softmax(logits), truth))
    assert result.ece < 0.015
    assert result.count.sum() == len(truth) and not result.count[:4].any(), (
        "the most probable of three classes has at least 1/3"
    )
    large = result.count > 500
    np.testing.assert_allclose(result.accuracy[large], result.confidence[large], atol=0.05)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_fitted_temperature_calibrates(rng: np.random.Generator, temperature: float) -> None:
    logits, truth = sample(rng)
    scaled = logits * temperature
    fitted = fit_temperature(scaled, truth)
    assert fitted == pytest.approx(temperature, rel=0.05)
    before, after = (make_predictions(softmax(values), truth) for values in (scaled, scaled / fitted))
    assert brier(after) <= brier(before) + 1e-6
    if temperature != 1:
        assert reliability(after).ece < 0.02 < 0.05 < reliability(before).ece


def test_reliability_of_a_small_example() -> None:
    probabilities = np.array([[0.9, 0.1, 0.0], [0.9, 0.1, 0.0], [0.2, 0.6, 0.2], [1.0, 0.0, 0.0]])
    result = reliability(make_predictions(probabilities, np.array([0, 1, 1, 0])), bins=5)
    assert result.count.tolist() == [0, 0, 1, 0, 3]
    assert result.accuracy[[2, 4]].tolist() == pytest.approx([1, 2 / 3])
    assert result.ece == pytest.approx((0.4 + 3 * abs(2.8 / 3 - 2 / 3)) / 4)


def test_brier_score_of_a_small_example() -> None:
    result = brier(make_predictions(np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]), np.array([0, 2])))
    assert result == pytest.approx((0 + 0.25 + 0.25 + 1) / 2)


def test_risk_falls_with_coverage(rng: np.random.Generator) -> None:
    logits, truth = sample(rng)
    coverage, risk = risk_coverage(make_predictions(softmax(logits), truth))
    assert coverage[-1] == 1 and risk[-1] == pytest.approx((logits.argmax(axis=1) != truth).mean())
    half = np.searchsorted(coverage, 0.5)
    assert risk[half] < 0.5 * risk[-1]
    equal, _ = risk_coverage(make_predictions(np.full((4, 3), 1 / 3), np.array([0, 1, 2, 0])))
    assert equal.tolist() == [1]


def test_fitting_without_clips_is_an_error() -> None:
    with pytest.raises(InputError, match="got none"):
        fit_temperature(np.zeros((0, 3)), np.zeros(0, int))


def test_selective_accuracy() -> None:
    rows = np.array([[0.8, 0.1, 0.1], [0.5, 0.3, 0.2], [0.2, 0.45, 0.35], [0.6, 0.2, 0.2]])
    result = make_predictions(rows, np.array([0, 1, 1, 0]))
    assert selective_accuracy(result, 0.5) == (0.75, pytest.approx(2 / 3))
    assert selective_accuracy(result, 0) == (1, 0.75)
    share, accuracy = selective_accuracy(result, 0.9)
    assert share == 0 and np.isnan(accuracy)
    coverage, risk = risk_coverage(result)
    assert risk[coverage == 0.75] == pytest.approx(1 / 3), "a point of the curve"


def test_the_threshold_is_the_lowest_with_the_wanted_precision_in_the_mean_of_the_groups() -> None:
    confidence = np.array([0.3, 0.5, 0.7, 0.9] * 2)
    correct = np.array([False, True, True, True, False, False, True, True])
    groups = np.array(["emodb"] * 4 + ["emovo"] * 4)
    # At 0.3: (3/4 + 2/4) / 2 = 0.625; above it: (3/3 + 2/3) / 2 = 0.83; above 0.5: 1.
    assert fit_threshold(confidence, correct, groups, 0.6) == 0
    assert fit_threshold(confidence, correct, groups, 0.75) == pytest.approx(0.31)
    assert fit_threshold(confidence, correct, groups, 0.9) == pytest.approx(0.51)
    assert fit_threshold(confidence, ~np.ones(8, bool), groups, 0.5) == 1
    # A group counts as much as another one, however many clips it has.
    many = np.concatenate([np.tile(confidence[:4], 9), confidence[4:]])
    many_correct = np.concatenate([np.tile(correct[:4], 9), correct[4:]])
    many_groups = np.array(["emodb"] * 36 + ["emovo"] * 4)
    assert fit_threshold(many, many_correct, many_groups, 0.75) == pytest.approx(0.31)
