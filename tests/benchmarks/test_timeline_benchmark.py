"""The benchmark of timelines hears a recording of the length it says, and believes no command that failed."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sounds import voice

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

pytest.importorskip("librosa", reason="librosa comes with the [dev] extra")

from benchmarks import timeline  # noqa: E402


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / name for name in ("a.flac", "b.wav")]
    for path, pitch_hz in zip(paths, (150, 250), strict=True):
        soundfile.write(path, voice(pitch_hz, 0.7), timeline.RATE_HZ, subtype="PCM_16")
    return paths


def test_recording_holds_the_clips_in_turns(clips: list[Path], tmp_path: Path) -> None:
    made, rate_hz = soundfile.read(timeline.recording(clips, 1.23, tmp_path / "long.wav"), dtype="int16")
    sounds = [soundfile.read(clip, dtype="int16")[0] for clip in clips]
    assert rate_hz == timeline.RATE_HZ
    np.testing.assert_array_equal(made, np.concatenate(sounds * 9)[: round(1.23 * rate_hz)])


def test_clips_of_another_rate_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", voice(150, 0.5), 16_000)
    with pytest.raises(SystemExit, match=r"a\.wav: 16000 samples per second"):
        timeline.recording([tmp_path / "a.wav"], 1, tmp_path / "long.wav")


def test_time_and_memory_are_written(clips: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "spread", lambda found, count: clips)
    monkeypatch.setattr(timeline.corpora, "read", lambda name, folder: type("Found", (), {"utterances": []}))
    monkeypatch.setattr(timeline, "one_timeline", lambda path, threads: {"wall_s": 4 / threads, "peak_mb": 99.5})
    assert timeline.main(["--out", str(tmp_path / "out.json"), "--minutes", "0.01", "--repeats", "1"]) == 0
    written = json.loads((tmp_path / "out.json").read_text())
    assert written["minutes"] == 0.01
    assert written["1 thread"]["peak_mb"] == 99.5


def test_a_failing_command_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="nothing written"):
        timeline.one_timeline(tmp_path / "missing.wav", 1)
