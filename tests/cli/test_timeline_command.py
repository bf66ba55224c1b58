import csv
import io
import json
import os
import re
import threading
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from synthetic_audio import silence

from overtone.audio.decode import read
from overtone.cli.main import main
from overtone.formats import TIMELINE_FORMATS

SPEECH = Path(__file__).resolve().parent.parent.parent / "examples" / "speech"
RATE_HZ = 16_000


@pytest.fixture
def model(tmp_path: Path) -> str:
    return str(tiny_model.write(tmp_path / "tiny.onnx"))


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """A recording of speech between silences, with known boundaries."""
    path = tmp_path / "talk.wav"
    speech = read(SPEECH / "level.flac").samples
    soundfile.write(path, np.concatenate([silence(3), speech, silence(2)]), RATE_HZ)
    return path


def test_the_default_format_is_the_table(model: str, talk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timeline", str(talk), "--model", model]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(f"{talk}  0:")
    assert "s of speech" in out
    assert err == ""


@pytest.mark.parametrize(
    ("options", "adaptation"),
    [([], "recording"), (["--no-adapt"], "none"), (["--reference", str(SPEECH)], "reference")],
)
def test_a_recording_is_adapted_to_itself(
    options: list[str], adaptation: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(tiny_model.write(tmp_path / "adapts.onnx", adapts=True))
    soundfile.write(tmp_path / "long.wav", np.tile(read(SPEECH / "level.flac").samples, 3), RATE_HZ)
    assert main(["timeline", str(tmp_path / "long.wav"), "--model", model, "--format", "json", *options]) == 0
    row = json.loads(capsys.readouterr().out)
    clips = [segment["reference_clips"] for segment in row["segments"] if segment["speech"]]
    assert row["adaptation"] == adaptation
    assert all(clips) == (adaptation != "none")
    assert main(["timeline", str(tmp_path / "long.wav"), "--model", model, *options]) == 0
    assert ("adapted to" in capsys.readouterr().out) == (adaptation != "none")


@pytest.mark.parametrize("threads", ["1", "2"])
def test_json_on_stdout(model: str, talk: Path, threads: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--model", model, "--format", "json", "--threads", threads, "--uncertain-below", "1"]
    assert main(["timeline", str(talk), *options]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["path"] == str(talk) and row["segments"][-1]["end_s"] == pytest.approx(row["duration_s"])
    silent, *_ = row["segments"]
    assert not silent["speech"] and 2.5 < silent["end_s"] < 3.5
    assert {segment["uncertain"] for segment in row["segments"] if segment["speech"]} == {True}


def test_one_segment_per_turn(model: str, talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "turns.csv").write_text("start_s,end_s,speaker\n0,2,ben\n3.3,5,anna\n4,6,ben\n")
    options = ["--turns", str(tmp_path / "turns.csv"), "--model", model, "--format", "csv"]
    assert main(["timeline", str(talk), *options]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [(row["speaker"], row["start_s"], row["speech"]) for row in rows] == [
        ("ben", "0.000", "false"), ("anna", "3.300", "true"), ("ben", "4.000", "true"),
    ]  # fmt: skip
    assert main(["timeline", str(talk), str(talk), *options[:-2]]) == 1
    assert "turns.csv: needs exactly one recording, got 2" in capsys.readouterr().err
    assert main(["timeline", str(talk), "--turns", "gone.rttm", "--model", model]) == 1
    err = capsys.readouterr().err
    assert err.startswith("overtone: gone.rttm: ") and "No such file" in err


def test_unreadable_files_are_reported_and_the_others_processed(
    model: str, talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truncated = tmp_path / "truncated.wav"
    truncated.write_bytes(talk.read_bytes()[:-1_000])
    assert main(["timeline", "gone.wav", str(truncated), str(talk), "--model", model]) == 1
    out, err = capsys.readouterr()
    assert out.startswith(f"{talk}  ") and out.count("s of speech") == 1
    assert err.splitlines()[0] == "overtone: gone.wav: no such file"
    assert err.splitlines()[1].startswith(f"overtone: {truncated}: truncated")
    assert err.splitlines()[2:] == ["overtone: 2 of 3 could not be recognised"]


def test_an_unknown_suffix_is_an_error(
    model: str, talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["timeline", str(talk), "--model", model, "--output"]
    assert main([*options, str(tmp_path / "x.sub")]) != 0
    assert re.search(r"x\.sub: no format has this suffix .*\.vtt.*--format", capsys.readouterr().err)
    assert not list(tmp_path.glob("x*"))
    assert main([*options, str(tmp_path / "x.sub"), "--format", "webvtt"]) == 0
    assert (tmp_path / "x.sub").read_text("utf-8").startswith("WEBVTT")


@pytest.mark.parametrize("name", TIMELINE_FORMATS)
def test_the_suffix_of_the_output_chooses_the_format(
    model: str, talk: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    by_suffix = tmp_path / f"new/out{TIMELINE_FORMATS[name].suffix}"
    assert main(["timeline", str(talk), "--model", model, "--output", str(by_suffix)]) == 0
    assert main(["timeline", str(talk), "--model", model, "--output", str(tmp_path / "x"), "--format", name]) == 0
    # libsndfile writes a random serial number into every Ogg stream.
    first, second = (re.sub(rb'id="audio-data">[^<]*', b"", path.read_bytes()) for path in (by_suffix, tmp_path / "x"))
    assert first == second != b""
    assert capsys.readouterr() == ("", "")


def test_several_recordings_go_to_a_folder(
    model: str, talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in" / "deep").mkdir(parents=True)
    for name in ("a.wav", "deep/a.wav"):
        (tmp_path / "in" / name).write_bytes(talk.read_bytes())
    out = tmp_path / "out"
    options = ["--model", model, "--format", "json", "--output", str(out)]
    assert main(["timeline", str(tmp_path / "in"), str(talk), "gone.wav", *options]) == 1
    assert sorted(str(path.relative_to(out)) for path in out.rglob("*.json")) == ["a.json", "deep/a.json", "talk.json"]
    assert capsys.readouterr().err.splitlines()[0] == "overtone: gone.wav: no such file"
    assert main(["timeline", str(tmp_path / "in" / "a.wav"), str(tmp_path / "in" / "deep" / "a.wav"), *options]) == 1
    assert "several timelines would be written to" in capsys.readouterr().err
    assert main(["timeline", str(talk), str(talk), "--model", model, "--format", "elan"]) == 1
    assert "with several recordings, name a folder with --output" in capsys.readouterr().err
    assert main(["timeline", str(talk), "gone.wav", "--model", model, "--output", str(talk)]) == 1
    assert "is not a folder; with 2 recordings" in capsys.readouterr().err


def test_empty_folders_do_not_stop_the_other_recordings(
    model: str, talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = [tmp_path / "a", tmp_path / "b"]
    for folder in (*empty, tmp_path / "out"):
        folder.mkdir()
    sources = [*map(str, empty), str(talk)]
    assert main(["timeline", *sources, "--model", model, "--output", str(tmp_path / "out"), "--format", "csv"]) == 1
    assert (tmp_path / "out" / "talk.csv").is_file()
    err = capsys.readouterr().err
    assert all(f"overtone: {folder}: " in err for folder in empty)
    assert "2 of 3 could not be recognised" in err


def test_a_device_is_not_replaced_by_a_file(model: str, talk: Path) -> None:
    assert main(["timeline", str(talk), "--model", model, "--output", os.devnull]) == 0
    assert not Path(os.devnull).is_file()


def test_an_invalid_turn_is_reported_and_the_others_recognised(
    model: str, talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "turns.rttm"
    line = "SPEAKER talk.wav 1 {} {} <NA> <NA> {} <NA> <NA>\n"
    path.write_text(line.format("-0.008", "1.8", "Anna Weber") + line.format(2, 0, "ben") + line.format(4, 1, "ben"))
    options = ["--turns", str(path), "--model", model, "--format", "csv"]
    assert main(["timeline", str(talk), *options]) == 1
    out, err = capsys.readouterr()
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [(row["speaker"], row["start_s"]) for row in rows] == [("Anna Weber", "0.000"), ("ben", "4.000")]
    assert err == f"overtone: {path}, line 2: the turn from 2 to 2 s is empty; left out; the other turns are used\n"
    assert main(["timeline", str(talk), *options, "--strict"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.splitlines()[0] == f"overtone: {path}, line 2: the turn from 2 to 2 s is empty"


def test_strict_concerns_turns_only(model: str, talk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["timeline", str(talk), "--model", model, "--strict"]) == 1
    assert "--strict: concerns speaker turns; name their file with --turns" in capsys.readouterr().err


def test_turns_beyond_the_end_are_refused_before_anything_is_recognised(
    model: str, talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overtone.inference.recogniser.Recogniser.timeline", None)
    (tmp_path / "turns.csv").write_text("start_s,end_s\n0,2\n3,60\n")
    assert main(["timeline", str(talk), "--turns", str(tmp_path / "turns.csv"), "--model", model]) == 1
    out, err = capsys.readouterr()
    assert out == "" and "turns.csv, line 3: the turn from 3 to 60 s is beyond the end of" in err


@pytest.mark.skipif(os.name != "posix", reason="needs named pipes")
@pytest.mark.parametrize("format_name", ["json", "html"])
def test_a_named_pipe_is_read_once_and_processed_like_a_file(
    format_name: str, model: str, talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(talk.read_bytes(),))
    writer.start()
    assert main(["timeline", str(pipe), "--model", model, "--format", format_name]) == 0
    writer.join()
    found = capsys.readouterr().out
    assert main(["timeline", str(talk), "--model", model, "--format", format_name]) == 0
    expected = capsys.readouterr().out
    audio = r'id="(audio-data|timeline)"[^<]*'  # a Vorbis stream, with a random number; the compressed name of the file
    assert re.sub(audio, "", found.replace("pipe.wav", "talk.wav")) == re.sub(audio, "", expected)


@pytest.mark.skipif(os.name != "posix", reason="needs named pipes")
def test_a_named_pipe_without_a_writer_is_an_error(
    model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("overtone.audio.source.PIPE_TIMEOUT_S", 0.1)
    os.mkfifo(tmp_path / "pipe.wav")
    assert main(["timeline", str(tmp_path / "pipe.wav"), "--model", model]) == 1
    assert "pipe.wav: no program has written to this pipe for 0 s" in capsys.readouterr().err


def test_whisperx_json_is_written_back_with_emotions(
    model: str, talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [{"word": "yes", "start": 4.0, "end": 4.4, "score": 0.9}, {"word": "2"}]
    segments = [
        {"start": 4.0, "end": 5.0, "text": " Yes  2", "speaker": "SPEAKER_00", "words": words},
        {"start": 2, "end": 1, "text": "no"},
        {"start": 0.0, "end": 2.0, "text": "hm", "avg_logprob": -0.2},
    ]
    (tmp_path / "talk.json").write_text(json.dumps({"segments": segments, "language": "en"}))
    options = ["--turns", str(tmp_path / "talk.json"), "--model", model, "--format", "whisperx"]
    assert main(["timeline", str(talk), *options, "--words"]) == 1
    out, err = capsys.readouterr()
    assert "talk.json, turn 2: the turn from 2 to 1 s ends before it starts; left out" in err
    found = json.loads(out)
    emotions = [segment.pop("emotion") for segment in found["segments"]]
    word_emotions = [word.pop("emotion") for word in found["segments"][0]["words"]]
    assert found == {"segments": segments, "language": "en"}
    assert emotions[0]["label"] in emotions[0]["probabilities"] and emotions[1:] == [None, None]
    assert word_emotions[0]["uncertain"] and word_emotions[1] is None


def test_words_need_whisperx_json(model: str, talk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "turns.csv").write_text("start_s,end_s\n0,2\n")
    options = ["--turns", str(tmp_path / "turns.csv"), "--model", model, "--words"]
    assert main(["timeline", str(talk), *options]) == 1
    assert "--words: needs --format whisperx, and --turns with JSON of WhisperX" in capsys.readouterr().err
    assert main(["timeline", str(talk), *options, "--format", "whisperx"]) == 1
    assert "turns.csv: --words needs JSON of WhisperX" in capsys.readouterr().err
    assert main(["timeline", str(talk), *options[:-1], "--format", "whisperx"]) == 0
    assert len(json.loads(capsys.readouterr().out)["segments"]) == 1
