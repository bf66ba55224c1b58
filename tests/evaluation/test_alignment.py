"""Which clips and classes several models have in common, and what is counted as left out."""

import numpy as np
import pytest
from compared_predictions import CLASSES, CLIPS, SPEAKERS, change, make, model

from overtone.emotions import EMOTIONS
from overtone.errors import InputError, OptionError
from overtone.evaluation.alignment import ModelPredictions, align
from overtone.evaluation.oof_files import select

ALL = SPEAKERS * CLIPS


def test_equal_clips_are_kept_in_one_order(rng: np.random.Generator) -> None:
    one, other = make(1), make(2)
    order = rng.permutation(len(other))
    found = align([model("one", one), model("other", select(other, order))])
    first, second = (aligned.predictions for aligned in found.models)
    assert (found.left_out, found.dropped_classes, len(first)) == ({}, {}, ALL)
    assert first.path.tolist() == second.path.tolist() == sorted(one.path.tolist())
    rows = dict(zip(other.path.tolist(), other.probabilities.tolist(), strict=True))
    np.testing.assert_array_equal(second.probabilities, [rows[path] for path in second.path.tolist()])


def test_thresholds_follow_their_rows(rng: np.random.Generator) -> None:
    one, thresholds = make(1), rng.random(ALL)
    aligned = align([ModelPredictions("one", one, thresholds), model("other", make(2))]).models[0]
    expected = dict(zip(one.path.tolist(), thresholds.tolist(), strict=True))
    assert aligned.uncertain_below.tolist() == [expected[path] for path in aligned.predictions.path.tolist()]


def test_clips_are_left_out_by_reason() -> None:
    one, other = make(1), make(2)
    truth = other.truth.copy()
    relabelled = np.flatnonzero(other.path == "3/3")[0]
    truth[relabelled] = CLASSES[(CLASSES.index(truth[relabelled]) + 1) % len(CLASSES)]
    other = select(change(other, truth=truth), other.speaker != "s5")
    found = align([model("one", one), model("other", other)])
    assert found.left_out == {"without a prediction of other": CLIPS, "labelled differently": 1}
    assert len(found.models[0].predictions) == ALL - CLIPS - 1
    assert "3/3" not in found.models[0].predictions.path


def test_own_classes_are_compared_in_the_order_of_the_first_model() -> None:
    names = ("sad", "frustrated", "at ease", "calling, again")
    one = make(1, emotions=names)
    other_order = ("sad", "calling, again", "at ease", "frustrated")
    columns = [names.index(name) for name in other_order]
    second = make(2, emotions=names)
    second = change(second, emotions=other_order, probabilities=second.probabilities[:, columns])
    found = align([model("one", one), model("other", second)])
    assert (found.left_out, found.dropped_classes) == ({}, {})
    assert [aligned.predictions.emotions for aligned in found.models] == [names, names]
    expected = dict(zip(second.path.tolist(), second.probabilities[:, np.argsort(columns)].tolist(), strict=True))
    rows = found.models[1].predictions
    np.testing.assert_allclose(rows.probabilities, [expected[path] for path in rows.path.tolist()])


def test_models_with_other_classes_are_compared_among_the_classes_all_have() -> None:
    few = make(1)
    rows = np.flatnonzero(few.truth != "calm")
    names = tuple(name for name in CLASSES if name != "calm")
    columns = [CLASSES.index(name) for name in names]
    kept = select(few, few.truth != "calm")
    without = kept.probabilities[:, columns] / kept.probabilities[:, columns].sum(axis=1, keepdims=True)
    without_calm = change(kept, emotions=names, probabilities=without)
    found = align([model("all", few), model("fewer", without_calm)])
    assert found.left_out == {"of class calm, which not all models have": ALL - len(rows)}
    assert found.dropped_classes == {"all": ("calm",)}
    first, second = (aligned.predictions for aligned in found.models)
    assert first.emotions == second.emotions == names
    np.testing.assert_allclose(first.probabilities, second.probabilities, atol=1e-9)
    np.testing.assert_allclose(first.probabilities.sum(axis=1), 1)


def test_fewer_than_two_common_classes_is_an_error() -> None:
    with pytest.raises(InputError, match=r"fewer than two classes in common: one has neutral.*; other has sad, angry"):
        align(
            [model("one", make(1, emotions=("neutral", "happy"))), model("other", make(2, emotions=("sad", "angry")))]
        )


def test_no_common_clips_is_an_error_with_the_reasons() -> None:
    other = make(2, corpus="emodb")
    with pytest.raises(InputError, match=f"no clip can be compared .*{ALL} without a prediction of other"):
        align([model("one", make(1)), model("other", other)])


@pytest.mark.parametrize("names", [("one",), ("one", "one")])
def test_two_models_with_different_names_are_needed(names: tuple[str, ...]) -> None:
    with pytest.raises(OptionError, match="at least two models"):
        align([model(name, make(k)) for k, name in enumerate(names)])


def test_equal_seeds_are_compared_seed_by_seed() -> None:
    one, other = make(1, seeds=2), make(2, seeds=2)
    tested = (one.seed == 0) == np.isin(one.speaker, ("s0", "s1", "s2"))  # other clips for each seed
    found = align([model("one", select(one, tested)), model("other", other)])
    first, second = (aligned.predictions for aligned in found.models)
    assert len(first) == ALL
    assert list(zip(first.path, first.seed, strict=True)) == list(zip(second.path, second.seed, strict=True))
    assert found.left_out == {}


def test_other_seeds_need_clips_with_every_seed() -> None:
    three, one = make(1, seeds=3), make(2)
    missing = (three.seed == 2) & (three.speaker == "s0")
    found = align([model("three", select(three, ~missing)), model("one", change(one, seed=one.seed + 9))])
    assert found.left_out == {"not predicted with every seed": CLIPS}
    assert [len(aligned.predictions) for aligned in found.models] == [3 * (ALL - CLIPS), ALL - CLIPS]


def test_facts_about_clips_are_those_of_the_first_model_that_knows_them() -> None:
    one = make(1)
    anonymous = change(one, speaker=np.full(ALL, ""), fold=np.full(ALL, ""))
    renamed = change(make(2), speaker=np.char.add("actor ", make(2).speaker))
    found = align([model("anonymous", anonymous), model("one", one), model("renamed", renamed)])
    for aligned in found.models:
        assert aligned.predictions.speaker.tolist() == [f"s{path[0]}" for path in aligned.predictions.path.tolist()]
        assert set(aligned.predictions.fold.tolist()) == {"1"}


def test_an_older_file_without_corpora_gets_those_of_the_others() -> None:
    older = change(make(1), corpus=np.full(ALL, ""))
    found = align([model("older", older), model("newer", make(2, corpus="emodb"))])
    assert {name for aligned in found.models for name in aligned.predictions.corpus.tolist()} == {"emodb"}
    assert len(found.models[0].predictions) == ALL
    both = align([model("one", older), model("other", change(make(2), corpus=np.full(ALL, "")))])
    assert len(both.models[0].predictions) == ALL


def test_classes_of_the_fold() -> None:
    one, other = make(1), make(2)
    fold = np.where(np.isin(one.truth, CLASSES[:2]), "a", "b")
    models = [model(name, change(table, fold=fold)) for name, table in (("one", one), ("other", other))]
    found = align(models, classes_of_fold=True)
    for aligned in found.models:
        table = aligned.predictions
        outside = np.isin(np.array(EMOTIONS[:4]), CLASSES[:2]) == (table.fold == "b")[:, None]
        assert not table.probabilities[outside].any()
        np.testing.assert_allclose(table.probabilities.sum(axis=1), 1)
