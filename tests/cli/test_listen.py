import base64
import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import tiny_model

from overtone.audio.decode import read
from overtone.cli import listen
from overtone.cli.listen import record_timeline
from overtone.cli.main import main
from overtone.inference.recogniser import Recogniser, load

SPEECH = Path(__file__).resolve().parent.parent.parent / "examples" / "speech"
RATE_HZ = 16_000
CHUNK_SAMPLES = 1_600


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def recogniser(tmp_path: Path) -> Recogniser:
    return load(tiny_model.write(tmp_path / "tiny.onnx"))


def speech() -> np.ndarray:
    return np.concatenate([read(path).samples for path in sorted(SPEECH.glob("*.flac"))[:3]])


def chunks() -> Iterator[np.ndarray]:
    samples = speech()
    for start in range(0, len(samples), CHUNK_SAMPLES):
        yield samples[start : start + CHUNK_SAMPLES, None]


class FakeSounddevice:
    """The parts of `sounddevice` that are used: a microphone that delivers all its audio at once."""

    class PortAudioError(Exception):
        pass

    @staticmethod
    def query_devices(device: Any, kind: str) -> dict[str, float]:
        if device == "broken":
            raise FakeSounddevice.PortAudioError("no such device")
        return {"default_samplerate": 16_000.0, "max_input_channels": 2, "name": "interface"}

    class InputStream:
        def __init__(self, samplerate: float, callback: Callable[..., None], **options: Any) -> None:
            assert samplerate == RATE_HZ and options["dtype"] == "float32"
            self.callback, self.channels = callback, options["channels"]

        def __enter__(self) -> None:
            buffer = np.zeros((CHUNK_SAMPLES, self.channels), np.float32)
            for chunk in chunks():
                buffer[: len(chunk), -1:] = chunk  # PortAudio reuses its memory too; the left one of two is silent
                self.callback(buffer[: len(chunk)], len(chunk), None, None)

        def __exit__(self, *error: object) -> None:
            pass


def test_live_lines_and_then_the_timeline(recogniser: Recogniser) -> None:
    screen = Screen()
    timeline = record_timeline(recogniser, RATE_HZ, chunks(), screen)
    expected = recogniser.timeline(speech(), RATE_HZ)
    np.testing.assert_array_equal(timeline.tracks.probabilities, expected.tracks.probabilities)
    lines = screen.getvalue().split("\r\x1b[K")
    assert lines[0] == lines[-1] == ""
    assert lines[1].startswith("0:03.0  ") and lines[2].startswith("0:04.5  ")
    assert len(lines) == 2 + (len(speech()) - 48_000) // 24_000 + 1
    assert any(emotion in lines[1] for emotion in recogniser.emotions)


def test_the_recording_is_adapted_to_the_audio_before(tmp_path: Path) -> None:
    adapts = load(tiny_model.write(tmp_path / "adapts.onnx", adapts=True))
    parts = [np.tile(speech(), 2)[:, np.newaxis]]
    for adapt, adaptation in ((True, "stream"), (False, "none")):
        timeline = record_timeline(adapts, RATE_HZ, parts, io.StringIO(), adapt=adapt)
        assert timeline.adaptation == adaptation


def test_ctrl_c_stops_the_recording_and_silence_is_reported(recogniser: Recogniser) -> None:
    def interrupted_chunks() -> Iterator[np.ndarray]:
        yield np.zeros((4 * RATE_HZ, 1), np.float32)
        raise KeyboardInterrupt

    screen = io.StringIO()
    assert record_timeline(recogniser, RATE_HZ, interrupted_chunks(), screen).duration_s == 4
    assert screen.getvalue() == "0:03.0  no speech\n"


def test_the_command_records_the_microphone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSounddevice)
    model = str(tiny_model.write(tmp_path / "tiny.onnx"))
    assert main(["listen", "--model", model, "--seconds", "4", "--format", "json"]) == 0
    out, err = capsys.readouterr()
    row = json.loads(out)
    assert (row["path"], row["duration_s"]) == ("microphone", 4)
    assert row["segments"] and err.startswith("0:03.0  ")
    assert main(["listen", "--model", model, "--seconds", "4", "--output", str(tmp_path / "a.csv")]) == 0
    assert (tmp_path / "a.csv").read_text().startswith("path,")
    dialect = ["--csv-dialect", "excel-de"]
    assert main(["listen", "--model", model, "--seconds", "4", *dialect, "--output", str(tmp_path / "a.csv")]) == 0
    assert (tmp_path / "a.csv").read_text("utf-8-sig").startswith("path;")
    assert main(["listen", "--model", model, "--seconds", "4", *dialect, "--format", "json"]) == 2
    capsys.readouterr()
    assert main(["listen", "--model", model, "--device", "broken"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("overtone: microphone: ") and "no such device" in err


def test_a_channel_of_the_device_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSounddevice)
    command = ["listen", "--model", str(tiny_model.write(tmp_path / "tiny.onnx")), "--seconds", "4", "--format", "json"]

    def loudness(*options: str) -> list[float]:
        assert main([*command, *options]) == 0
        return json.loads(capsys.readouterr().out)["tracks"]["loudness_db"]

    mono, right, left = loudness(), loudness("--channel", "right"), loudness("--channel", "1")
    assert right == mono == loudness("--channel", "2") and max(left) < min(mono)
    np.testing.assert_allclose(loudness("--channel", "mix")[5:35], np.subtract(mono[5:35], 6.02), atol=0.2)
    assert main([*command, "--channel", "3"]) == 1
    assert "microphone 'interface': has 2 channels, so there is no channel 3" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*command, "--channel", "each"])


def test_the_html_player_embeds_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSounddevice)
    model, page = str(tiny_model.write(tmp_path / "tiny.onnx")), tmp_path / "talk.html"
    assert main(["listen", "--model", model, "--seconds", "4", "--output", str(page)]) == 0
    (embedded,) = re.findall(r'id="audio-data">([^<]*)<', page.read_text("utf-8"))
    played, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(embedded)))
    recorded = speech()[: 4 * RATE_HZ]
    assert (rate_hz, len(played)) == (RATE_HZ, len(recorded))
    assert np.corrcoef(played, recorded)[0, 1] > 0.95
    assert sorted(path.name for path in tmp_path.iterdir()) == ["talk.html", "tiny.onnx"]
    capsys.readouterr()
    monkeypatch.setattr(listen, "MAX_EMBEDDED_S", 1)
    assert main(["listen", "--model", model, "--seconds", "4", "--output", str(page)]) == 0
    assert 'id="audio-data"' not in page.read_text("utf-8")
    assert "overtone: microphone: the audio was not stored: " in capsys.readouterr().err


def test_audio_is_stored_only_for_formats_that_embed_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSounddevice)
    monkeypatch.setattr(listen, "recording_buffer", None)
    model = str(tiny_model.write(tmp_path / "tiny.onnx"))
    assert main(["listen", "--model", model, "--seconds", "4", "--output", str(tmp_path / "a.csv")]) == 0


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "nan", "inf"])
def test_seconds_must_be_positive(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["listen", f"--seconds={seconds}"])
    assert f"expected a number above 0, got '{seconds}'" in capsys.readouterr().err


def test_a_missing_extra_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert main(["listen"]) == 1
    assert "pip install 'overtone[listen]'" in capsys.readouterr().err


def test_missing_portaudio_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["listen"]) == 1
    assert "PortAudio library not found); install it, on Debian: apt install libportaudio2" in capsys.readouterr().err
