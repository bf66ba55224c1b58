"""The paper's accuracies next to the rebuilt ones: reached, or the gap."""

import numpy as np

from overtone.datatypes import LeakAudit, Score, Scores
from overtone.evaluation.document import Paragraph, Table
from overtone.evaluation.report import ScoreRow
from tools.report.oof_results import DUPLICATED_CONDITION, PAPER_CONDITION
from tools.report.paper_table import blocks
from tools.report.published_results import PublishedResult

PUBLISHED = {
    part: PublishedResult("x", "y", wa=wa) for part, wa in (("mel", "59.72"), ("prosody", "67"), ("fusion", "90.28"))
}
CHANGES = {"paper-contour-prosody": "contours", "paper-dense-fusion": "dense layer"}


def around(value: float, seen: int = 0) -> ScoreRow:
    """Return scores with this accuracy, of 100 test clips of which `seen` were trained on."""
    score = Score(value, value - 0.05, value + 0.05)
    scores = Scores(("sad",), 100, 100, 24, score, score, score, {}, np.zeros((1, 1)))
    return ScoreRow("x", "paper", scores, LeakAudit(100, 24, 2, 24, 2, seen))


def single(recipe: str, part: str, value: float, seen: int = 0) -> tuple[tuple, ScoreRow]:
    return (PAPER_CONDITION, recipe, part), around(value, seen)


def test_single_change_is_shown_where_the_rebuilt_model_falls_short() -> None:
    measured = dict(
        [
            single("paper", "mel", 0.64),
            single("paper", "prosody", 0.44),
            single("paper", "fusion", 0.703, seen=97),
            single("paper-contour-prosody", "prosody", 0.65),
            single("paper-dense-fusion", "fusion", 0.914),
            single("paper-dense-fusion", "mel", 0.1),
        ]
    )
    table, method = blocks(measured, PUBLISHED, CHANGES)
    assert isinstance(table, Table) and isinstance(method, Paragraph)
    assert table.header[2:4] == ("Rebuilt, WA", "Clip overlap")
    mel, prosody, fusion = table.rows
    assert mel == ("mel", "59.72 WA", "64.0 [59.0, 69.0] (reached)", "0 %", "–", "–")
    assert prosody[2] == "44.0 [39.0, 49.0] (23.0 below)"
    assert prosody[4:] == ("65.0 [60.0, 70.0] (2.0 below)", "paper-contour-prosody: contours")
    assert fusion[2:5] == ("70.3 [65.3, 75.3] (20.0 below)", "97 %", "91.4 [86.4, 96.4] (reached)")


def test_duplicated_clips_are_shown_next_to_single_ones() -> None:
    measured = dict([single("paper", "fusion", 0.7, seen=98)])
    measured[DUPLICATED_CONDITION, "paper", "fusion"] = around(0.95, seen=100)
    table, _ = blocks(measured, PUBLISHED, CHANGES)
    assert isinstance(table, Table)
    assert table.header[2:] == ("Rebuilt, WA", "Clip overlap", "Every clip twice, WA", "Clip overlap, twice")
    assert table.rows[0][2:] == ("70.0 [65.0, 75.0] (20.3 below)", "98 %", "95.0 [90.0, 100.0] (reached)", "100 %")


def test_unmeasured_parts_are_left_out() -> None:
    assert blocks(dict([single("paper", "mel", 0.6)]), {}, {}) == []
    assert blocks({}, PUBLISHED, CHANGES) == []
    table, _ = blocks(dict([single("paper", "fusion", 0.7)]), PUBLISHED, CHANGES)
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["fusion"]
    assert table.header == ("Part", "Published", "Rebuilt, WA", "Clip overlap")
