"""The table of `results/scale.json` and its extrapolation to a million hours."""

import json
from pathlib import Path

import pytest
from results_files import SCALE

from overtone.errors import InputError
from overtone.evaluation.document import to_markdown
from tools.report.scale_table import blocks


def test_table_and_extrapolation(tmp_path: Path) -> None:
    path = tmp_path / "scale.json"
    path.write_text(json.dumps(SCALE))
    text = to_markdown(blocks(path))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    assert rows[2:] == [
        ["1 node", "72.0", "1.00", "500", "2.00"],
        ["2 nodes", "40.0", "1.80", "444", "2.25"],
        ["2 nodes, 1 killed", "60.0", "1.20", rows[4][3], rows[4][4]],
    ]
    assert rows[4][3] == rows[4][4] and not any(sign.isdigit() for sign in rows[4][3])
    assert "0 inputs lost, 0 duplicated" in text
    # 1e6 h x 2.25 / 1000; 720 inputs an hour; 7.2e8 x 500 bytes
    assert "a million hours take 2,250 core-hours, 2.2 hours on 1,000 cores" in text
    assert "720 million inputs" in text and "at 500 bytes each, take 360 GB" in text


def test_missing_and_damaged_files(tmp_path: Path) -> None:
    assert blocks(tmp_path / "scale.json") == []
    (tmp_path / "scale.json").write_text("{}")
    with pytest.raises(InputError, match=r"scale\.json.*benchmarks\.scale"):
        blocks(tmp_path / "scale.json")
