"""Scores compared with scikit-learn; bootstrap and sign-flip test compared with naive loops."""

import time
import tracemalloc
from itertools import product

import numpy as np
import pytest
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
from overtone.errors import InputError, OptionError
from overtone.evaluation.metrics import paired_test, score
from overtone.evaluation.tallies import macro_f1, uar, wa


def make_predictions(
    seed: int = 0, speakers: int = 6, clips: int = 16, seeds: int = 1, sharpness: float = 1.5, emotions: int = 8
) -> OofPredictions:
    """Return random predictions biased to the truth; clips and truth are the same for every `seed`."""
    names = EMOTIONS[:emotions]
    rows = list(product(range(seeds), range(speakers), range(clips)))
    truth = np.array([names[(3 * k + s) % emotions] for _, s, k in rows])
    logits = np.random.default_rng(seed).normal(size=(len(rows), emotions))
    logits[np.arange(len(rows)), [names.index(name) for name in truth]] += sharpness
    return OofPredictions(
        emotions=names,
        path=np.array([f"{s}/{k}" for _, s, k in rows]),
        corpus=np.full(len(rows), ""),
        speaker=np.array([f"s{s}" for _, s, _ in rows]),
        sentence=np.array(["1"] * len(rows)),
        fold=np.array(["1"] * len(rows)),
        seed=np.array([seed for seed, _, _ in rows]),
        truth=truth,
        probabilities=np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True),
    )


def select(p: OofPredictions, rows: np.ndarray) -> OofPredictions:
    return OofPredictions(p.emotions, **{k: v[rows] for k, v in vars(p).items() if k != "emotions"})


def change(p: OofPredictions, **columns: np.ndarray) -> OofPredictions:
    return OofPredictions(**{**vars(p), **columns})


def predicted_labels(p: OofPredictions) -> np.ndarray:
    return np.array(p.emotions)[p.probabilities.argmax(axis=1)]


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


def make_folds_of_corpora(sharpness: float = 1.0) -> OofPredictions:
    """Return predictions for two corpora of different sizes, each a fold, whose speakers have the same names."""
    tables = [make_predictions(speakers=speakers, seed=speakers, sharpness=sharpness) for speakers in (4, 13)]
    names = np.repeat(["mine", "yours"], [len(table) for table in tables])
    columns = {
        name: np.concatenate([getattr(table, name) for table in tables])
        for name in vars(tables[0])
        if name != "emotions"
    }
    return OofPredictions(EMOTIONS, **columns | {"corpus": names, "fold": names})


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
