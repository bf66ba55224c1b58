"""The table of the fine-tuning benchmark."""

import json
from pathlib import Path

import pytest

from overtone.errors import InputError
from overtone.evaluation.document import to_markdown
from tools.report.finetune_table import blocks


def write(path: Path, gain: float) -> Path:
    """Write the results of two corpora, two sizes and two draws."""
    rows = [
        {
            "corpus": corpus, "size": size, "draw": draw, "clips": 6 * size, "speakers": 3, "test_clips": 100,
            "test_speakers": 5, "epochs": 4, "bundled": 0.5 + 0.02 * draw, "linear": 0.4, "finetuned": 0.5 + gain,
            "expected": 0.4 + gain, "seconds": 20.0,
        }
        for corpus in ("emodb", "emovo") for size in (5, 10) for draw in (0, 1)
    ]  # fmt: skip
    path.write_text(json.dumps({"labels": "7-classes", "draws": rows}), "utf-8")
    return path


def test_the_table_has_a_row_per_size_and_model_and_the_targets(tmp_path: Path) -> None:
    text = to_markdown(blocks(write(tmp_path / "finetune.json", 0.1)))
    assert (
        "| 5 | as it is | 51.0 | 51.0 | 51.0 |" in text
        and "| **fine-tuned** | **60.0** | **60.0** | **60.0** |" in text
    )
    assert "mean of 2 draws" in text and "differ from those of the tested speakers by 10.0 points" in text
    assert "gain over 'as it is', at least 8 points | 9 points | **met**" in text
    assert "gain over 'linear, from scratch', at least 8 points | 20 points | **met**" in text
    assert "missed" in to_markdown(blocks(write(tmp_path / "finetune.json", 0.05)))


def test_sizes_with_fewer_draws_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "finetune.json", 0.1)
    content = json.loads(path.read_text("utf-8"))
    kept = [row for row in content["draws"] if (row["size"], row["corpus"], row["draw"]) != (5, "emovo", 1)]
    path.write_text(json.dumps({**content, "draws": kept}), "utf-8")
    assert "mean of 2 draws (at least 1 of 5 clips per class)" in to_markdown(blocks(path))


def test_without_results_there_is_no_table_and_damaged_ones_are_an_error(tmp_path: Path) -> None:
    assert blocks(tmp_path / "finetune.json") == []
    (tmp_path / "finetune.json").write_text("{}", "utf-8")
    with pytest.raises(InputError, match=r"python -m benchmarks\.finetune"):
        blocks(tmp_path / "finetune.json")
