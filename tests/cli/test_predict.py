import csv
import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from synthetic_audio import RATE_HZ, voice

from overtone.audio.decode import read
from overtone.cli.main import main

PROJECT = Path(__file__).resolve().parent.parent.parent
SPEECH = PROJECT / "examples" / "speech" / "level.flac"
MAX_MODULES = 60
TRAINING_PACKAGES = {"torch", "librosa", "scipy", "sklearn", "matplotlib", "onnx", "onnxscript", "safetensors"}


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(tiny_model.write(tmp_path / "tiny.onnx"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three audio files, one of them two levels down, and other files that are ignored."""
    root = tmp_path / "speech"
    (root / "deep" / "er").mkdir(parents=True)
    (root / ".cache").mkdir()
    for number, name in enumerate(("b.WAV", "a.flac", "deep/er/c.ogg", ".cache/d.wav", "._b.wav")):
        file_type = {".flac": "FLAC", ".ogg": "OGG"}.get(Path(name).suffix, "WAV")
        soundfile.write(root / name, 0.1 * (number + 1) * np.sin(np.arange(24_000) / 9), 24_000, format=file_type)
    (root / "notes.txt").write_text("not audio")
    return root


def test_a_folder_as_json(model: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(folder), "--model", model, "--format", "json"]) == 0
    out, err = capsys.readouterr()
    rows = json.loads(out)
    assert [row["path"] for row in rows] == [str(folder / name) for name in ("a.flac", "b.WAV", "deep/er/c.ogg")]
    for row in rows:
        expected = tiny_model.expected(read(row["path"]).samples)
        assert list(row["probabilities"].values()) == pytest.approx(expected.tolist(), abs=2e-6)
        assert row["duration_s"] == 1
        assert {"path", "emotion", "confidence", "probabilities", "branches", "duration_s"} <= set(row)
    assert err == ""


def test_reference_clips_are_used_and_bad_ones_are_named(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(tiny_model.write(tmp_path / "adapts.onnx", adapts=True))
    command = ["predict", str(folder / "a.flac"), "--model", model, "--format", "json"]
    assert main([*command, "--reference", str(folder)]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    clips = [read(folder / name).samples for name in ("a.flac", "b.WAV", "deep/er/c.ogg")]
    mean = np.mean([tiny_model.features(clip) for clip in clips], 0)
    assert row["reference_clips"] == 3
    assert list(row["probabilities"].values()) == pytest.approx(tiny_model.expected(clips[0], mean=mean), abs=1e-4)
    soundfile.write(folder / "silent.wav", np.zeros(24_000), 24_000)
    (folder / "text.wav").write_bytes(b"not audio")
    assert main([*command, "--reference", str(folder), "--reference", "gone.wav"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out) == [row]
    assert all(name in err for name in ("silent.wav", "text.wav", "gone.wav"))
    assert main([*command, "--reference", str(folder / "silent.wav")]) == 1
    assert "at least one reference clip" in capsys.readouterr().err


def test_a_model_without_adapter_refuses_reference_clips(
    model: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(folder), "--model", model, "--reference", str(folder)]) == 1
    assert "no speaker adapter" in capsys.readouterr().err


def test_uncertain_below_sets_the_threshold(model: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for threshold, uncertain in (("1", True), ("0", False)):
        options = ["--uncertain-below", threshold, "--format", "json"]
        assert main(["predict", str(SPEECH), "--model", model, *options]) == 0
        assert [row["uncertain"] for row in json.loads(capsys.readouterr().out)] == [uncertain]
    for threshold in ("half", "1.5", "-1", "nan"):
        with pytest.raises(SystemExit):
            main(["predict", str(folder), f"--uncertain-below={threshold}"])
        assert f"expected a number from 0 to 1, got '{threshold}'" in capsys.readouterr().err


def test_without_speech_a_prediction_is_uncertain(model: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--model", model, "--uncertain-below", "0"]
    assert main(["predict", str(folder / "a.flac"), *options, "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["uncertain"] is True and row["speech_s"] == 0 and row["no_speech"] is True
    assert main(["predict", str(folder / "a.flac"), *options]) == 0
    assert "a.flac  no speech " in capsys.readouterr().out


def test_some_classes_and_branches(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--model", model, "--emotions", "anger,sad, neutral", "--branches", "prosody", "--format", "json"]
    assert main(["predict", str(SPEECH), *options]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert list(row["probabilities"]) == ["neutral", "sad", "angry"]
    assert sum(row["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert row["branches"] == {"prosody": row["probabilities"]}
    assert 0 <= row["arousal"] <= 1 and 0 <= row["valence"] <= 1


@pytest.mark.parametrize("command", ["predict", "timeline", "batch", "serve"])
def test_unknown_classes_and_branches_are_usage_errors(
    command: str, model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = [command, "--model", model, *([] if command == "serve" else [str(SPEECH)])]
    common += {
        "batch": ["--output", str(tmp_path / "out")],
        "serve": ["--state-dir", str(tmp_path), "--port", "0"],
    }.get(command, [])
    for options, text in (
        (["--emotions", "happy,sadd"], "no class 'sadd'; did you mean 'sad'"),
        (["--emotions", "happy,bored"], "no class 'bored'"),
        (["--branches", "prosodi"], "did you mean 'prosody'"),
    )[: 1 if command == "serve" else None]:
        assert main([*common, *options]) == 2
        err = capsys.readouterr().err
        assert text in err and err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_adaptation_needs_all_branches(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--model", "lite", "--branches", "mel", "--reference", str(SPEECH.parent)]
    assert main(["predict", str(SPEECH), *options]) == 1
    assert "all branches" in capsys.readouterr().err


def test_unreadable_files_are_reported_and_the_others_recognised(
    model: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.wav").write_text("not audio")
    good = str(folder / "a.flac")
    paths = [good, "gone.wav", str(tmp_path / "text.wav"), str(tmp_path / "empty"), good]
    assert main(["predict", *paths, "--model", model, "--format", "csv"]) == 1
    out, err = capsys.readouterr()
    assert [row["path"] for row in csv.DictReader(io.StringIO(out))] == [good, good]
    lines = err.splitlines()
    assert lines[0] == "overtone: gone.wav: no such file"
    assert lines[1].startswith(f"overtone: {tmp_path}/text.wav: ")
    assert lines[2].startswith(f"overtone: {tmp_path}/empty: ")
    assert lines[3:] == ["overtone: 3 of 5 could not be recognised"]


def test_the_default_format_is_the_table(model: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(folder / "a.flac"), "--model", model]) == 0
    heading, line = capsys.readouterr().out.splitlines()
    assert heading.startswith("file ")
    assert "a.flac" in line


@pytest.mark.parametrize(
    ("name", "options", "begin"),
    [
        ("out.json", [], "["),
        ("out.csv", [], "path,"),
        ("out.txt", [], "file "),
        ("out.data", ["--format", "csv"], "path,"),
        ("new/folder/out.csv", [], "path,"),
    ],
)
def test_output_files(
    model: str,
    folder: Path,
    tmp_path: Path,
    name: str,
    options: list[str],
    begin: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["predict", str(folder), "--model", model, "--output", str(tmp_path / name), *options]) == 0
    assert (tmp_path / name).read_text().startswith(begin)
    assert capsys.readouterr() == ("", "")


def test_an_output_that_cannot_be_written(
    model: str, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    for target in (tmp_path, tmp_path / "file" / "out.csv"):
        assert main(["predict", str(folder), "--model", model, "--output", str(target)]) == 1
        assert capsys.readouterr().err.startswith(f"overtone: cannot write {target}: ")


def test_a_device_is_not_replaced_by_a_file(model: str, folder: Path) -> None:
    assert main(["predict", str(folder), "--model", model, "--output", "/dev/null"]) == 0
    assert Path("/dev/null").is_char_device()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(model: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", str(folder), "--model", model, "--output", "/dev/full"]) == 1
    assert capsys.readouterr().err == "overtone: /dev/full: No space left on device\n"


@pytest.mark.skipif(os.name != "posix", reason="descriptors of POSIX")
def test_a_closed_stdout(model: str, folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "overtone", "predict", str(folder / "a.flac"), "--model", model]
    done = subprocess.run(f"{shlex.join(command)} >&-", shell=True, stderr=subprocess.PIPE, text=True, cwd=PROJECT)
    assert done.returncode == 1
    assert done.stderr == "overtone: stdout: is closed; redirect it to a file or to /dev/null\n"
    out = tmp_path / "out.csv"
    done = subprocess.run(
        f"{shlex.join([*command, '--output', str(out)])} >&-",
        shell=True,
        stderr=subprocess.PIPE,
        text=True,
        cwd=PROJECT,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(out.read_text().splitlines()) == 2


# File name -> file header and name of each format that libsndfile cannot read.
FFMPEG_FILES = {
    "m4a.m4a": (b"\0\0\0 ftypM4A ", "MP4, M4A or MOV"),
    "mp4.MP4": (b"\0\0\0 ftypisom", "MP4, M4A or MOV"),
    "mov.mov": (b"\0\0\0 ftypqt  ", "MP4, M4A or MOV"),
    "3gp.3gp": (b"\0\0\0 ftyp3gp4", "MP4, M4A or MOV"),
    "aac.aac": (b"\xff\xf1P\x80\x03\x7f\xfc", "AAC"),
    "amr.amr": (b"#!AMR\n", "AMR"),
    "wma.wma": (b"0&\xb2u\x8ef\xcf\x11\xa6\xd9\0\xaa", "WMA or WMV"),
    "webm.webm": (b"\x1aE\xdf\xa3\x01", "WebM or Matroska"),
    "mka.mka": (b"\x1aE\xdf\xa3\x01", "WebM or Matroska"),
    "avi.avi": (b"RIFF\x64\0\0\0AVI ", "AVI"),
}


@pytest.mark.parametrize("installed", [True, False])
def test_video_files_that_cannot_be_read_are_reported(
    installed: bool, model: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if not installed:
        monkeypatch.setitem(sys.modules, "av", None)
    for name, (header, _) in FFMPEG_FILES.items():
        (folder / name).write_bytes(header + bytes(100))
    assert main(["predict", str(folder), "--model", model, "--format", "csv"]) == 1
    out, err = capsys.readouterr()
    assert [Path(row["path"]).name for row in csv.DictReader(io.StringIO(out))] == ["a.flac", "b.WAV", "c.ogg"]
    for name, (_, format_name) in FFMPEG_FILES.items():
        line = next(line for line in err.splitlines() if line.startswith(f"overtone: {folder / name}: "))
        assert installed or (format_name in line and "PyAV" in line and "pip install" in line)
    assert err.splitlines()[-1] == "overtone: 10 of 13 could not be recognised"


def test_a_video_file_is_recognised(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("av", reason="PyAV comes with the [dev] extra")
    from video_files import encode_video

    speech = voice(200, 1.0)
    (tmp_path / "talk.MP4").write_bytes(encode_video("mp4", "aac", [speech], RATE_HZ, video_frames=10))
    assert main(["predict", str(tmp_path), "--model", model, "--format", "json"]) == 0
    (prediction,) = json.loads(capsys.readouterr().out)
    assert prediction["path"] == str(tmp_path / "talk.MP4")
    assert prediction["duration_s"] == pytest.approx(1, abs=0.01)


def test_broken_links_are_reported(model: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "gone.wav").symlink_to("nowhere.wav")
    assert main(["predict", str(folder), "--model", model]) == 1
    first = capsys.readouterr().err.splitlines()[0]
    assert f"{folder}/gone.wav: " in first and "link" in first


def test_a_file_name_that_is_too_long_is_reported(model: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 300 + ".wav"
    for command in (["predict", "--format", "jsonl"], ["timeline"]):
        assert main([*command, "--model", model, long, str(folder / "a.flac")]) == 1
        out, err = capsys.readouterr()
        assert out
        assert f"overtone: {long}: " in err
        assert "1 of 2 could not be" in err


def test_an_empty_name(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "", "--model", model]) == 1
    assert capsys.readouterr().err.startswith("overtone: '': ")


def test_a_damaged_model_file(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.onnx").write_text("not a model")
    assert main(["predict", str(folder), "--model", str(tmp_path / "broken.onnx")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"overtone: {tmp_path}/broken.onnx: ")
    assert len(err.splitlines()) == 1


def test_unusual_file_names(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["new\nline.wav", "声音.wav", "\udcff.wav", "-dash.wav", "esc\x1b[2J.wav"]
    root = tmp_path / "odd"
    root.mkdir()
    for name in names:
        with (root / name).open("wb") as file:
            soundfile.write(file, 0.3 * np.sin(np.arange(16_000) / 9), 16_000, format="WAV")
    assert main(["predict", str(root), "--model", model, "--format", "json"]) == 0
    assert {Path(row["path"]).name for row in json.loads(capsys.readouterr().out)} == set(names)
    assert main(["predict", str(root), "--model", model]) == 0
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 6
    assert "\x1b" not in out


def test_predicting_imports_few_modules(model: str, folder: Path) -> None:
    """A process that predicts imports no training package and at most `MAX_MODULES` modules of the project."""
    program = (
        "import sys\nfrom overtone.cli.main import main\n"
        f"assert main(['predict', {str(folder / 'a.flac')!r}, '--model', {model!r}]) == 0\n"
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    modules = done.stderr.splitlines()
    assert not TRAINING_PACKAGES & set(modules)
    own_modules = sorted(name for name in modules if name.partition(".")[0] == "overtone")
    assert "overtone.inference.recogniser" in own_modules
    assert len(own_modules) <= MAX_MODULES, own_modules
