"""Recordings have the right length, the latency of a stream follows the clock, and wrong output is rejected."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from benchmarks import timeline
from benchmarks.timeline import RATE_HZ, join_clips, measure_recording, measure_stream, write_recording
from overtone.audio.decode import read

SPEECH = Path(__file__).resolve().parents[2] / "examples" / "speech"


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    """The sample speech at 48 kHz."""
    paths = []
    for path in sorted(SPEECH.glob("*.flac")):
        paths.append(tmp_path / path.name)
        soundfile.write(paths[-1], np.repeat(read(path).samples, 3), RATE_HZ)
    return paths


def test_clips_are_joined_with_pauses_to_the_exact_duration(clips: list[Path]) -> None:
    parts = list(join_clips(clips, 61.2345))
    assert sum(map(len, parts)) == round(61.2345 * RATE_HZ)
    longest = max(soundfile.info(clip).duration for clip in clips)
    assert all(len(part) <= (longest + timeline.PAUSE_S[1]) * RATE_HZ for part in parts)
    first = [part[: RATE_HZ // 10].tobytes() for part in parts[: len(clips)]]
    assert len(set(first)) == len(clips), "each clip once before any is repeated"
    with pytest.raises(SystemExit, match="expected 48000 Hz"):
        list(join_clips([SPEECH / "level.flac"], 1.0))


def test_a_recording_is_processed_by_the_command(clips: list[Path], tmp_path: Path) -> None:
    write_recording(clips, 9.0, tmp_path / "recording.flac")
    measured = measure_recording(tmp_path / "recording.flac", 9 / 3600, tmp_path)
    assert measured["segments"] >= 2
    assert 0.2 < measured["speech_share"] < 1
    assert 50 < measured["peak_mb"] < 400
    assert measured["cpu_s"] > 0
    with pytest.raises(SystemExit, match="do not cover"):
        measure_recording(tmp_path / "recording.flac", 10 / 3600, tmp_path)
    with pytest.raises(SystemExit, match="failed"):
        measure_recording(tmp_path / "gone.flac", 1.0, tmp_path)


def test_latency_is_waiting_and_computing_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock_s, pushed, finished = [0.0], [0], []
    prediction = object()

    def push(chunk: np.ndarray) -> list[SimpleNamespace]:
        pushed[0] += len(chunk)
        time_s = pushed[0] / RATE_HZ
        clock_s[0] += 0.001
        if round(time_s, 6) == 2.0:
            clock_s[0] += 0.05
        if round(time_s, 6) == 3.1:  # a segment that ended 60 ms ago, and one without speech
            clock_s[0] += 0.02
            return [SimpleNamespace(end_s=3.04, prediction=prediction), SimpleNamespace(end_s=1.0, prediction=None)]
        return []

    fake = SimpleNamespace(push=push, finish=lambda: finished.append(True))
    monkeypatch.setitem(vars(timeline.overtone), "load", lambda threads: SimpleNamespace(stream=lambda rate_hz: fake))
    clock = SimpleNamespace(perf_counter=lambda: clock_s[0], process_time=lambda: clock_s[0])
    monkeypatch.setattr(timeline, "time", clock)
    measured = measure_stream(iter([np.zeros(int(4.05 * RATE_HZ), np.float32)]))
    assert pushed == [int(4.05 * RATE_HZ)], "the last push is shorter"
    assert finished
    assert measured["predictions"] == 1
    assert measured["computing_ms_median"] == pytest.approx(21)
    assert measured["latency_ms_median"] == measured["latency_ms_max"] == pytest.approx(81)
    assert measured["core_share"] == pytest.approx((41 * 0.001 + 0.07) / 4.05)
    assert measured["push_ms_max"] == pytest.approx(51), "with or without a prediction"
    with pytest.raises(SystemExit, match="no prediction"):
        measure_stream(iter([np.zeros(RATE_HZ, np.float32)]))


def test_lengths_are_options_of_the_command(
    clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    assert timeline.main(["--data", str(tmp_path / "none"), "--output", str(tmp_path / "x.json")]) == 1
    assert "OVERTONE_DATA" in capsys.readouterr().err
    scan = SimpleNamespace(utterances=[SimpleNamespace(path=clip) for clip in clips])
    monkeypatch.setattr("overtone.corpora.read_corpus", lambda name, folder: scan)
    monkeypatch.setattr(timeline, "measure_stream", lambda parts: {"audio_s": sum(map(len, parts)) / RATE_HZ})
    lengths = []

    def fake_measurement(recording: Path, hours: float, folder: Path) -> dict[str, float]:
        lengths.append(soundfile.info(recording).duration)
        return {"hours": hours}

    monkeypatch.setattr(timeline, "measure_recording", fake_measurement)
    bound = []
    monkeypatch.setattr(timeline, "bind_to_cores", bound.append)
    out = tmp_path / "timeline.json"
    assert timeline.main(["--hours", "0.001", "0.002", "--stream-s", "4", "--output", str(out)]) == 0
    assert lengths == pytest.approx([3.6, 7.2])
    measured = json.loads(out.read_text())
    assert measured["recordings"] == [{"hours": 0.001}, {"hours": 0.002}]
    assert measured["stream"] == {"audio_s": 4.0}
    assert bound == [measured["machine"]["cores_used"]] == [timeline.THREADS]
