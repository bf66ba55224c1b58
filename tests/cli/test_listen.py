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
from overtone.cli.listen import heard
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


def sound() -> np.ndarray:
    return np.concatenate([read(path).samples for path in sorted(SPEECH.glob("*.flac"))[:3]])


def chunks() -> Iterator[np.ndarray]:
    whole = sound()
    for start in range(0, len(whole), CHUNK_SAMPLES):
        yield whole[start : start + CHUNK_SAMPLES, None]


class FakeSounddevice:
    """As much of `sounddevice` as is used: a microphone that gives all it hears at once."""

    class PortAudioError(Exception):
        pass

    @staticmethod
    def query_devices(device: Any, kind: str) -> dict[str, float]:
        if device == "broken":
            raise FakeSounddevice.PortAudioError("no such device")
        return {"default_samplerate": 16_000.0}

    class InputStream:
        def __init__(self, samplerate: float, callback: Callable[..., None], **options: Any) -> None:
            assert samplerate == RATE_HZ and options["channels"] == 1 and options["dtype"] == "float32"
            self.callback = callback

        def __enter__(self) -> None:
            memory = np.empty((CHUNK_SAMPLES, 1), np.float32)
            for chunk in chunks():
                memory[: len(chunk)] = chunk  # the same memory every time, as PortAudio does
                self.callback(memory[: len(chunk)], len(chunk), None, None)

        def __exit__(self, *error: object) -> None:
            pass


def test_a_live_line_and_then_the_timeline(recogniser: Recogniser) -> None:
    screen = Screen()
    timeline = heard(recogniser, RATE_HZ, chunks(), screen)
    expected = recogniser.timeline(sound(), RATE_HZ)
    np.testing.assert_array_equal(timeline.tracks.probabilities, expected.tracks.probabilities)
    lines = screen.getvalue().split("\r\x1b[K")
    assert lines[0] == lines[-1] == ""
    assert lines[1].startswith("0:03.0  ") and lines[2].startswith("0:04.5  ")
    assert len(lines) == 2 + (len(sound()) - 48_000) // 24_000 + 1
    assert any(emotion in lines[1] for emotion in recogniser.emotions)


def test_ctrl_c_ends_it_and_silence_is_told(recogniser: Recogniser) -> None:
    def interrupted() -> Iterator[np.ndarray]:
        yield np.zeros((4 * RATE_HZ, 1), np.float32)
        raise KeyboardInterrupt

    screen = io.StringIO()
    assert heard(recogniser, RATE_HZ, interrupted(), screen).duration_s == 4
    assert screen.getvalue() == "0:03.0  nobody speaks\n"


def test_the_command_hears_the_microphone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSounddevice)
    model = str(tiny_model.write(tmp_path / "tiny.onnx"))
    assert main(["listen", "--model", model, "--seconds", "4", "--format", "json"]) == 0
    out, err = capsys.readouterr()
    told = json.loads(out)
    assert (told["path"], told["duration_s"]) == ("microphone", 4)
    assert told["segments"] and err.startswith("0:03.0  ")
    assert main(["listen", "--model", model, "--seconds", "4", "--output", str(tmp_path / "a.csv")]) == 0
    assert (tmp_path / "a.csv").read_text().startswith("path,")
    capsys.readouterr()
    assert main(["listen", "--model", model, "--device", "broken"]) == 1
    assert capsys.readouterr().err.startswith("overtone: microphone: cannot be heard: no such device")


def test_a_page_plays_what_was_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSounddevice)
    model, page = str(tiny_model.write(tmp_path / "tiny.onnx")), tmp_path / "talk.html"
    assert main(["listen", "--model", model, "--seconds", "4", "--output", str(page)]) == 0
    (inside,) = re.findall(r'id="sound">([^<]*)<', page.read_text("utf-8"))
    played, rate_hz = soundfile.read(io.BytesIO(base64.b64decode(inside)))
    given = sound()[: 4 * RATE_HZ]
    assert (rate_hz, len(played)) == (RATE_HZ, len(given))
    assert np.corrcoef(played, given)[0, 1] > 0.95
    assert sorted(path.name for path in tmp_path.iterdir()) == ["talk.html", "tiny.onnx"]
    capsys.readouterr()
    monkeypatch.setattr(listen, "LONGEST_INSIDE_S", 1)
    assert main(["listen", "--model", model, "--seconds", "4", "--output", str(page)]) == 0
    assert 'id="sound"' not in page.read_text("utf-8")
    assert "overtone: microphone: the sound is not kept: it is too long\n" in capsys.readouterr().err


def test_sound_that_no_form_plays_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSounddevice)
    monkeypatch.setattr(listen, "keeping", None)
    model = str(tiny_model.write(tmp_path / "tiny.onnx"))
    assert main(["listen", "--model", model, "--seconds", "4", "--output", str(tmp_path / "a.csv")]) == 0


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "nan", "inf"])
def test_seconds_are_above_0(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["listen", f"--seconds={seconds}"])
    assert f"expected a number above 0, got '{seconds}'" in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert main(["listen"]) == 1
    assert "pip install 'overtone[listen]'" in capsys.readouterr().err


def test_without_portaudio_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["listen"]) == 1
    assert "PortAudio library not found); install it, on Debian: apt install libportaudio2" in capsys.readouterr().err
