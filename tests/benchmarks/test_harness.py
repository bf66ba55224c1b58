"""What the benchmarks share: parsers, and results files that are continued, never overwritten by mistake."""

import json
from pathlib import Path

import pytest

from benchmarks import finetune, interviews, serve
from benchmarks.harness import make_parser, read_stored, write_results
from overtone.errors import OvertoneError


def test_a_parser_is_described_by_the_first_line() -> None:
    parser = make_parser("speed", "How fast it is.\n\nMore about it.")
    assert (parser.prog, parser.description) == ("python -m benchmarks.speed", "How fast it is.")


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    assert read_stored(path, lambda content: content["rows"]) == []
    write_results(path, {"rows": [1.23456789], "mean": 1.23456789}, rounded=False)
    assert json.loads(path.read_text()) == {"rows": [1.23456789], "mean": 1.23456789}
    write_results(path, {"mean": 1.23456789}, indent=1)
    assert path.read_text() == '{\n "mean": 1.235\n}\n'
    assert read_stored(path, lambda content: content.items()) == [("mean", 1.235)]


@pytest.mark.parametrize("content", ["", "no JSON", "[]", "3", '{"other": 1}', "\ufeff{}"])
def test_other_files_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(content, "utf-8")
    with pytest.raises(OvertoneError, match=r"other\.json"):
        read_stored(path, lambda found: found["rows"])


@pytest.mark.parametrize("name", ["finetune", "interviews", "serve"])
def test_a_benchmark_leaves_other_files_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    output = tmp_path / "other.json"
    output.write_text("[1]", "utf-8")
    options = ["--output", str(output), "--data", str(tmp_path)]
    mains = {
        "finetune": lambda: finetune.main([*options, "--runs", str(tmp_path)]),
        "interviews": lambda: interviews.main([*options, "--models", str(tmp_path)]),
        "serve": lambda: serve.main(options),
    }
    assert mains[name]() == 1
    assert f"{name}: {output}: " in capsys.readouterr().err
    assert output.read_text("utf-8") == "[1]"
