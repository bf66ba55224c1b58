"""Error rates are counted per group, completed where a group lacks classes, and calibrated on groups left out."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import overtone
from overtone.datatypes import OofPredictions
from overtone.evaluation import oof_files
from overtone.evaluation.error_rates import EQUIVALENT_SEGMENTS, MAX_GROUPS, card_blocks, card_section, section
from overtone.shares import LEVEL

EMOTIONS = ("neutral", "happy", "sad")
RECALL = 0.7


def make_predictions(rng: np.random.Generator, corpora: dict[str, tuple[str, ...]], speakers: int) -> OofPredictions:
    """Return predictions with a recall of `RECALL` for 12 clips per speaker and class of each corpus."""
    rows = []
    for corpus, classes in corpora.items():
        for speaker in range(speakers):
            for number in range(12 * len(classes)):
                truth = classes[number % len(classes)]
                wrong = [name for name in classes if name != truth]
                predicted = truth if rng.random() < RECALL else wrong[rng.integers(len(wrong))]
                probabilities = [0.9 if name == predicted else 0.1 * (name in classes) for name in EMOTIONS]
                values = (np.array(probabilities) / sum(probabilities)).tolist()
                rows.append((f"{speaker}-{number}", corpus, f"s{speaker}", "", corpus, 0, truth, *values))
    return oof_files.from_rows(EMOTIONS, rows)


def test_rates_of_every_corpus_are_those_of_its_predictions(rng: np.random.Generator) -> None:
    predictions = make_predictions(rng, dict.fromkeys("abc", EMOTIONS), 3)
    content = section({"fusion": predictions, "mel": predictions}, "unseen-corpus", "corpus")
    assert list(content["parts"]) == ["fusion"]
    part = content["parts"]["fusion"]
    best = np.array(EMOTIONS)[predictions.probabilities.argmax(1)]
    for corpus, rates in part["rates"].items():
        for name, row in zip(EMOTIONS, rates, strict=True):
            chosen = (predictions.corpus == corpus) & (predictions.truth == name)
            assert row == pytest.approx([(best[chosen] == other).mean() for other in EMOTIONS], abs=1e-4)
    assert set(part["left_out"]) == set("abc")
    for measured in part["left_out"].values():
        assert 0.7 < measured["coverage"] <= 1 and 0 < measured["width"] < 0.7
    assert card_blocks({"error_rates": content})[1].rows[0][:2] == ("fusion", "a")
    assert card_blocks({}) == []


def test_a_corpus_without_a_class_takes_it_from_the_others(rng: np.random.Generator) -> None:
    corpora = {"a": EMOTIONS, "b": EMOTIONS, "c": ("neutral", "happy")}
    rates = section({"fusion": make_predictions(rng, corpora, 4)}, "unseen-corpus", "corpus")["parts"]["fusion"][
        "rates"
    ]
    whole = (np.array(rates["a"]) + np.array(rates["b"])) / 2
    assert rates["c"][2] == pytest.approx(whole[2], abs=1e-3)
    assert np.array(rates["c"])[:2, 2] == pytest.approx(whole[:2, 2], abs=1e-3), "sad could not be predicted there"
    assert np.array(rates["c"]).sum(1) == pytest.approx(1, abs=1e-3)


def confuse_two_classes(predictions: OofPredictions, corpus: str) -> OofPredictions:
    """Return predictions with neutral and happy exchanged in one corpus."""
    probabilities = predictions.probabilities.copy()
    is_odd = predictions.corpus == corpus
    probabilities[is_odd] = probabilities[is_odd][:, [1, 0, 2]]
    return replace(predictions, probabilities=probabilities)


def test_groups_that_differ_make_wider_intervals(rng: np.random.Generator) -> None:
    alike = make_predictions(rng, dict.fromkeys("abc", EMOTIONS), 3)
    different = confuse_two_classes(alike, "c")
    first, second = (section({"fusion": p}, "p", "corpus")["parts"]["fusion"] for p in (alike, different))
    assert second["equivalent_segments"] < first["equivalent_segments"]


def test_a_hard_group_among_few_makes_the_mean_coverage_exceed_the_level_by_its_standard_error() -> None:
    predictions = make_predictions(np.random.default_rng(0), dict.fromkeys("abcd", EMOTIONS), 3)
    part = section({"fusion": confuse_two_classes(predictions, "c")}, "p", "corpus")["parts"]["fusion"]
    coverages = [row["coverage"] for row in part["left_out"].values()]
    assert min(coverages) < LEVEL, "the hard one"
    assert np.mean(coverages) - np.std(coverages, ddof=1) / 4**0.5 >= LEVEL


@pytest.mark.parametrize("model", ["overtone", "lite"])
def test_the_mean_coverage_exceeds_the_level_by_its_standard_error(model: str) -> None:
    for part in overtone.load(model).card["error_rates"]["parts"].values():
        coverages = [row["coverage"] for row in part["left_out"].values()]
        assert len(coverages) == 5
        assert np.mean(coverages) - np.std(coverages, ddof=1) / 5**0.5 >= LEVEL
        assert part["equivalent_segments"] > EQUIVALENT_SEGMENTS[-1], "the smallest would be no guarantee"


def test_too_few_groups_or_classes_have_no_rates(rng: np.random.Generator) -> None:
    assert section({"fusion": make_predictions(rng, dict.fromkeys("ab", EMOTIONS), 3)}, "p", "corpus") == {}
    assert section({"fusion": make_predictions(rng, dict.fromkeys("abc", EMOTIONS[:2]), 3)}, "p", "corpus") == {}
    assert section({}, "p", "corpus") == {}


def test_many_speakers_are_few_groups(rng: np.random.Generator) -> None:
    content = section({"fusion": make_predictions(rng, {"own": EMOTIONS}, 13)}, "speaker-folds", "speaker")
    assert len(content["parts"]["fusion"]["rates"]) == MAX_GROUPS


def test_a_corpus_can_be_left_out(tmp_path: Path, rng: np.random.Generator) -> None:
    predictions = make_predictions(rng, dict.fromkeys("abcd", EMOTIONS), 2)
    oof_files.write(predictions, oof_files.csv_path(tmp_path, "unseen-corpus", "encoder", "fusion"))
    assert list(card_section(tmp_path, "encoder", without="b")["parts"]["fusion"]["rates"]) == ["a", "c", "d"]
    assert card_section(tmp_path, "other") == {}
