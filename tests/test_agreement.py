"""Cohen's kappa equals that of scikit-learn."""

import math

import numpy as np
import pytest

from overtone.agreement import Agreement, measure_agreement
from overtone.errors import InputError

LABELS = np.array(["happy", "sad", "angry", "", "own label"])


@pytest.mark.parametrize("seed", range(20))
def test_kappa_is_that_of_scikit_learn(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(seed)
    first = rng.choice(LABELS, size=rng.integers(2, 60), p=[0.5, 0.2, 0.1, 0.1, 0.1])
    second = np.where(rng.random(len(first)) < 0.6, first, rng.choice(LABELS, size=len(first)))
    found = measure_agreement(zip(first.tolist(), second.tolist(), strict=True))
    assert (found.n, found.agreed) == (len(first), int((first == second).sum()))
    assert found.kappa == pytest.approx(metrics.cohen_kappa_score(first, second), abs=1e-12)


def test_kappa_is_undefined_without_segments_or_with_one_label() -> None:
    for pairs in ([], [("sad", "sad")] * 3):
        assert math.isnan(measure_agreement(pairs).kappa)
        assert "undefined" in str(measure_agreement(pairs))


@pytest.mark.parametrize("values", [(2, 3, 0.5), (-1, -1, 0.5), (3, 2, 1.5)])
def test_impossible_values_are_refused(values: tuple[int, int, float]) -> None:
    with pytest.raises(InputError):
        Agreement(*values)
