"""The log-mel picture against librosa."""

from pathlib import Path

import numpy as np
import pytest
import sounds
import torch

from overtone.features.mel import BANDS, POWER_FLOOR, WINDOW_SAMPLES, LogMel, hz_of_mel, mel_filters, mel_of_hz
from overtone.features.spectrum import HOP_SAMPLES, SAMPLE_RATE_HZ

MOST_ERROR = 1e-3


def librosa_log_mel(samples: np.ndarray) -> np.ndarray:
    """Natural log of librosa's mel power in double precision `(frames, bands)`."""
    librosa = pytest.importorskip("librosa")
    power = librosa.feature.melspectrogram(
        y=samples.astype(float),
        sr=SAMPLE_RATE_HZ,
        n_fft=WINDOW_SAMPLES,
        hop_length=HOP_SAMPLES,
        n_mels=BANDS,
        center=True,
        pad_mode="constant",
    )
    return np.log(np.maximum(power, POWER_FLOOR)).T


def log_mel(samples: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return LogMel()(torch.from_numpy(samples)[None])[0].numpy()


def test_filters_are_those_of_librosa() -> None:
    librosa = pytest.importorskip("librosa")
    expected = librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=WINDOW_SAMPLES, n_mels=BANDS, dtype=np.float64).T
    np.testing.assert_allclose(mel_filters().numpy(), expected, atol=1e-9)


def test_mel_scale_is_undone() -> None:
    hz = torch.linspace(0, 8000, 999, dtype=torch.float64)
    torch.testing.assert_close(hz_of_mel(mel_of_hz(hz)), hz)
    assert (mel_of_hz(hz).diff() > 0).all()


@pytest.mark.parametrize("duration_s", [0.04, 0.5, 2.0])
def test_made_sound_as_librosa_hears_it(rng: np.random.Generator, duration_s: float) -> None:
    noise = 0.1 * rng.standard_normal(len(sounds.seconds(duration_s))).astype(np.float32)
    for samples in (noise, sounds.voice(180, duration_s), sounds.silence(duration_s)):
        expected = librosa_log_mel(samples)
        found = log_mel(samples)
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() <= MOST_ERROR


@pytest.mark.parametrize("corpus", ["ravdess", "emodb", "emovo", "nemo", "ased"])
def test_real_speech_as_librosa_hears_it(data_folder: Path, corpus: str) -> None:
    if not (data_folder / corpus).is_dir():
        pytest.skip(f"no {corpus} in {data_folder}")
    for samples in sounds.some_clips(data_folder / corpus, 4, seed=2):
        assert np.abs(log_mel(samples) - librosa_log_mel(samples)).max() <= MOST_ERROR


def test_floor_holds() -> None:
    assert log_mel(sounds.silence(0.3)) == pytest.approx(np.log(POWER_FLOOR), abs=1e-5)
