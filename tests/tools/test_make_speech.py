"""The committed example speech is the output of `tools/make_speech.py`, and matches the names of its files."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile

PROJECT = Path(__file__).resolve().parents[2]
SPEECH = PROJECT / "examples" / "speech"
MAX_FILE_BYTES = 60_000
STEP = 1 / 2**15


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """Return `tools/make_speech.py` as a module."""
    spec = importlib.util.spec_from_file_location("make_speech", PROJECT / "tools" / "make_speech.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_folder(folder: Path) -> dict[str, np.ndarray]:
    """Return the samples of each FLAC file in a folder, int16, by speaking style."""
    return {path.stem: soundfile.read(path, dtype="int16")[0] for path in folder.glob("*.flac")}


def test_script_creates_the_committed_files(script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    script.main(tmp_path)
    created, committed = read_folder(tmp_path), read_folder(SPEECH)
    assert script.SPEECH_FOLDER == SPEECH
    assert created.keys() == committed.keys() == script.STYLES.keys()
    for name, samples in created.items():
        assert len(samples) == len(committed[name])
        # another FFT implementation may round differently
        assert np.abs(samples.astype(int) - committed[name]).max() <= 2, name
    assert "level.flac" in capsys.readouterr().out


def test_committed_files_are_small_mono_16_khz() -> None:
    for path in SPEECH.iterdir():
        info = soundfile.info(path)
        assert (info.format, info.samplerate, info.channels) == ("FLAC", 16_000, 1), path
        assert 1.5 < info.duration < 4, path
        assert path.stat().st_size < MAX_FILE_BYTES, path


def test_loudness_and_duration_match_the_names() -> None:
    speech = {name: samples * STEP for name, samples in read_folder(SPEECH).items()}
    rms = {name: np.sqrt(np.mean(samples**2)) for name, samples in speech.items()}
    assert rms["slow-soft-low"] < rms["level"] < rms["loud-hard-falling"]
    assert len(speech["quick-bright-high"]) < len(speech["level"]) < len(speech["slow-soft-low"])


@pytest.mark.parametrize("style", ["level", "slow-soft-low", "quick-bright-high", "loud-hard-falling"])
def test_median_pitch_is_the_pitch_of_the_style(script: ModuleType, style: str) -> None:
    parselmouth = pytest.importorskip("parselmouth")
    samples = read_folder(SPEECH)[style] * STEP
    track_hz = parselmouth.Sound(samples, 16_000).to_pitch().selected_array["frequency"]
    voiced_hz = track_hz[track_hz > 0]
    assert abs(12 * np.log2(np.median(voiced_hz) / script.STYLES[style].pitch_hz)) < 1.5
    assert len(voiced_hz) > 0.5 * len(track_hz)


def test_resonator_peak_and_bandwidth(script: ModuleType) -> None:
    response = np.abs(script.resonator(np.array([1500.0]), 100.0))[0]
    bins_hz = script.bin_frequencies_hz()
    assert response[0] == pytest.approx(1)
    assert bins_hz[response.argmax()] == pytest.approx(1500, abs=16)
    above_hz = bins_hz[response > response.max() / np.sqrt(2)]
    assert above_hz[-1] - above_hz[0] == pytest.approx(100, abs=32)


def test_a_response_of_ones_leaves_the_signal_unchanged(script: ModuleType) -> None:
    signal = np.random.default_rng(1).standard_normal(40 * script.HOP_SAMPLES)
    response = np.ones((40, len(script.bin_frequencies_hz())))
    middle = slice(script.WINDOW_SAMPLES, len(signal) - script.WINDOW_SAMPLES)
    np.testing.assert_allclose(script.apply_filter(signal, response)[middle], signal[middle], atol=1e-12)
