"""Comparisons agree with scikit-learn, SciPy and naive loops to 1e-9."""

from itertools import chain, combinations

import numpy as np
import pytest
from compared_predictions import CLASSES, CLIPS, SPEAKERS, change, make, model, predicted_labels
from scipy.stats import binomtest, bootstrap
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    recall_score,
)

from overtone.datatypes import OofPredictions
from overtone.evaluation.alignment import align
from overtone.evaluation.comparison import compare, holm, mcnemar
from overtone.evaluation.metrics import PERMUTATIONS, RESAMPLES, SEED, paired_test, score
from overtone.evaluation.oof_files import select

EXACT = 1e-9


def speaker_rates(table: OofPredictions, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Return the scores of weighted speakers, each `(draws,)`, for weights `(draws, speakers)`."""
    labels, masks = predicted_labels(table), [table.speaker == speaker for speaker in np.unique(table.speaker)]

    def count(rows: np.ndarray, classes: np.ndarray) -> np.ndarray:
        return weights @ np.array([[np.sum(rows & mask & (classes == name)) for name in CLASSES] for mask in masks])

    always = np.full(len(table), True)
    hits, support, predicted = count(labels == table.truth, labels), count(always, table.truth), count(always, labels)
    return {
        "wa": hits.sum(axis=1) / support.sum(axis=1),
        "uar": (hits / support).mean(axis=1),
        "macro_f1": (2 * hits / (support + predicted)).mean(axis=1),
    }


def draws(number: int) -> np.ndarray:
    """Return how often each speaker is drawn in each bootstrap sample, `(number, speakers)`."""
    return np.random.default_rng(SEED).multinomial(SPEAKERS, np.full(SPEAKERS, 1 / SPEAKERS), size=number)


def test_scores_equal_scikit_learn() -> None:
    tables = {"one": make(1), "other": make(2, sharpness=0.8)}
    result = compare(align([model(name, table) for name, table in tables.items()]))
    assert (result.emotions, result.clips, result.speakers) == (CLASSES, SPEAKERS * CLIPS, SPEAKERS)
    for found in result.models:
        table, names = tables[found.name], list(CLASSES)
        labels, s = predicted_labels(table), found.scores
        assert s.uar.value == pytest.approx(balanced_accuracy_score(table.truth, labels), abs=EXACT)
        assert s.wa.value == pytest.approx(accuracy_score(table.truth, labels), abs=EXACT)
        assert s.macro_f1.value == pytest.approx(f1_score(table.truth, labels, average="macro"), abs=EXACT)
        recalls = recall_score(table.truth, labels, labels=names, average=None)
        np.testing.assert_allclose([s.classes[name].recall for name in names], recalls, atol=EXACT)
        np.testing.assert_array_equal(s.confusion, confusion_matrix(table.truth, labels, labels=names))


def test_scores_of_renormalised_probabilities_equal_scikit_learn() -> None:
    one, other = make(1), make(2)
    names = CLASSES[1:]
    kept = other.truth != CLASSES[0]
    probabilities = other.probabilities[kept][:, 1:]
    fewer = change(
        select(other, kept), emotions=names, probabilities=probabilities / probabilities.sum(axis=1, keepdims=True)
    )
    first = compare(align([model("one", one), model("fewer", fewer)])).models[0].scores
    labels = np.array(names)[one.probabilities[kept][:, 1:].argmax(axis=1)]
    assert first.uar.value == pytest.approx(balanced_accuracy_score(one.truth[kept], labels), abs=EXACT)


def test_intervals_of_scores_equal_a_naive_bootstrap_over_speakers() -> None:
    tables = {"one": make(1), "other": make(2)}
    result = compare(align([model(name, table) for name, table in tables.items()]))
    for found in result.models:
        for name, samples in speaker_rates(tables[found.name], draws(RESAMPLES)).items():
            value = getattr(found.scores, name)
            assert (value.low, value.high) == pytest.approx(np.percentile(samples, (2.5, 97.5)), abs=EXACT)
        assert found.scores.uar.value != pytest.approx(found.scores.wa.value)


def test_intervals_agree_with_scipy_up_to_the_random_draws() -> None:
    tables = [make(1), make(2)]
    pair = compare(align([model("one", tables[0]), model("other", tables[1])])).pairs[0]

    def difference(chosen: np.ndarray) -> float:
        weights = np.array([[np.sum(chosen == k) for k in range(SPEAKERS)]])
        rates = [float(speaker_rates(table, weights)["uar"][0]) for table in tables]
        return rates[0] - rates[1]

    rng, speakers = np.random.default_rng(0), np.arange(SPEAKERS)
    found = bootstrap((speakers,), difference, n_resamples=500, method="percentile", vectorized=False, rng=rng)
    interval = (pair.uar.difference.low, pair.uar.difference.high)
    assert interval == pytest.approx(tuple(found.confidence_interval), abs=0.03)


def test_the_difference_equals_a_naive_paired_bootstrap() -> None:
    one, other = make(1), make(2, sharpness=1.0)
    pair = compare(align([model("one", one), model("other", other)])).pairs[0]
    weights = draws(PERMUTATIONS)
    samples = speaker_rates(one, weights)["uar"] - speaker_rates(other, weights)["uar"]
    assert (pair.uar.difference.low, pair.uar.difference.high) == pytest.approx(
        np.percentile(samples, (2.5, 97.5)), abs=EXACT
    )
    expected = [balanced_accuracy_score(table.truth, predicted_labels(table)) for table in (one, other)]
    assert pair.uar.difference.value == pytest.approx(expected[0] - expected[1], abs=EXACT)
    assert pair.uar == paired_test(one, other, np.random.default_rng(SEED))
    sizes = [abs(value) for value in pair.recall_differences.values()]
    assert sizes == sorted(sizes, reverse=True)
    recalls = [
        recall_score(table.truth, predicted_labels(table), labels=list(CLASSES), average=None) for table in (one, other)
    ]
    by_class = dict(zip(CLASSES, recalls[0] - recalls[1], strict=True))
    assert pair.recall_differences == pytest.approx(by_class, abs=EXACT)


@pytest.mark.parametrize("counts", [(0, 0), (1, 0), (0, 7), (5, 5), (6, 5), (40, 17), (700, 612), (3000, 3400)])
def test_mcnemar_equals_the_exact_binomial_test_of_scipy(counts: tuple[int, int]) -> None:
    first, second = counts
    expected = binomtest(first, first + second, 0.5).pvalue if sum(counts) else 1.0
    assert mcnemar(first, second) == pytest.approx(expected, rel=EXACT, abs=1e-15)
    assert mcnemar(second, first) == mcnemar(first, second)


def test_mcnemar_of_a_pair_counts_clips() -> None:
    one, other = make(1, sharpness=2.5), make(2, sharpness=0.5)
    pair = compare(align([model("one", one), model("other", other)])).pairs[0]
    hits = [predicted_labels(table) == table.truth for table in (one, other)]
    only_first, only_second = int(np.sum(hits[0] & ~hits[1])), int(np.sum(hits[1] & ~hits[0]))
    assert (pair.only_first_correct, pair.only_second_correct) == (only_first, only_second)
    expected = binomtest(only_first, only_first + only_second, 0.5).pvalue
    assert pair.mcnemar_p == pair.mcnemar_p_holm == pytest.approx(expected, abs=EXACT)


def test_a_clip_counts_as_correct_if_most_seeds_are() -> None:
    three, one = make(1, seeds=3), make(2)
    pair = compare(align([model("three", three), model("one", one)])).pairs[0]
    hits = (predicted_labels(three) == three.truth).reshape(3, -1).sum(axis=0) > 1.5
    hit = predicted_labels(one) == one.truth
    assert pair.only_first_correct == int(np.sum(hits & ~hit))
    assert pair.only_second_correct == int(np.sum(hit & ~hits))


def closed_testing(p_values: list[float]) -> list[float]:
    """Return Holm's adjusted p values by their definition: Bonferroni tests of every set of hypotheses."""
    indices = range(len(p_values))
    sets = [set(chosen) for chosen in chain.from_iterable(combinations(indices, k) for k in range(1, len(indices) + 1))]
    return [max(min(1.0, len(s) * min(p_values[j] for j in s)) for s in sets if index in s) for index in indices]


@pytest.mark.parametrize(
    "p_values",
    [[0.3], [0.01, 0.04, 0.03], [0.5, 0.5, 0.5], [0.001, 0.2, 0.012, 0.013, 0.9, 0.0004], [1.0, 0.02], []],
)
def test_holm_equals_closed_testing(p_values: list[float]) -> None:
    assert holm(p_values) == pytest.approx(closed_testing(p_values), abs=EXACT)


def test_p_values_of_several_pairs_are_adjusted() -> None:
    result = compare(align([model(f"m{k}", make(k, sharpness=1 + 0.4 * k)) for k in range(3)]))
    assert [(pair.first, pair.second) for pair in result.pairs] == [("m0", "m1"), ("m0", "m2"), ("m1", "m2")]
    assert [pair.p_holm for pair in result.pairs] == closed_testing([pair.uar.p for pair in result.pairs])
    assert [pair.mcnemar_p_holm for pair in result.pairs] == pytest.approx(
        closed_testing([pair.mcnemar_p for pair in result.pairs]), abs=EXACT
    )
    two = compare(align([model(f"m{k}", make(k, sharpness=1 + 0.4 * k)) for k in range(2)]))
    assert two.models[0].scores.uar == result.models[0].scores.uar
    assert two.pairs[0].uar == result.pairs[0].uar, "a pair does not depend on the other models"


def test_confidence_of_predictions() -> None:
    table = make(1)
    found = compare(align([model("one", table, 0.7), model("other", make(2))])).models[0]
    confidence, hit = table.probabilities.max(axis=1), predicted_labels(table) == table.truth
    assert found.sure == pytest.approx(np.mean(confidence >= 0.7), abs=EXACT)
    assert found.sure_and_wrong == pytest.approx(np.mean((confidence >= 0.7) & ~hit), abs=EXACT)
    assert found.uncertain_below == (0.7, 0.7)
    bins = np.ceil(confidence * 15).astype(int)
    gaps = [np.sum(bins == b) * abs(confidence[bins == b].mean() - hit[bins == b].mean()) for b in np.unique(bins)]
    assert found.ece == pytest.approx(sum(gaps) / len(table), abs=EXACT)


def test_confusions_are_counted() -> None:
    table = make(1, sharpness=0.5)
    found = compare(align([model("one", table), model("other", make(2))])).models[0]
    labels = predicted_labels(table)
    first = found.confusions[0]
    assert first.count == np.sum((table.truth == first.truth) & (labels == first.predicted))
    assert first.share == pytest.approx(first.count / np.sum(table.truth == first.truth), abs=EXACT)
    assert [c.count for c in found.confusions] == sorted((c.count for c in found.confusions), reverse=True)
    assert sum(c.count for c in found.confusions) == np.sum(labels != table.truth)


def test_means_of_folds() -> None:
    one, other = make(1), make(2)
    fold = np.where(one.speaker < "s2", "a", "b")
    tables = [change(table, fold=fold) for table in (one, other)]
    result = compare(align([model("one", tables[0]), model("other", tables[1])]), mean_of_folds=True)
    parts = [select(tables[0], fold == name) for name in ("a", "b")]
    each = [balanced_accuracy_score(part.truth, predicted_labels(part)) for part in parts]
    assert result.models[0].scores.uar.value == pytest.approx(np.mean(each), abs=EXACT)
    shares = [np.mean(part.probabilities.max(axis=1) >= 0.5) for part in parts]
    assert result.models[0].sure == pytest.approx(np.mean(shares), abs=EXACT)
    expected = score(tables[0], np.random.default_rng(SEED), mean_of_folds=True)
    assert result.models[0].scores.uar == expected.uar
    assert result.pairs[0].uar == paired_test(*tables, np.random.default_rng(SEED), mean_of_folds=True)
