"""The table of `results/interviews.json`."""

import json
from pathlib import Path

import pytest

from overtone.errors import InputError
from overtone.evaluation.document import to_markdown
from tools.report.interviews_table import blocks


def row(corpus: str, truth: float, estimate: float, low: float, high: float) -> dict[str, object]:
    """Return a row with a sure share of 0 and a predicted share of 0.5."""
    shares = {"truth": truth, "share": 0.0, "predicted": 0.5, "uncertain_share": 0.25}
    emotion = {"emotion": "sad" if truth else "happy"}
    return {"corpus": corpus, "interview": 0, **emotion, **shares, "estimate": estimate, "low": low, "high": high}


def test_errors_coverage_and_width(tmp_path: Path) -> None:
    rows = [row("a", 0.4, 0.3, 0.1, 0.5), row("a", 0.0, 0.3, 0.1, 0.6), row("b", 0.6, 0.2, 0.0, 0.3)]
    path = tmp_path / "interviews.json"
    path.write_text(json.dumps({"minutes": 12.0, "speakers": 3, "recipe": "encoder", "rows": rows}))
    text = to_markdown(blocks(path))
    lines = text.splitlines()
    assert "percentile: 32, 40, 48; 0 per cent" in text
    assert "from 0 to 100 per cent for every emotion, and covers 100 per cent" in text, "of two emotions"
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line[:1] == "|"][2:]
    assert cells == [
        ["a", "1", "2", "25", "20", "30", "20", "50", "50", "100", "45"],
        ["b", "1", "1", "25", "60", "10", "40", "0", "0", "0", "30"],
        ["**all**", "2", "3", "25", "33", "23", "27", "33", "33", "50", "40"],
    ]


def test_missing_and_damaged_files(tmp_path: Path) -> None:
    assert blocks(tmp_path / "interviews.json") == []
    (tmp_path / "interviews.json").write_text("{}")
    with pytest.raises(InputError, match=r"interviews\.json.*benchmarks\.interviews"):
        blocks(tmp_path / "interviews.json")
