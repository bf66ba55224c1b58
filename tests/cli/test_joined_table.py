"""`overtone timeline` writes several recordings to one table, and tables in the dialects of Excel."""

import csv
import io
from pathlib import Path

import pytest
import tiny_model

from overtone.cli.main import main

SPEECH = Path(__file__).resolve().parents[2] / "examples" / "speech"
FIRST, SECOND = SPEECH / "level.flac", SPEECH / "quick-bright-high.flac"


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(tiny_model.write(tmp_path / "tiny.onnx"))


@pytest.mark.parametrize("format_name", ["csv", "summary"])
def test_several_recordings_are_one_table(
    model: str, tmp_path: Path, format_name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--model", model, "--format", format_name]
    assert main(["timeline", str(FIRST), "gone.wav", str(SECOND), *options]) == 1
    out, err = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(dict.fromkeys(row["path"] for row in rows)) == [str(FIRST), str(SECOND)]
    assert "gone.wav: no such file" in err
    table = tmp_path / "all.csv"
    assert main(["timeline", str(FIRST), "gone.wav", str(SECOND), *options, "--output", str(table)]) == 1
    assert table.read_text("utf-8") == out
    assert main(["timeline", str(FIRST), str(SECOND), *options, "--output", str(tmp_path / "folder")]) == 0
    assert len(list((tmp_path / "folder").iterdir())) == 2


def test_a_failing_batch_leaves_the_old_table(model: str, tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text("old")
    options = ["--model", model, "--output", str(tmp_path / "all.csv")]
    assert main(["timeline", "gone.wav", "lost.wav", *options]) == 1
    assert (tmp_path / "all.csv").read_text() == "old"


@pytest.mark.parametrize("command", ["timeline", "predict"])
def test_the_dialect_of_german_excel(command: str, model: str, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    options = ["--model", model, "--csv-dialect", "excel-de", "--output", str(table)]
    assert main([command, str(FIRST), str(SECOND), *options]) == 0
    rows = list(csv.DictReader(io.StringIO(table.read_text("utf-8-sig")), delimiter=";"))
    assert {row["path"] for row in rows} == {str(FIRST), str(SECOND)}
    assert all("," in row["confidence"] for row in rows if row["confidence"])


def test_a_dialect_needs_a_table(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timeline", str(FIRST), "--model", model, "--csv-dialect", "excel-de", "--format", "json"]) == 2
    assert "--csv-dialect excel-de: the format is json" in capsys.readouterr().err
