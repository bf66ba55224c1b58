"""The paired test of two models, compared with a naive loop over speakers."""

from itertools import product

import numpy as np
import pytest
from random_predictions import change, make_folds_of_corpora, make_predictions, predicted_labels, select
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
)

from overtone.errors import InputError, OptionError
from overtone.evaluation.metrics import paired_test, score


@pytest.mark.parametrize("measure", ["uar", "wa"])
def test_paired_difference_is_the_difference_of_the_scores(measure: str, rng: np.random.Generator) -> None:
    one, other = make_predictions(1, seeds=2, sharpness=2.5), make_predictions(2, seeds=2, sharpness=1)
    got = paired_test(one, other, rng, measure)
    expected = getattr(score(one, rng), measure).value - getattr(score(other, rng), measure).value
    assert got.difference.value == pytest.approx(expected)
    assert got.difference.low < expected < got.difference.high
    assert (got.units, got.over) == (6, "speakers")
    assert got.p < 0.05
    swapped = paired_test(other, one, np.random.default_rng(0), measure)
    assert swapped.difference.value == pytest.approx(-expected)
    assert swapped.p == got.p


@pytest.mark.parametrize("measure", ["uar", "wa"])
def test_exact_p_equals_swapping_the_models_speaker_by_speaker(measure: str, rng: np.random.Generator) -> None:
    one, other = make_predictions(1, speakers=5, sharpness=1.6), make_predictions(2, speakers=5)
    rate = {"uar": balanced_accuracy_score, "wa": accuracy_score}[measure]

    def difference(swapped: tuple[bool, ...]) -> float:
        swap = np.array(swapped)[[int(name[1]) for name in one.speaker]]
        first = np.where(swap, predicted_labels(other), predicted_labels(one))
        second = np.where(swap, predicted_labels(one), predicted_labels(other))
        return rate(one.truth, first) - rate(one.truth, second)

    observed = abs(difference((False,) * 5))
    as_large = [abs(difference(swaps)) >= observed - 1e-9 for swaps in product((False, True), repeat=5)]
    assert paired_test(one, other, rng, measure).p == pytest.approx(np.mean(as_large))


def test_sampled_p_approximates_the_exact_one() -> None:
    one, other = make_predictions(1, speakers=12, sharpness=1.8), make_predictions(2, speakers=12)
    exact = paired_test(one, other, np.random.default_rng(0), permutations=4096).p
    sampled = paired_test(one, other, np.random.default_rng(0), permutations=1000).p
    assert 0.01 < exact < 0.9
    assert sampled == pytest.approx(exact, abs=0.05)
    assert sampled != exact


def test_difference_of_equal_models_is_not_significant(rng: np.random.Generator) -> None:
    p = make_predictions()
    assert paired_test(p, p, rng).p == 1
    ps = [
        paired_test(make_predictions(2 * k, 10), make_predictions(2 * k + 1, 10), rng, permutations=300).p
        for k in range(200)
    ]
    assert 0.01 < np.mean(np.array(ps) < 0.05 + 1e-9) < 0.11


def test_rows_are_matched_by_clip_and_seed(rng: np.random.Generator) -> None:
    one, other = make_predictions(1, seeds=2), make_predictions(2, seeds=2)
    shuffled = select(other, rng.permutation(len(other)))
    first, second = (paired_test(one, p, np.random.default_rng(0)) for p in (other, shuffled))
    assert first == second
    with pytest.raises(InputError, match="same classes and clips for both models; 1 rows differ"):
        paired_test(one, select(other, np.arange(len(other)) > 0), rng)
    with pytest.raises(OptionError, match="no paired test of 'uat'; did you mean 'uar'"):
        paired_test(one, other, rng, "uat")


def test_means_over_seeds_are_compared_if_the_seeds_differ(rng: np.random.Generator) -> None:
    three, one = make_predictions(1, seeds=3, sharpness=2.5), make_predictions(2, sharpness=1)
    found = paired_test(three, change(one, seed=one.seed + 7), rng)
    expected = score(three, rng).uar.value - score(one, rng).uar.value
    assert found.difference.value == pytest.approx(expected)
    assert found.difference.low < expected < found.difference.high
    thrice = change(three, probabilities=np.tile(one.probabilities, (3, 1)))
    again = paired_test(three, thrice, rng)
    assert again.p == found.p, "a model with the same predictions for every seed counts once"
    clips_by_seed = (three.seed == 0) == (np.char.endswith(three.path, "/1"))  # as in protocols that split by seed
    with pytest.raises(InputError, match="same classes and clips"):
        paired_test(select(three, clips_by_seed), one, rng)


@pytest.mark.parametrize("measure", ["uar", "wa"])
def test_paired_test_of_means_of_folds(measure: str) -> None:
    one, other = make_folds_of_corpora(2.0), make_folds_of_corpora(0.5)
    got = paired_test(one, other, np.random.default_rng(0), measure, permutations=500, mean_of_folds=True)
    means = [getattr(score(p, np.random.default_rng(0), mean_of_folds=True), measure).value for p in (one, other)]
    assert got.difference.value == pytest.approx(means[0] - means[1])
    assert got.difference.low <= got.difference.value <= got.difference.high
    assert got.units == 17
    assert got.p < 0.05


def test_paired_test_with_an_older_file_without_corpora() -> None:
    p = make_predictions()
    known = change(p, corpus=np.full(len(p), "mine"))
    assert paired_test(p, known, np.random.default_rng(0), permutations=20).difference.value == 0
