"""The table of `results/batch.json`."""

import json
from pathlib import Path

import pytest
from results_files import BATCH

from overtone.errors import InputError
from overtone.evaluation.document import to_markdown
from tools.report.batch_table import blocks


def test_one_row_per_number_of_processes(tmp_path: Path) -> None:
    path = tmp_path / "batch.json"
    path.write_text(json.dumps(BATCH))
    text = to_markdown(blocks(path))
    assert "| 1 | 12.0 | 83 | 1.00 |" in text and "| 4 | 4.0 | 250 | 3.00 |" in text
    assert "1000 files: 950 RAVDESS clips" in text and "50 broken files of 2 kinds" in text
    assert "Median of 3 batches, on 4 cores of Some CPU" in text


def test_no_table_without_a_file(tmp_path: Path) -> None:
    assert blocks(tmp_path / "batch.json") == []


@pytest.mark.parametrize(
    "content",
    [
        *("", "{}", "[]", '{"seconds": {"2 processes": 1}}', '{"seconds": {"1 process": 1}, "files": 2}'),
        json.dumps(BATCH | {"seconds": {"1 process": 0}}),
    ],
)
def test_error_names_a_damaged_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "batch.json"
    path.write_text(content)
    with pytest.raises(InputError, match=r"batch\.json: .*python -m benchmarks\.batch"):
        blocks(path)
