"""The weights of a product of classifiers: fitted to clips that none of them was trained on."""

import numpy as np
import pytest
from scipy.special import log_softmax

from overtone.errors import InputError
from overtone.evaluation.calibration import fit_product_weights


def log_probabilities(truth: np.ndarray, sharpness: float, seed: int) -> np.ndarray:
    """Return log probabilities `(clips, 3)` of a classifier that is right the more often, the sharper it is."""
    logits = np.random.default_rng(seed).standard_normal((len(truth), 3))
    logits[np.arange(len(truth)), truth] += sharpness
    return log_softmax(logits, axis=1)


def test_a_classifier_that_knows_nothing_gets_no_weight() -> None:
    truth = np.random.default_rng(0).integers(0, 3, 2000)
    good, useless = log_probabilities(truth, 2.0, 1), log_probabilities(truth, 0.0, 2)
    weights = fit_product_weights(np.stack([good, useless]), truth)
    assert weights[0] > 0.9 and weights[1] < 0.15


def test_the_weights_are_a_minimum_of_the_likelihood() -> None:
    truth = np.random.default_rng(0).integers(0, 3, 500)
    rows = np.stack([log_probabilities(truth, 1.0, 1), log_probabilities(truth, 2.0, 2)])

    def loss(weights: np.ndarray) -> float:
        return -float(log_softmax(np.tensordot(weights, rows, 1), axis=1)[np.arange(500), truth].mean())

    weights = fit_product_weights(rows, truth)
    assert weights[1] > weights[0] > 0
    assert all(loss(weights) <= loss(weights + step) for step in 0.05 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]]))


def test_no_clips_are_refused() -> None:
    with pytest.raises(InputError, match="calibration needs clips"):
        fit_product_weights(np.zeros((2, 0, 3)), np.zeros(0, int))
