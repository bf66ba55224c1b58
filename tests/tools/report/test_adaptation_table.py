"""The table of `results/adaptation.json`."""

import json
from pathlib import Path

import pytest

from overtone.errors import InputError
from overtone.evaluation.document import to_markdown
from tools.report.adaptation_table import blocks

ROWS = [
    {"adapted_to": "0 clips", "uar": 0.68, "uar_low": 0.64, "uar_high": 0.73, "clips": 1440},
    {"adapted_to": "10 clips", "uar": 0.732, "uar_low": 0.696, "uar_high": 0.767, "clips": 1440},
]


def test_one_row_per_number_of_clips(tmp_path: Path) -> None:
    path = tmp_path / "adaptation.json"
    path.write_text(json.dumps({"runs": "luna5-overtone", "random_subsets": 5, "rows": ROWS}))
    text = to_markdown(blocks(path))
    assert "| 0 clips | 68.0 [64.0, 73.0] |" in text and "| 10 clips | 73.2 [69.6, 76.7] |" in text
    assert "1440 clips" in text and "luna5-overtone" in text and "over 5 draws" in text


def test_no_table_without_a_file(tmp_path: Path) -> None:
    assert blocks(tmp_path / "adaptation.json") == []


@pytest.mark.parametrize(
    "content", ["", "{}", '{"rows": []}', '{"rows": [{"uar": 1}], "random_subsets": 1, "runs": ""}', "[]"]
)
def test_error_names_a_damaged_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "adaptation.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"adaptation\.json: .*python -m benchmarks\.adaptation"):
        blocks(path)
