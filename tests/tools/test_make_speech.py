"""The sample speech is what the kept script makes, and sounds as its names say."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile

TOOLS = Path(__file__).resolve().parents[2] / "tools"
LARGEST_FILE_BYTES = 60_000
STEP = 1 / 2**15


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """`tools/make_speech.py` as a module."""
    spec = importlib.util.spec_from_file_location("make_speech", TOOLS / "make_speech.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def committed() -> dict[str, np.ndarray]:
    """Samples of each committed file, int16, by manner."""
    return {path.stem: soundfile.read(path, dtype="int16")[0] for path in (TOOLS / "speech").glob("*.flac")}


def test_script_makes_the_committed_files(script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    script.main(tmp_path)
    made = {path.stem: soundfile.read(path, dtype="int16")[0] for path in tmp_path.iterdir()}
    kept = committed()
    assert made.keys() == kept.keys() == script.MANNERS.keys()
    for name, samples in made.items():
        assert len(samples) == len(kept[name])
        assert np.abs(samples.astype(int) - kept[name]).max() <= 2, name  # an FFT may round otherwise elsewhere
    assert "level.flac" in capsys.readouterr().out


def test_committed_files_are_small_mono_16_khz() -> None:
    for path in (TOOLS / "speech").iterdir():
        about = soundfile.info(path)
        assert (about.format, about.samplerate, about.channels) == ("FLAC", 16_000, 1), path
        assert 1.5 < about.duration < 4, path
        assert path.stat().st_size < LARGEST_FILE_BYTES, path


def test_manners_sound_as_named() -> None:
    speech = {name: samples * STEP for name, samples in committed().items()}
    loud = {name: np.sqrt(np.mean(samples**2)) for name, samples in speech.items()}
    assert loud["slow-soft-low"] < loud["level"] < loud["loud-hard-falling"]
    assert len(speech["quick-bright-high"]) < len(speech["level"]) < len(speech["slow-soft-low"])


@pytest.mark.parametrize("manner", ["level", "slow-soft-low", "quick-bright-high", "loud-hard-falling"])
def test_pitch_is_heard_where_it_was_set(script: ModuleType, manner: str) -> None:
    parselmouth = pytest.importorskip("parselmouth")
    samples = committed()[manner] * STEP
    track_hz = parselmouth.Sound(samples, 16_000).to_pitch().selected_array["frequency"]
    voiced_hz = track_hz[track_hz > 0]
    assert abs(12 * np.log2(np.median(voiced_hz) / script.MANNERS[manner].pitch_hz)) < 1.5
    assert len(voiced_hz) > 0.5 * len(track_hz)


def test_resonator_has_its_peak_and_width(script: ModuleType) -> None:
    response = np.abs(script.resonator(np.array([1500.0]), 100.0))[0]
    bins_hz = script.bins_hz()
    assert response[0] == pytest.approx(1)
    assert bins_hz[response.argmax()] == pytest.approx(1500, abs=16)
    above = bins_hz[response > response.max() / np.sqrt(2)]
    assert above[-1] - above[0] == pytest.approx(100, abs=32)


def test_filter_of_ones_changes_nothing(script: ModuleType) -> None:
    source = np.random.default_rng(1).standard_normal(40 * script.HOP_SAMPLES)
    response = np.ones((40, len(script.bins_hz())))
    middle = slice(script.WINDOW_SAMPLES, len(source) - script.WINDOW_SAMPLES)
    np.testing.assert_allclose(script.filtered(source, response)[middle], source[middle], atol=1e-12)
