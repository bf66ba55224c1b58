"""The log-mel spectrogram compared with librosa."""

from pathlib import Path

import numpy as np
import pytest
import synthetic_audio
import torch

from overtone.features.mel import BANDS, POWER_FLOOR, WINDOW_SAMPLES, LogMel, hz_to_mel, mel_filters, mel_to_hz
from overtone.features.spectrum import HOP_SAMPLES, SAMPLE_RATE_HZ

MAX_ERROR = 1e-3


def librosa_log_mel(samples: np.ndarray) -> np.ndarray:
    """Return the natural log of librosa's mel power in double precision `(frames, bands)`."""
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


def test_filters_equal_those_of_librosa() -> None:
    librosa = pytest.importorskip("librosa")
    expected = librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=WINDOW_SAMPLES, n_mels=BANDS, dtype=np.float64).T
    np.testing.assert_allclose(mel_filters().numpy(), expected, atol=1e-9)


def test_mel_scale_is_inverted() -> None:
    hz = torch.linspace(0, 8000, 999, dtype=torch.float64)
    torch.testing.assert_close(mel_to_hz(hz_to_mel(hz)), hz)
    assert (hz_to_mel(hz).diff() > 0).all()


@pytest.mark.parametrize("duration_s", [0.04, 0.5, 2.0])
def test_synthetic_audio_agrees_with_librosa(rng: np.random.Generator, duration_s: float) -> None:
    noise = 0.1 * rng.standard_normal(len(synthetic_audio.sample_times_s(duration_s))).astype(np.float32)
    for samples in (noise, synthetic_audio.voice(180, duration_s), synthetic_audio.silence(duration_s)):
        expected = librosa_log_mel(samples)
        result = log_mel(samples)
        assert result.shape == expected.shape
        assert np.abs(result - expected).max() <= MAX_ERROR


@pytest.mark.parametrize("corpus", ["ravdess", "emodb", "emovo", "nemo", "ased"])
def test_real_speech_agrees_with_librosa(data_folder: Path, corpus: str) -> None:
    if not (data_folder / corpus).is_dir():
        pytest.skip(f"no {corpus} in {data_folder}")
    for samples in synthetic_audio.random_clips(data_folder / corpus, 4, seed=2):
        assert np.abs(log_mel(samples) - librosa_log_mel(samples)).max() <= MAX_ERROR


def test_silence_is_at_the_floor() -> None:
    assert log_mel(synthetic_audio.silence(0.3)) == pytest.approx(np.log(POWER_FLOOR), abs=1e-5)
