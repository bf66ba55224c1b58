"""`overtone explain`: formats, parts of recordings, failures."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from synthetic_audio import RATE_HZ, speech_like

from overtone.cli.main import main


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.write(tmp_path_factory.mktemp("model") / "tiny.onnx", adapts=True)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audio") / "clip.wav"
    soundfile.write(path, speech_like(np.random.default_rng(5), 1.0), RATE_HZ)
    return path


def test_text_and_failures(model: Path, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(clip), "missing.wav", "--model", str(model)]) == 1
    printed = capsys.readouterr()
    assert printed.out.startswith(f"{clip}: ")
    assert "0.0 to 0.2 s" in printed.out
    assert "overtone: missing.wav: " in printed.err
    assert "1 of 2" in printed.err


def test_json_of_another_class_and_part(model: Path, clip: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--emotion", "SAD", "--start", "0.2", "--end", "0.9", "--format", "json", "--reference", str(clip)]
    assert main(["explain", str(clip), "--model", str(model), *options]) == 0
    (values,) = json.loads(capsys.readouterr().out)
    assert (values["emotion"], values["start_s"], values["end_s"]) == ("sad", 0.2, 0.9)
    assert values["prediction"]["reference_clips"] == 1
    assert values["prediction"]["path"] == str(clip)


@pytest.mark.parametrize(("name", "start"), [("out.html", b"<!doctype"), ("out.json", b"["), ("out.svg", b"<?xml")])
def test_the_suffix_of_the_output_decides(model: Path, clip: Path, tmp_path: Path, name: str, start: bytes) -> None:
    if name.endswith("svg"):
        pytest.importorskip("matplotlib")
    assert main(["explain", str(clip), "--model", str(model), "--output", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_bytes().startswith(start)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--emotion", "hapy"], "happy"),
        (["--start", "2", "--end", "1"], "--end"),
        (["--start", "-1"], "--start"),
        (["--end", "nan"], "--end"),
        (["--channel", "each"], "--channel"),
        (["--format", "png"], "png"),
    ],
)
def test_wrong_usage(
    model: Path, clip: Path, options: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main(["explain", *options, "--model", str(model), str(clip), str(clip)])
    except SystemExit as exit:
        code = exit.code
    assert code == 2
    assert named in capsys.readouterr().err


def test_an_unknown_suffix_needs_a_format(
    model: Path, clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "why.pdf"
    assert main(["explain", str(clip), "--model", str(model), "--output", str(output)]) == 1
    err = capsys.readouterr().err
    assert str(output) in err and ".svg" in err and "--format" in err and not output.exists()
    assert main(["explain", str(clip), "--model", str(model), "--output", str(output), "--format", "text"]) == 0
    assert output.read_text("utf-8").startswith(f"{clip}: ")


def test_a_failed_clip_leaves_no_picture(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    assert main(["explain", "missing.wav", "--model", str(model), "--output", str(tmp_path / "out.png")]) == 1
    assert not list(tmp_path.iterdir())
    assert "missing.wav" in capsys.readouterr().err
