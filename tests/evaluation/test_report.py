"""Reports: all scores and figures, in Markdown and HTML."""

from pathlib import Path

import numpy as np
import pytest

from overtone.corpora.ravdess import EMOTIONS
from overtone.datatypes import ClassScore, LeakAudit, Score, Scores
from overtone.evaluation.document import Picture, Strong
from overtone.evaluation.report import (
    Report,
    ScoreRow,
    audit_cells,
    blocks,
    class_table,
    extremes_table,
    score_table,
    write,
)


def make_scores(**changes: object) -> Scores:
    recalls = [0.1, 0.9, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    classes = {name: ClassScore(0.25, r, 0.35, 12) for name, r in zip(EMOTIONS, recalls, strict=True)}
    rates = {"uar": Score(0.6, 0.55, 0.65), "wa": Score(0.62, 0.5, 0.7), "macro_f1": Score(0.58, 0.4, 0.6)}
    return Scores(
        **{
            "emotions": EMOTIONS,
            "n": 96,
            "clips": 48,
            "speakers": 24,
            **rates,
            "classes": classes,
            "confusion": np.eye(8, dtype=int),
            "seeds": 2,
            "seed_spread": 0.012,
            **changes,
        }
    )


ROW = ScoreRow("paper recipe, mel", "luna5", make_scores(), LeakAudit(1440, 24, 2, 0, 2, 0))


def test_score_table_has_every_score() -> None:
    table = score_table([ROW])
    line = dict(zip(table.header, table.rows[0], strict=True))
    assert line == {
        "Model": "paper recipe, mel",
        "Protocol": "luna5",
        "UAR": "60.0 [55.0, 65.0]",
        "WA": "62.0 [50.0, 70.0]",
        "Macro-F1": "58.0 [40.0, 60.0]",
        "Clips": "48",
        "Speakers": "24",
        "Seeds": "2 (±1.2)",
        "Test clips trained on": "0 %",
        "Speakers trained on": "0 %",
        "Sentences trained on": "100 %",
    }


def test_published_column_appears_only_with_published_scores() -> None:
    table = score_table([ROW, ScoreRow("x", "paper", make_scores(), published="90.3 WA")], strong=[ROW])
    assert [line[-1] for line in table.rows] == ["–", "90.3 WA"]
    assert [isinstance(line[0], Strong) for line in table.rows] == [True, False]


@pytest.mark.parametrize(
    ("seen", "shown"), [(0, "0 %"), (1, "< 1 %"), (10, "1 %"), (995, "> 99 %"), (999, "> 99 %"), (1000, "100 %")]
)
def test_small_leak_is_not_rounded_to_zero(seen: int, shown: str) -> None:
    assert audit_cells(LeakAudit(1000, 0, 0, 0, 0, seen)) == (shown, "–", "–")
    assert audit_cells(None) == ("–", "–", "–")


def test_best_and_worst_class() -> None:
    assert extremes_table([ROW]).rows[0][2:] == ("calm (90.0)", "neutral (10.0)")
    absent = {**make_scores().classes, "neutral": ClassScore(0, 0, 0, 0)}
    assert extremes_table([ScoreRow("x", "y", make_scores(classes=absent))]).rows[0][3] == "happy (30.0)"


def test_class_table() -> None:
    assert class_table(make_scores()).rows[1] == ("calm", "25.0", "90.0", "35.0", "12")


def test_markdown_and_html_are_written(tmp_path: Path) -> None:
    picture = Picture("mel-confusion.png", "Confusion", b"\x89PNG...")
    report = Report("Reproduction of the paper", ("Description.",), (ROW,), (picture,))
    markdown, page = write(report, tmp_path / "run")
    assert {p.relative_to(tmp_path / "run").as_posix() for p in (tmp_path / "run").rglob("*.*")} == {
        "report.md",
        "report.html",
        "figures/mel-confusion.png",
    }
    for text in (markdown.read_text("utf-8"), page.read_text("utf-8")):
        for expected in (
            "Reproduction of the paper",
            "Description.",
            "60.0",
            "calm (90.0)",
            "Confusion",
            "speakers",
            "±1.2",
        ):
            assert expected.replace("(", r"\(") in text or expected in text
    assert (tmp_path / "run" / "figures" / picture.name).read_bytes() == picture.png
    assert f"(figures/{picture.name})" in markdown.read_text("utf-8")


def test_intervals_over_clips_are_mentioned() -> None:
    rows = (ROW, ScoreRow("no names", "random", make_scores(interval_over="clips", speakers=0)))
    text = " ".join(str(block) for block in blocks(Report("t", rows=rows)))
    assert "too narrow" in text
    assert "for: no names." in text
    assert "too narrow" not in " ".join(str(block) for block in blocks(Report("t", rows=(ROW,))))


def test_empty_report_has_only_a_title() -> None:
    assert len(blocks(Report("t"))) == 1
