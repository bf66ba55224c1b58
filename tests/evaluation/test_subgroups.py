"""Slices: the scores of those clips that share a gender, an intensity or a sentence, and none that nobody told."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from results_files import predictions
from sklearn.metrics import recall_score

from overtone.corpora import ravdess
from overtone.corpora.ravdess import EMOTIONS
from overtone.datatypes import OofPredictions
from overtone.errors import InputError
from overtone.evaluation import oof_files as written
from overtone.evaluation.document import Paragraph, Table
from overtone.evaluation.subgroups import card_blocks, card_rows, rows_of


def of_ravdess(seeds: int = 2) -> OofPredictions:
    """Answers by chance for the first repetition of every clip of two actors."""
    clips = sorted(clip for clip in ravdess.clips_expected() if clip[6:8] in ("01", "02") and clip[-5:-3] == "01")
    known = [ravdess.clip_named(Path(clip)) for clip in clips]
    rng = np.random.default_rng(7)
    rows = [
        (one.clip, one.speaker, one.sentence, "1", seed, one.emotion, *np.round(rng.dirichlet(np.ones(8)), 6))
        for seed in range(seeds)
        for one in known
    ]
    return written.from_rows(EMOTIONS, rows)


def test_each_slice_is_scored_by_itself() -> None:
    found = of_ravdess()
    rows = {(row["slice"], row["value"]): row for row in rows_of(found)}
    assert list(rows) == [
        *(("gender", value) for value in ("female", "male")),
        *(("intensity", value) for value in ("normal", "strong")),
        *(("sentence", value) for value in ("1", "2")),
    ]
    assert [row["clips"] for row in rows.values()] == [30, 30, 32, 28, 30, 30]
    answers = np.array(EMOTIONS)[found.probabilities.argmax(axis=1)]
    strong = np.array([path.split("-")[3] == "02" for path in found.path])
    recalls = [
        recall_score(found.truth[chosen], answers[chosen], labels=EMOTIONS[1:], average="macro")
        for chosen in (strong & (found.seed == 0), strong & (found.seed == 1))
    ]
    assert rows["intensity", "strong"]["uar"] == pytest.approx(np.mean(recalls), abs=1e-4), "over seven emotions"
    assert (rows["gender", "male"]["speakers"], rows["gender", "male"]["seeds"]) == (1, 2)


def test_what_the_names_do_not_tell_is_no_slice() -> None:
    assert rows_of(predictions(1.0)) == []
    male = of_ravdess()
    kept = male.speaker == "01"
    columns = {name: column[kept] for name, column in vars(male).items() if name != "emotions"}
    assert {row["slice"] for row in rows_of(replace(male, **columns))} == {"intensity", "sentence"}


def test_a_card_holds_the_rows_of_the_fusion(tmp_path: Path) -> None:
    assert card_rows(tmp_path, "mine") == []
    path = written.csv_path(tmp_path, "luna5", "mine", "fusion")
    written.write(of_ravdess(), path)
    rows = card_rows(tmp_path, "mine")
    assert [{"protocol": "luna5", "part": "fusion", **row} for row in rows_of(of_ravdess())] == rows
    words, table = card_blocks({"slices": rows})
    assert isinstance(words, Paragraph) and "fusion, luna5" in words.text
    assert isinstance(table, Table)
    assert [line[0] for line in table.rows][2:4] == ["intensity normal", "intensity strong"]
    assert card_blocks({}) == []
    path.write_text("path\n")
    with pytest.raises(InputError, match=r"luna5-mine-fusion\.csv, line 1"):
        card_rows(tmp_path, "mine")
