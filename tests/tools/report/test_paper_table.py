"""The paper's accuracies next to the rebuilt ones: reached, or the gap."""

from overtone.datatypes import Score
from overtone.evaluation.document import Paragraph, Table
from tools.report.paper_table import blocks
from tools.report.published_results import PublishedResult

PUBLISHED = {
    part: PublishedResult("x", "y", wa=wa) for part, wa in (("mel", "59.72"), ("prosody", "67"), ("fusion", "90.28"))
}
CHANGES = {"paper-contour-prosody": "contours", "paper-dense-fusion": "dense layer"}


def around(value: float) -> Score:
    return Score(value, value - 0.05, value + 0.05)


def test_single_change_is_shown_where_the_rebuilt_model_falls_short() -> None:
    measured = {
        ("paper", "mel"): around(0.64),
        ("paper", "prosody"): around(0.44),
        ("paper", "fusion"): around(0.703),
        ("paper-contour-prosody", "prosody"): around(0.65),
        ("paper-dense-fusion", "fusion"): around(0.914),
        ("paper-dense-fusion", "mel"): around(0.1),
    }
    table, method = blocks(measured, PUBLISHED, CHANGES)
    assert isinstance(table, Table) and isinstance(method, Paragraph)
    mel, prosody, fusion = table.rows
    assert mel == ("mel", "59.72 WA", "64.0 [59.0, 69.0] (reached)", "–", "–")
    assert prosody[2:4] == ("44.0 [39.0, 49.0] (23.0 below)", "65.0 [60.0, 70.0] (2.0 below)")
    assert prosody[4] == "paper-contour-prosody: contours"
    assert fusion[2:4] == ("70.3 [65.3, 75.3] (20.0 below)", "91.4 [86.4, 96.4] (reached)")


def test_unmeasured_parts_are_left_out() -> None:
    assert blocks({("paper", "mel"): around(0.6)}, {}, {}) == []
    assert blocks({}, PUBLISHED, CHANGES) == []
    table, _ = blocks({("paper", "fusion"): around(0.7)}, PUBLISHED, CHANGES)
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["fusion"] and table.rows[0][3] == "–"
