"""`--channel each`: every channel of a recording is a speaker, in predictions, timelines and batches."""

import base64
import csv
import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import soundfile
import tiny_model

from overtone.audio.decode import read
from overtone.cli.main import main
from overtone.formats import PREDICTION_FORMATS, TIMELINE_FORMATS
from overtone.speaker_turns import read_turns

SPEECH = Path(__file__).resolve().parents[2] / "examples" / "speech"
RATE_HZ = 16_000
NAMES = ("agent", 'say "hé", Anna')
NAMES_OPTION = '--channel-names=agent,"say ""hé"", Anna"'


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_model.write(tmp_path_factory.mktemp("model") / "tiny.onnx", adapts=True))


@pytest.fixture
def calls(tmp_path: Path) -> Path:
    """A folder with a stereo call `call.flac`, a mono one `mono.flac`; and the sides of the call in `sides`."""
    folder = tmp_path / "calls"
    (tmp_path / "sides").mkdir()
    folder.mkdir()
    high, low = (read(SPEECH / f"{name}.flac").samples for name in ("quick-bright-high", "slow-soft-low"))
    call = np.zeros((4 * RATE_HZ, 2), np.float32)
    call[RATE_HZ : RATE_HZ + len(high), 0] = high[: 3 * RATE_HZ]
    call[: len(low), 1] = low[: 4 * RATE_HZ]
    call = np.tile(call, (2, 1))
    soundfile.write(folder / "call.flac", call, RATE_HZ)
    soundfile.write(folder / "mono.flac", low, RATE_HZ)
    for side in range(2):
        soundfile.write(tmp_path / "sides" / f"side-{side}.flac", call[:, side], RATE_HZ)
    return folder


def without(row: dict, *keys: str) -> dict:
    return {key: value for key, value in row.items() if key not in keys}


@pytest.mark.parametrize("names", [(), NAMES])
def test_predict(
    model: str, calls: Path, names: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(calls.parent / "sides"), "--model", model, "--format", "json"]) == 0
    expected = json.loads(capsys.readouterr().out)
    options = ["--model", model, "--channel", "each", *([NAMES_OPTION] if names else [])]
    assert main(["predict", str(calls / "call.flac"), *options, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["channel"] for row in found] == list(names or ("left", "right"))
    assert {row["path"] for row in found} == {str(calls / "call.flac")}
    assert [without(row, "path", "channel") for row in found] == [without(row, "path") for row in expected]
    output = tmp_path / "predictions"
    for format in PREDICTION_FORMATS:
        assert main(["predict", str(calls / "call.flac"), *options, "--format", format, "--output", str(output)]) == 0
        assert (b"agent" if names else b"left") in output.read_bytes()


def test_predict_counts_channels(model: str, calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = calls.parent / "out.csv"
    command = ["predict", str(calls), str(calls / "gone.wav"), "--model", model, "--channel", "each"]
    assert main([*command, "--output", str(out)]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "overtone: 1 of 4 could not be recognised"
    assert [row["channel"] for row in csv.DictReader(io.StringIO(out.read_text()))] == ["left", "right", "1"]
    assert main([*command, NAMES_OPTION, "--output", str(out)]) == 1
    assert capsys.readouterr().err.splitlines() == [
        f"overtone: {calls / 'mono.flac'}: has 1 channel, but 2 channel names are given; give 1",
        f"overtone: {calls / 'gone.wav'}: no such file",
        "overtone: 2 of 4 could not be recognised",
    ]
    assert [row["channel"] for row in csv.DictReader(io.StringIO(out.read_text()))] == list(NAMES)


def test_timelines_in_every_format(model: str, calls: Path) -> None:
    sides = []
    for side in range(2):
        path = calls.parent / f"side-{side}.json"
        assert main(["timeline", str(calls.parent / "sides" / f"{path.stem}.flac"), "--model", model,
                     "--output", str(path)]) == 0  # fmt: skip
        sides.append(json.loads(path.read_text()))
    for name, row in TIMELINE_FORMATS.items():
        path = calls.parent / f"{name}{row.suffix}"
        command = ["timeline", str(calls / "call.flac"), "--model", model, "--channel", "each", NAMES_OPTION]
        assert main([*command, "--format", name, "--output", str(path)]) == 0
    read_text = {name: (calls.parent / f"{name}{row.suffix}").read_bytes() for name, row in TIMELINE_FORMATS.items()}
    timeline = json.loads(read_text["json"])
    assert timeline["adaptation"] == "speakers"
    for index, (channel, side) in enumerate(zip(timeline["channels"], sides, strict=True)):
        assert channel == {"speaker": NAMES[index], "tracks": side["tracks"]}
        own = [without(part, "speaker") for part in timeline["segments"] if part["speaker"] == NAMES[index]]
        assert own == [without(part, "speaker") for part in side["segments"] if part["speech"]]
    segments = [(part["speaker"], f"{part['start_s']:.3f}") for part in timeline["segments"]]
    rows = list(csv.DictReader(io.StringIO(read_text["csv"].decode())))
    assert [(row["speaker"], row["start_s"]) for row in rows] == segments
    tiers = ElementTree.fromstring(read_text["elan"]).findall("TIER[@LINGUISTIC_TYPE_REF='emotion']")
    assert [tier.get("PARTICIPANT") for tier in tiers] == list(NAMES)
    turns = read_turns(calls.parent / "textgrid.TextGrid")
    assert {turn.speaker for turn in turns} == set(NAMES)
    for name in ("table", "audacity", "jsonl", "svg"):
        assert b"agent" in read_text[name]


def test_the_page_plays_all_channels(model: str, calls: Path) -> None:
    page = calls.parent / "call.html"
    command = ["timeline", str(calls / "call.flac"), "--model", model, "--output", str(page)]
    played = []
    for options in ([], ["--channel", "each"]):
        assert main([*command, *options]) == 0
        (audio,) = re.findall(r'id="audio-data">([A-Za-z0-9+/=]+)<', page.read_text("utf-8"))
        played.append(read(base64.b64decode(audio)).samples)
    np.testing.assert_array_equal(*played)


def test_a_bad_file_does_not_stop_the_other_timelines(
    model: str, calls: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = calls.parent / "out"
    (calls / "cut.flac").write_bytes((calls / "call.flac").read_bytes()[:4_000])
    command = ["timeline", str(calls), "--model", model, "--channel", "each", "--format", "json", "--output", str(out)]
    assert main([*command, NAMES_OPTION]) == 1
    err = capsys.readouterr().err.splitlines()
    assert len(err) == 3 and err[0].startswith(f"overtone: {calls / 'cut.flac'}: ")
    assert err[1].endswith("mono.flac: has 1 channel, but 2 channel names are given; give 1")
    assert [path.name for path in out.iterdir()] == ["call.json"]


@pytest.mark.parametrize("command", ["predict", "timeline", "batch --output out"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--channel=each", "--channel-names=a,a"], "argument --channel-names: 'a' is given twice"),
        (["--channel=each", "--channel-names=a,"], "argument --channel-names: name 2 is empty"),
        (["--channel=each", "--channel-names="], "argument --channel-names: expected names such as"),
        (["--channel=each", "--channel-names=a\x07"], r"argument --channel-names: 'a\x07' has the control character"),
        (["--channel=0"], "argument --channel: expected mix, each, left, right or a number from 1, got '0'"),
        (["--channel-names=a,b"], "--channel-names: needs --channel each"),
        (["--channel=left", "--channel-names=a,b"], "--channel-names: needs --channel each"),
        (["--channel=each", "--reference=x.wav"], "--reference: cannot be combined with "),
    ],
)
def test_invalid_options_are_usage_errors(
    command: str, options: list[str], message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status = run_main([*command.replace(" out", f" {tmp_path}/out").split(), str(SPEECH / "level.flac"), *options])
    assert (status, message in capsys.readouterr().err) == (2, True)
    assert not list(tmp_path.iterdir())


def run_main(command: list[str]) -> int:
    """Return the exit code of a command, also if the parser exits."""
    try:
        return main(command)
    except SystemExit as error:
        return int(error.code or 0)


def test_turns_cannot_be_combined(model: str, calls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    turns = calls.parent / "turns.rttm"
    turns.write_text("SPEAKER call 1 0.0 1.0 <NA> <NA> anna <NA> <NA>\n")
    command = ["timeline", str(calls / "call.flac"), "--model", model, "--turns", str(turns), "--channel", "each"]
    assert main(command) == 2
    assert capsys.readouterr().err.startswith("overtone: --turns: cannot be combined with --channel each: turns name")
