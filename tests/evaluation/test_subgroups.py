"""Scores by gender, intensity and sentence, and none for unknown attributes."""

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
from overtone.evaluation import oof_files
from overtone.evaluation.document import Paragraph, Table
from overtone.evaluation.subgroups import card_blocks, card_rows, score_subgroups


def make_predictions(seeds: int = 2) -> OofPredictions:
    """Return random predictions for the first repetition of every clip of two actors."""
    clips = sorted(clip for clip in ravdess.clips_expected() if clip[6:8] in ("01", "02") and clip[-5:-3] == "01")
    utterances = [ravdess.SCHEME.parse(Path(clip)) for clip in clips]
    rng = np.random.default_rng(7)
    keys = [(clip.clip, clip.corpus, clip.speaker, clip.sentence, "1") for clip in utterances]
    rows = [
        (*key, seed, clip.emotion, *np.round(rng.dirichlet(np.ones(8)), 6))
        for seed in range(seeds)
        for key, clip in zip(keys, utterances, strict=True)
    ]
    return oof_files.from_rows(EMOTIONS, rows)


def test_each_subgroup_is_scored_separately() -> None:
    predicted = make_predictions()
    rows = {(row["attribute"], row["value"]): row for row in score_subgroups(predicted)}
    assert list(rows) == [
        *(("gender", value) for value in ("female", "male")),
        *(("intensity", value) for value in ("normal", "strong")),
        *(("sentence", value) for value in ("1", "2")),
    ]
    assert [row["clips"] for row in rows.values()] == [30, 30, 32, 28, 30, 30]
    labels = np.array(EMOTIONS)[predicted.probabilities.argmax(axis=1)]
    strong = np.array([path.split("-")[3] == "02" for path in predicted.path])
    recalls = [
        recall_score(predicted.truth[chosen], labels[chosen], labels=EMOTIONS[1:], average="macro")
        for chosen in (strong & (predicted.seed == 0), strong & (predicted.seed == 1))
    ]
    assert rows["intensity", "strong"]["uar"] == pytest.approx(np.mean(recalls), abs=1e-4), "over seven emotions"
    assert (rows["gender", "male"]["speakers"], rows["gender", "male"]["seeds"]) == (1, 2)


def test_unknown_and_constant_attributes_are_left_out() -> None:
    assert score_subgroups(predictions(1.0)) == []
    both = make_predictions()
    male = both.speaker == "01"
    columns = {name: column[male] for name, column in vars(both).items() if name != "emotions"}
    assert {row["attribute"] for row in score_subgroups(replace(both, **columns))} == {"intensity", "sentence"}


def test_card_has_the_scores_of_the_fusion(tmp_path: Path) -> None:
    assert card_rows(tmp_path, "mine") == []
    path = oof_files.csv_path(tmp_path, "luna5", "mine", "fusion")
    oof_files.write(make_predictions(), path)
    rows = card_rows(tmp_path, "mine")
    assert [{"protocol": "luna5", "part": "fusion", **row} for row in score_subgroups(make_predictions())] == rows
    text, table = card_blocks({"subgroups": rows})
    assert isinstance(text, Paragraph) and "fusion, luna5" in text.text
    assert isinstance(table, Table)
    assert [line[0] for line in table.rows][2:4] == ["intensity normal", "intensity strong"]
    assert card_blocks({}) == []
    path.write_text("path\n")
    with pytest.raises(InputError, match=r"luna5-mine-fusion\.csv, line 1"):
        card_rows(tmp_path, "mine")
