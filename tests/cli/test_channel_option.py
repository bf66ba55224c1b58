"""`--channel` of the commands that recognise files: the results of a side of a call are those of its mono file."""

import base64
import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model

from overtone.audio.decode import read
from overtone.cli.main import main

SPEECH = Path(__file__).resolve().parent.parent.parent / "examples" / "speech"
RATE_HZ = 16_000
CHANNELS = [("left", 0), ("2", 1)]


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(tiny_model.write(tmp_path / "tiny.onnx", adapts=True))


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """A folder with a stereo call `call.flac`, a mono one `mono.flac`; and the sides of the call in `sides`."""
    folder = tmp_path / "calls"
    (tmp_path / "sides").mkdir()
    folder.mkdir()
    speech = read(SPEECH / "level.flac").samples
    call = np.stack([speech, 0.3 * speech[::-1]], 1)
    soundfile.write(folder / "call.flac", call, RATE_HZ)
    soundfile.write(folder / "mono.flac", speech, RATE_HZ)
    for side in range(2):
        soundfile.write(tmp_path / "sides" / f"side-{side}.flac", call[:, side], RATE_HZ)
    return folder


def rows(text: str, channel: str = "") -> list[dict]:
    """The predictions in a JSON document, without the names of the files and this channel."""
    found = json.loads(text)
    assert all(row.get("channel", "") == channel for row in found)
    return [{**{key: value for key, value in row.items() if key != "channel"}, "path": ""} for row in found]


@pytest.mark.parametrize(("channel", "side"), CHANNELS)
def test_predict(model: str, calls: Path, channel: str, side: int, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--model", model, "--format", "json"]
    assert main(["predict", str(calls.parent / "sides" / f"side-{side}.flac"), *options]) == 0
    expected = rows(capsys.readouterr().out)
    assert main(["predict", str(calls / "call.flac"), *options]) == 0
    assert rows(capsys.readouterr().out) != expected
    assert main(["predict", str(calls), *options, "--channel", channel]) == 1
    out, err = capsys.readouterr()
    assert rows(out, channel) == expected
    missing = "left channel" if channel == "left" else f"channel {channel}"
    assert err.splitlines() == [
        f"overtone: {calls / 'mono.flac'}: has 1 channel, so there is no {missing}; choose mix",
        "overtone: 1 of 2 could not be recognised",
    ]


@pytest.mark.parametrize(("channel", "side"), CHANNELS)
def test_timeline(model: str, calls: Path, channel: str, side: int, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--model", model, "--format", "json"]
    assert main(["timeline", str(calls.parent / "sides" / f"side-{side}.flac"), *options]) == 0
    expected = {**json.loads(capsys.readouterr().out), "path": ""}
    assert main(["timeline", str(calls / "call.flac"), *options, "--channel", channel]) == 0
    assert {**json.loads(capsys.readouterr().out), "path": ""} == expected
    out = calls.parent / "out"
    assert main(["timeline", str(calls), *options, "--channel", channel, "--output", str(out)]) == 1
    assert f"{calls / 'mono.flac'}: has 1 channel" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["call.json"]


def test_the_page_of_a_timeline_plays_the_channel(model: str, calls: Path) -> None:
    played = []
    for path, options in ((calls / "call.flac", ["--channel", "right"]), (calls.parent / "sides" / "side-1.flac", [])):
        page = calls.parent / f"{path.stem}.html"
        assert main(["timeline", str(path), "--model", model, "--output", str(page), *options]) == 0
        (audio,) = re.findall(r'id="audio-data">([A-Za-z0-9+/=]+)<', page.read_text("utf-8"))
        played.append(read(base64.b64decode(audio)).samples)
    np.testing.assert_array_equal(*played)


def test_reference_clips_have_the_same_channel(model: str, calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    side, call = str(calls.parent / "sides" / "side-1.flac"), str(calls / "call.flac")
    options = ["--model", model, "--format", "json"]
    assert main(["predict", side, *options, *["--reference", side] * 3]) == 0
    expected = rows(capsys.readouterr().out)
    assert expected[0]["reference_clips"] == 3
    assert main(["predict", call, *options, *["--reference", call] * 3, "--channel", "right"]) == 0
    assert rows(capsys.readouterr().out, "right") == expected
    assert main(["predict", call, *options, *["--reference", str(calls)] * 3, "--channel", "right"]) == 1
    assert rows(capsys.readouterr().out, "right") == expected


@pytest.mark.parametrize(("channel", "side"), CHANNELS)
@pytest.mark.parametrize("reference", ["none", "clips", "group"])
def test_batch(model: str, calls: Path, channel: str, side: int, reference: str) -> None:
    outputs = []
    for name, path, options in (
        ("one", calls / "call.flac", ["--channel", channel]),
        ("two", calls.parent / "sides" / f"side-{side}.flac", []),
    ):
        manifest = calls.parent / f"{name}.csv"
        manifest.write_text("path,start_s,end_s\n" + "".join(f"{path},{k / 5},{k / 5 + 0.5}\n" for k in range(4)))
        if reference == "clips":
            options = [*options, *["--reference", str(path)] * 3]
        if reference == "group":
            manifest.write_text(manifest.read_text().replace("\n", ",anna\n").replace("end_s,anna", "end_s,speaker"))
            options = [*options, "--reference-by", "speaker"]
        command = ["batch", str(manifest), "--output", str(calls.parent / name), "--processes", "1", "--model", model]
        assert main([*command, *options]) == 0
        outputs.append(list(csv.DictReader((calls.parent / name / "predictions.csv").read_text("utf-8").splitlines())))
        assert {row.pop("path") for row in outputs[-1]} == {str(path)}
    assert {row.pop("channel") for row in outputs[0]} == {channel}
    assert outputs[0] == outputs[1]


def test_a_batch_lists_files_without_the_channel(model: str, calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = calls.parent / "out"
    command = ["batch", str(calls), "--output", str(out), "--model", model, "--processes", "1"]
    assert main([*command, "--channel", "right"]) == 1
    assert "overtone: 1 of 2 inputs could not be recognised" in capsys.readouterr().err
    (failure,) = csv.DictReader((out / "failures.csv").read_text("utf-8").splitlines())
    error = f"{calls / 'mono.flac'}: has 1 channel, so there is no right channel; choose mix"
    assert failure == {"path": str(calls / "mono.flac"), "channel": "right", "error": error}
    assert main([*command, "--channel", "right"]) == 1  # finished already
    capsys.readouterr()
    assert main(command) == 1
    assert "differs in channel; choose another" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["predict", "timeline", "batch --output out"])
@pytest.mark.parametrize("channel", ["both", "0", "-1", ""])
def test_anything_else_is_a_usage_error(command: str, channel: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main([*command.split(), "call.wav", f"--channel={channel}"])
    assert error.value.code == 2
    assert "argument --channel: expected mix, each, left, right or a number from 1, got" in capsys.readouterr().err
