"""Calibration, on answers whose reliability is known because it was drawn so."""

import numpy as np
import pytest

from overtone.datatypes import OofPredictions
from overtone.errors import InputError
from overtone.evaluation.calibration import brier, fit_temperature, reliability, risk_coverage, selective_accuracy

EMOTIONS = ("neutral", "sad", "angry")


def predictions(probabilities: np.ndarray, truth: np.ndarray) -> OofPredictions:
    n = len(truth)
    names = np.array([str(k) for k in range(n)])
    return OofPredictions(
        EMOTIONS,
        path=names,
        speaker=names,
        sentence=names,
        fold=names,
        seed=np.zeros(n, int),
        truth=np.array(EMOTIONS)[truth],
        probabilities=probabilities,
    )


def softmax(logits: np.ndarray) -> np.ndarray:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def drawn(rng: np.random.Generator, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and truths drawn with exactly the probabilities they say."""
    logits = 2 * rng.standard_normal((n, len(EMOTIONS)))
    return logits, (softmax(logits).cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)


def test_what_was_drawn_as_said_is_calibrated(rng: np.random.Generator) -> None:
    logits, truth = drawn(rng)
    found = reliability(predictions(softmax(logits), truth))
    assert found.ece < 0.015
    assert found.count.sum() == len(truth) and not found.count[:4].any(), "of three classes one has a third at least"
    several = found.count > 500
    np.testing.assert_allclose(found.accuracy[several], found.confidence[several], atol=0.05)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_temperature_is_found_and_mends(rng: np.random.Generator, temperature: float) -> None:
    logits, truth = drawn(rng)
    wrong = logits * temperature
    found = fit_temperature(wrong, truth)
    assert found == pytest.approx(temperature, rel=0.05)
    before, after = (predictions(softmax(values), truth) for values in (wrong, wrong / found))
    assert brier(after) <= brier(before) + 1e-6
    if temperature != 1:
        assert reliability(after).ece < 0.02 < 0.05 < reliability(before).ece


def test_a_hand_counted_reliability() -> None:
    certain = np.array([[0.9, 0.1, 0.0], [0.9, 0.1, 0.0], [0.2, 0.6, 0.2], [1.0, 0.0, 0.0]])
    found = reliability(predictions(certain, np.array([0, 1, 1, 0])), bins=5)
    assert found.count.tolist() == [0, 0, 1, 0, 3]
    assert found.accuracy[[2, 4]].tolist() == pytest.approx([1, 2 / 3])
    assert found.ece == pytest.approx((0.4 + 3 * abs(2.8 / 3 - 2 / 3)) / 4)


def test_brier_is_the_squared_distance() -> None:
    found = brier(predictions(np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]), np.array([0, 2])))
    assert found == pytest.approx((0 + 0.25 + 0.25 + 1) / 2)


def test_risk_falls_as_unsure_answers_are_left_out(rng: np.random.Generator) -> None:
    logits, truth = drawn(rng)
    coverage, risk = risk_coverage(predictions(softmax(logits), truth))
    assert coverage[-1] == 1 and risk[-1] == pytest.approx((logits.argmax(axis=1) != truth).mean())
    half = np.searchsorted(coverage, 0.5)
    assert risk[half] < 0.5 * risk[-1]
    together, _ = risk_coverage(predictions(np.full((4, 3), 1 / 3), np.array([0, 1, 2, 0])))
    assert together.tolist() == [1]


def test_nothing_to_calibrate_on_is_an_error() -> None:
    with pytest.raises(InputError, match="got none"):
        fit_temperature(np.zeros((0, 3)), np.zeros(0, int))


def test_what_is_answered_at_a_confidence() -> None:
    rows = np.array([[0.8, 0.1, 0.1], [0.5, 0.3, 0.2], [0.2, 0.45, 0.35], [0.6, 0.2, 0.2]])
    found = predictions(rows, np.array([0, 1, 1, 0]))
    assert selective_accuracy(found, 0.5) == (0.75, pytest.approx(2 / 3))
    assert selective_accuracy(found, 0) == (1, 0.75)
    share, right = selective_accuracy(found, 0.9)
    assert share == 0 and np.isnan(right)
    coverage, risk = risk_coverage(found)
    assert risk[coverage == 0.75] == pytest.approx(1 / 3), "a point of the curve"
