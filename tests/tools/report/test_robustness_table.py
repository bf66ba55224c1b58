"""The tables of `results/robustness.json`."""

import json
from pathlib import Path
from typing import Any

import pytest

from overtone.errors import InputError
from overtone.evaluation.document import to_markdown
from tools.report.robustness_table import blocks, summary_blocks

UAR = {("ravdess", "clean"): 0.7, ("emodb", "clean"): 0.6, ("ravdess", "hum"): 0.5, ("emodb", "hum"): 0.2}


def content(**changes: Any) -> dict[str, Any]:
    """Return the content of a file: two corpora under two conditions."""
    rows = [
        {
            **{"protocol": "luna5", "recipe": "overtone", "corpus": corpus, "condition": condition, "n": 40},
            **{"uar": uar, "changed": 0.25 * (condition == "hum"), "sure": 0.5, "sure_wrong": 0.125},
        }
        for (corpus, condition), uar in UAR.items()
    ]
    return {"conditions": {"clean": "the clip itself", "hum": "a transformer"}, "rows": rows} | changes


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "robustness.json"
    file.write_text(json.dumps(content()))
    return file


def test_one_row_per_condition_and_one_column_per_corpus(path: Path) -> None:
    text = to_markdown(blocks(path))
    assert "| Condition | UAR | emodb | ravdess | Changed | Sure | Sure and wrong |" in text
    assert "| clean | 65.0 | 60.0 | 70.0 | 0 % | 50 % | 12 % |" in text
    assert "| hum | 35.0 | 20.0 | 50.0 | 25 % | 50 % | 12 % |" in text
    assert "| hum | a transformer |" in text and "emodb 40, ravdess 40" in text


def test_the_summary_names_the_hardest_condition(path: Path) -> None:
    text = to_markdown(summary_blocks(path))
    assert "65.0 on clean clips" in text and "35.0 under the hardest, hum" in text
    assert len(text.strip().splitlines()) == 1, "the page is short"


def test_no_tables_without_a_file(tmp_path: Path) -> None:
    assert blocks(tmp_path / "robustness.json") == summary_blocks(tmp_path / "robustness.json") == []


@pytest.mark.parametrize(
    "damaged", ["", "[]", json.dumps(content(rows=[{}])), json.dumps(content(rows=content()["rows"][1:]))]
)
def test_the_error_names_a_damaged_file(tmp_path: Path, damaged: str) -> None:
    file = tmp_path / "robustness.json"
    file.write_text(damaged)
    with pytest.raises(InputError, match=r"robustness\.json: .*python -m benchmarks\.robustness"):
        blocks(file)
