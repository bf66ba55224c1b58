"""The paper beside our rebuild: what is reached is called so, what is not says by how much."""

from overtone.datatypes import Score
from overtone.evaluation.document import Paragraph, Table
from tools.report.paper_table import blocks
from tools.report.published_results import PublishedResult

PUBLISHED = {
    part: PublishedResult("x", "y", wa=wa) for part, wa in (("mel", "59.72"), ("prosody", "67"), ("fusion", "90.28"))
}


def around(value: float) -> Score:
    return Score(value, value - 0.05, value + 0.05)


def test_a_single_change_stands_where_the_rebuild_stays_under() -> None:
    measured = {
        ("paper", "mel"): around(0.64),
        ("paper", "prosody"): around(0.44),
        ("paper", "fusion"): around(0.703),
        ("contours", "prosody"): around(0.65),
        ("dense", "fusion"): around(0.914),
        ("dense", "mel"): around(0.1),
    }
    table, words = blocks(measured, PUBLISHED)
    assert isinstance(table, Table) and isinstance(words, Paragraph)
    mel, prosody, fusion = table.rows
    assert mel[:4] == ("mel", "59.72 WA", "64.0 [59.0, 69.0] (reached)", "–")
    assert prosody[2:4] == ("44.0 [39.0, 49.0] (23.0 short)", "65.0 [60.0, 70.0] (2.0 short)")
    assert str(prosody[4]).startswith("contours: ")
    assert fusion[2:4] == ("70.3 [65.3, 75.3] (20.0 short)", "91.4 [86.4, 96.4] (reached)")


def test_what_was_not_measured_is_left_out() -> None:
    assert blocks({("paper", "mel"): around(0.6)}, {}) == []
    assert blocks({}, PUBLISHED) == []
    table, _ = blocks({("paper", "fusion"): around(0.7)}, PUBLISHED)
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["fusion"] and table.rows[0][3] == "–"
