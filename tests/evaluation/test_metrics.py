"""Scores compared with scikit-learn; the bootstrap compared with a naive loop."""

import time
import tracemalloc

import numpy as np
import pytest
from random_predictions import change, make_folds_of_corpora, make_predictions, predicted_labels, select
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
    recall_score,
)

from overtone.corpora.ravdess import EMOTIONS
from overtone.datatypes import OofPredictions
from overtone.errors import InputError
from overtone.evaluation.metrics import score
from overtone.evaluation.tallies import macro_f1, uar, wa


def test_scores_equal_scikit_learn(rng: np.random.Generator) -> None:
    p = make_predictions()
    got = score(p, rng, resamples=50)
    assert got.uar.value == pytest.approx(balanced_accuracy_score(p.truth, predicted_labels(p)))
    assert got.wa.value == pytest.approx(accuracy_score(p.truth, predicted_labels(p)))
    assert got.macro_f1.value == pytest.approx(f1_score(p.truth, predicted_labels(p), average="macro"))
    np.testing.assert_array_equal(got.confusion, confusion_matrix(p.truth, predicted_labels(p), labels=list(EMOTIONS)))
    recalls = recall_score(p.truth, predicted_labels(p), labels=list(EMOTIONS), average=None)
    np.testing.assert_allclose([got.classes[e].recall for e in EMOTIONS], recalls)
    assert sum(c.support for c in got.classes.values()) == got.n == 96
    assert (got.clips, got.speakers, got.seeds, got.seed_spread, got.interval_over) == (96, 6, 1, 0.0, "speakers")


def test_absent_classes_are_left_out(rng: np.random.Generator) -> None:
    p = make_predictions()
    p = select(p, ~np.isin(p.truth, ["calm", "sad"]))
    got = score(p, rng, resamples=50)
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        assert got.uar.value == pytest.approx(balanced_accuracy_score(p.truth, predicted_labels(p)))
    present = sorted(set(p.truth.tolist()))
    assert got.macro_f1.value == pytest.approx(f1_score(p.truth, predicted_labels(p), labels=present, average="macro"))
    assert got.classes["calm"].support == 0
    assert np.isfinite([got.uar.low, got.uar.high]).all()


def test_class_scores_equal_scikit_learn(rng: np.random.Generator) -> None:
    p = make_predictions(seeds=2)
    never = p.probabilities * (np.array(p.emotions) != "happy")  # undefined precision; without "calm", undefined recall
    p = change(p, probabilities=never / never.sum(axis=1, keepdims=True))
    p = select(p, p.truth != "calm")
    got = score(p, rng, resamples=50).classes
    columns = precision_recall_fscore_support(p.truth, predicted_labels(p), labels=list(p.emotions), zero_division=0)
    rows = [(s.precision, s.recall, s.f1, s.support) for s in got.values()]
    np.testing.assert_allclose(rows, np.transpose(columns), atol=1e-12)
    assert list(got) == list(p.emotions)


def test_batched_tallies_equal_single_ones(rng: np.random.Generator) -> None:
    confusions = rng.integers(0, 3, size=(4, 5, 8, 8)).astype(float)
    confusions[0, 0] = 0
    confusions[1, :, 2] = 0
    columns = (np.einsum("...ii->...i", confusions), confusions.sum(axis=-1), confusions.sum(axis=-2))
    tallies = np.stack(columns, axis=-1)
    for rate in (uar, wa, macro_f1):
        one_by_one = [[float(rate(t)) for t in row] for row in tallies]
        np.testing.assert_allclose(rate(tallies), one_by_one)
        assert np.isnan(rate(tallies)[0, 0])


def test_hundreds_of_classes_fit_into_memory(rng: np.random.Generator) -> None:
    names = tuple(f"class {k}" for k in range(400))
    places = np.tile(np.arange(400), 3)
    hits = np.eye(400)[np.where(np.arange(1200) % 4 == 0, places, (places + 1) % 400)]
    text = np.full(1200, "")
    p = OofPredictions(
        names, np.arange(1200).astype(str), text, text, text, text, np.zeros(1200, int), np.array(names)[places], hits
    )
    tracemalloc.start()
    got = score(p, rng, resamples=100)  # by clip, as the speakers are unknown
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert got.uar.value == pytest.approx(0.25) and got.wa.value == pytest.approx(0.25)
    assert peak_bytes < 300e6  # confusion matrices of all clips would be 1.5 GB


def test_bootstrap_equals_a_naive_loop_over_speakers(rng: np.random.Generator) -> None:
    p = make_predictions(speakers=5, seeds=2)
    got = score(p, np.random.default_rng(4), resamples=300)
    draws = np.random.default_rng(4).multinomial(5, np.full(5, 0.2), size=300)
    names, values = np.unique(p.speaker), []
    for draw in draws:
        rows = [
            i for name, times in zip(names, draw, strict=True) for i in np.flatnonzero(p.speaker == name).repeat(times)
        ]
        by_seed = [[i for i in rows if p.seed[i] == seed] for seed in (0, 1)]
        recalls = [
            np.mean([np.mean(predicted_labels(p)[seed][p.truth[seed] == e] == e) for e in np.unique(p.truth[seed])])
            for seed in by_seed
        ]
        values.append(np.mean(recalls))
    np.testing.assert_allclose([got.uar.low, got.uar.high], np.percentile(values, [2.5, 97.5]))


def test_interval_covers_the_value_and_shrinks_with_speakers(rng: np.random.Generator) -> None:
    few, many = (score(make_predictions(speakers=number), rng).uar for number in (4, 64))
    assert few.low < few.value < few.high
    assert many.high - many.low < few.high - few.low


def test_bootstrap_resamples_whole_speakers(rng: np.random.Generator) -> None:
    p = make_predictions(speakers=6, clips=40)
    correct = p.speaker < "s3"  # three speakers always correct, three always wrong
    true_class = np.array([p.emotions.index(name) for name in p.truth])
    p = change(p, probabilities=np.eye(8)[np.where(correct, true_class, (true_class + 1) % 8)])
    assert score(p, rng).wa.high - score(p, rng).wa.low > 0.6
    unknown = change(p, speaker=np.full(len(p), ""))
    got = score(unknown, rng)
    assert (got.interval_over, got.speakers) == ("clips", 0)
    assert got.wa.high - got.wa.low < 0.2
    assert score(select(p, p.speaker == "s1"), rng).interval_over == "clips"


def test_several_seeds_give_mean_and_spread(rng: np.random.Generator) -> None:
    p = make_predictions(seeds=3)
    got = score(p, rng)
    each = [score(select(p, p.seed == seed), rng).uar.value for seed in range(3)]
    assert got.uar.value == pytest.approx(np.mean(each))
    assert got.seed_spread == pytest.approx(np.std(each, ddof=1))
    assert (got.n, got.clips, got.seeds) == (288, 96, 3)


def test_score_is_fast(rng: np.random.Generator) -> None:
    p = make_predictions(speakers=24, clips=60, seeds=3)
    score(p, rng, resamples=10)
    start_s = time.perf_counter()
    score(p, rng)
    assert time.perf_counter() - start_s < 1.5


def test_invalid_predictions_are_rejected() -> None:
    p = make_predictions()
    with pytest.raises(InputError, match="each clip once per seed"):
        change(p, path=np.array(["x"] * len(p)))
    with pytest.raises(InputError, match="summing to 1"):
        change(p, probabilities=2 * p.probabilities)
    with pytest.raises(InputError, match="summing to 1"):
        change(p, probabilities=np.full_like(p.probabilities, np.nan))
    with pytest.raises(InputError, match="truth values among"):
        change(p, truth=np.array(["bored"] * len(p)))
    with pytest.raises(InputError, match="speaker of shape"):
        change(p, speaker=p.speaker[1:])
    with pytest.raises(InputError, match="at least one row"):
        select(p, np.zeros(len(p), dtype=bool))


def test_mean_of_folds_counts_every_fold_equally() -> None:
    p = make_folds_of_corpora()
    got = score(p, np.random.default_rng(0), mean_of_folds=True)
    each = {name: score(select(p, p.fold == name), np.random.default_rng(0)) for name in ("mine", "yours")}
    assert got.folds == pytest.approx({name: scores.uar.value for name, scores in each.items()})
    assert got.uar.value == pytest.approx(np.mean(list(got.folds.values())))
    assert got.wa.value == pytest.approx(np.mean([scores.wa.value for scores in each.values()]))
    assert (got.speakers, got.clips) == (17, len(p)), "both corpora have a speaker s0"
    assert each["mine"].folds == {}


def test_interval_of_a_mean_of_folds_resamples_within_each_fold() -> None:
    p = make_folds_of_corpora()
    right = (p.corpus == "mine")[:, None]  # everything right in one fold, everything wrong in the other
    truth = np.eye(len(EMOTIONS))[[EMOTIONS.index(name) for name in p.truth.tolist()]]
    p = change(p, probabilities=np.where(right, truth, np.roll(truth, 1, axis=1)))
    got = score(p, np.random.default_rng(0), mean_of_folds=True).uar
    assert (got.low, got.value, got.high) == (0.5, 0.5, 0.5)
    pooled = score(p, np.random.default_rng(0)).uar
    assert pooled.high - pooled.low > 0.1
