"""No command writes a file whose suffix contradicts its content, or a folder with the name of a file.

The inputs and the model of every command are missing, so an error that names the output shows that it is checked first.
"""

import io
import itertools
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import soundfile
import tiny_model
from synthetic_audio import RATE_HZ, voice

from overtone.cli.comparison_formats import FORMATS as COMPARISON_FORMATS
from overtone.cli.main import COMMANDS, main
from overtone.cli.output import is_device
from overtone.formats import EXPLANATION_FORMATS, PREDICTION_FORMATS, TIMELINE_FORMATS

FILES: dict[str, tuple[list[str], Mapping[str, Any]]] = {
    "predict": (["gone.wav", "--model", "gone.onnx"], PREDICTION_FORMATS),
    "timeline": (["gone.wav", "--model", "gone.onnx"], TIMELINE_FORMATS),
    "listen": (["--model", "gone.onnx"], TIMELINE_FORMATS),
    "convert": (["gone.json"], TIMELINE_FORMATS),
    "explain": (["gone.wav", "--model", "gone.onnx"], EXPLANATION_FORMATS),
    "compare": (["gone", "lost"], COMPARISON_FORMATS),
}
FOLDERS = {
    "batch": ["gone.wav", "--output"],
    "finetune": ["gone.csv", "--output"],
    "train": ["--data", "gone", "--output"],
    "reproduce": ["--data", "gone", "--output"],
    "evaluate": ["--data", "gone", "--oof"],
    "experiment": ["gone.toml", "--runs"],
}
SUFFIXES = (".parquet", ".PNG", ".json", ".csv", ".eaf", ".md", ".wav", ".xlsx", ".csv.gz", ".summary.csv", ".m.onnx")


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder, with a package for the microphone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "sounddevice", ModuleType("sounddevice"))


def fits(suffix: str, own: str) -> bool:
    return Path(f"x{own}").suffix.lower() == Path(f"x{suffix}").suffix.lower()


def test_every_command_with_an_output_is_in_the_tables(capsys: pytest.CaptureFixture[str]) -> None:
    with_output = set()
    for command in COMMANDS:
        with pytest.raises(SystemExit):
            main([command.name, "--help"])
        options = capsys.readouterr().out
        if any(option in options for option in ("--output", "--oof", "--runs")):
            with_output.add(command.name)
    assert with_output == {*FILES, *FOLDERS}


@pytest.mark.parametrize("command", FILES)
@pytest.mark.parametrize("suffix", [".sub", ".prquet", ".wav", ".xlsx", ".csv.gz"])
def test_an_unknown_suffix_is_refused_and_the_known_ones_are_listed(
    command: str, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, formats = FILES[command]
    assert main([command, *arguments, "--output", f"x{suffix}"]) != 0
    err = capsys.readouterr().err
    assert f"x{suffix}" in err and "--format" in err and "gone" not in err
    for row in formats.values():
        assert row.suffix in err
    assert not list(Path().iterdir())


@pytest.mark.parametrize("command", FILES)
def test_a_suffix_of_another_format_is_refused(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, formats = FILES[command]
    refused = 0
    for (name, row), suffix in itertools.product(formats.items(), SUFFIXES):
        if fits(suffix, row.suffix):
            continue
        assert main([command, *arguments, "--format", name, "--output", f"x{suffix}"]) != 0
        err = capsys.readouterr().err
        assert f"x{suffix}" in err and f"--format {name}" in err and "gone" not in err, (name, suffix)
        assert not list(Path().iterdir())
        refused += 1
    assert refused > 8 * len(formats)


@pytest.mark.parametrize("command", [name for name in FILES if name != "listen"])
def test_fitting_suffixes_and_those_that_say_nothing_are_accepted(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, formats = FILES[command]
    for name, row in formats.items():
        last = Path(f"x{row.suffix}").suffix
        names = (f"x{row.suffix}", f"x{last.upper()}", f"x.summary{last}", f"x.labels{last}", f"x.csv{last}")
        for output in (*names, "x.data", "x", "/dev/null"):
            assert main([command, *arguments, "--format", name, "--output", output]) != 0
            err = capsys.readouterr().err
            assert "gone" in err and "contradicts" not in err, (name, output)
        is_refused = row.is_binary
        main([command, *arguments, "--format", name, "--output", "x.txt"])
        assert ("contradicts" in capsys.readouterr().err) == is_refused, name


@pytest.mark.parametrize("command", [name for name in FILES if name != "listen"])
def test_a_date_or_a_version_is_no_suffix(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    for output in ("run.2026-11-30", "run.2", "run."):
        assert main([command, *FILES[command][0], "--output", output]) != 0
        assert "gone" in capsys.readouterr().err


@pytest.mark.parametrize(("suffix", "has_format"), [(".tsv", False), (".json", True)])
def test_the_remedy_leads_to_a_file(suffix: str, has_format: bool, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", *FILES["predict"][0], "--format", "csv", "--output", f"x{suffix}"]) != 0
    assert ("leave out --format" in capsys.readouterr().err) == has_format


@pytest.mark.skipif(not Path("/dev/fd").is_dir(), reason="no descriptors as files on this system")
def test_a_file_that_the_shell_redirects_to_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    model = str(tiny_model.write(tmp_path / "tiny.onnx"))
    soundfile.write("a.wav", voice(150, 1.0), RATE_HZ)
    target = tmp_path / "redirected"
    target.write_text("earlier lines\n")
    with target.open("a") as file:
        output = f"/dev/fd/{file.fileno()}"
        assert main(["predict", "a.wav", "--model", model, "--format", "csv", "--output", output]) == 0
    first, header, row = target.read_text().splitlines()
    assert first == "earlier lines" and header.startswith("path,") and row.startswith("a.wav,")
    assert not Path("/dev/stdout").exists() or is_device(Path("/dev/stdout")), "replacing it would break the system"
    assert not is_device(target) and not is_device(tmp_path) and not is_device(tmp_path / "gone")


@pytest.mark.parametrize("command", FOLDERS)
def test_a_slash_says_that_a_name_is_that_of_a_folder(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, *FOLDERS[command], "x.parquet/"]) != 0
    err = capsys.readouterr().err
    assert "expected a folder" not in err and ("gone" in err or Path("x.parquet/failures.csv").exists())


@pytest.mark.parametrize("command", FOLDERS)
@pytest.mark.parametrize("name", ["x.csv", "x.PARQUET", "x.onnx", "x.wav", "deep/x.jsonl"])
def test_a_folder_is_not_called_like_a_file(command: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main([command, *FOLDERS[command], name])
    err = capsys.readouterr().err
    assert exit_info.value.code == 2 and name in err and "folder" in err
    assert not list(Path().iterdir())


def test_the_folder_of_several_timelines_is_not_called_like_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["timeline", "gone.wav", "lost.wav", "--model", "gone.onnx", "--output"]
    for name in ("x.json", "x.parquet", "x.wav"):
        assert main([*command, name]) == 1
        assert name in capsys.readouterr().err and not Path(name).exists()
    for name in ("x", "study.2026", "x.csv"):  # of csv, the table of all recordings
        assert main([*command, name]) == 1
        assert "gone.onnx" in capsys.readouterr().err
    Path("old.json").mkdir()
    assert main([*command, "old.json"]) == 1
    assert "gone.onnx" in capsys.readouterr().err


def test_a_missing_package_is_named_before_anything_is_recognised(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    for command, suffix, extra in (
        ("predict", ".parquet", "parquet"),
        ("timeline", ".parquet", "parquet"),
        ("timeline", ".png", "pictures"),
        ("convert", ".svg", "pictures"),
        ("explain", ".png", "pictures"),
        ("listen", ".svg", "pictures"),
    ):
        assert main([command, *FILES[command][0], "--output", f"x{suffix}"]) == 1
        err = capsys.readouterr().err
        assert f"pip install 'overtone[{extra}]'" in err and "gone" not in err


@pytest.mark.parametrize(
    "command", [name for name, (_, formats) in FILES.items() if any(row.is_binary for row in formats.values())]
)
def test_a_terminal_gets_no_binary_output(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, formats = FILES[command]
    binary = [name for name, row in formats.items() if row.is_binary]
    for name in binary:
        assert main([command, *arguments, "--format", name]) == 1, "another error: the input does not exist"
    assert "--output" not in capsys.readouterr().err
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    for name in binary:
        assert main([command, *arguments, "--format", name]) != 0
        assert "--output" in capsys.readouterr().err


def test_predictions_as_parquet(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow comes with the [parquet] extra")
    model = str(tiny_model.write(tmp_path / "tiny.onnx"))
    for number, name in enumerate(("a.wav", "ä.wav")):
        soundfile.write(tmp_path / name, voice(150 + 50 * number, 1.0), RATE_HZ)
    command = ["predict", "a.wav", "gone.wav", "ä.wav", "--model", model]
    assert main([*command, "--output", "p.parquet"]) == 1
    assert main([*command, "--output", "p.csv"]) == 1
    table = parquet.read_table("p.parquet")
    assert table["path"].to_pylist() == ["a.wav", "ä.wav"]
    assert ",".join(table.column_names) == Path("p.csv").read_text("utf-8").splitlines()[0]
    assert str(table.schema.field("p_sad").type) == "double" and str(table.schema.field("uncertain").type) == "bool"
    capfdbinary.readouterr()
    assert main([*command, "--format", "parquet"]) == 1
    assert parquet.read_table(io.BytesIO(capfdbinary.readouterr().out)).equals(table)
