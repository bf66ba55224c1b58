"""The loudness track against Praat's intensity."""

from pathlib import Path

import numpy as np
import pytest
import synthetic_audio
import torch

from overtone.features.loudness import FLOOR_DB, SILENCE_BELOW_PEAK_DB, Loudness, active_frames
from overtone.features.spectrum import SAMPLE_RATE_HZ

PRAAT_REFERENCE_DB = 94  # 1 Pa re 20 uPa


def loudness(samples: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return Loudness()(torch.from_numpy(samples)[None])[0].numpy()


def difference_on_speech(samples: np.ndarray) -> np.ndarray:
    """Return our loudness minus Praat's, in dB, at the frames within 25 dB of the loudest."""
    parselmouth = pytest.importorskip("parselmouth")
    sound = parselmouth.Sound(samples.astype(float), SAMPLE_RATE_HZ)
    intensity = sound.to_intensity(minimum_pitch=100, time_step=0.002)
    track_db = loudness(samples)
    times_s = np.arange(len(track_db)) * synthetic_audio.HOP_S
    is_defined = (times_s >= intensity.xs()[0]) & (times_s <= intensity.xs()[-1])
    is_speech = is_defined & (track_db > track_db[is_defined].max() - SILENCE_BELOW_PEAK_DB)
    return track_db[is_speech] - np.interp(times_s[is_speech], intensity.xs(), intensity.values[0])


@pytest.mark.parametrize("corpus", ["ravdess", "emodb", "emovo", "nemo", "ased"])
def test_real_speech_agrees_with_praat(data_folder: Path, corpus: str) -> None:
    """The requirement is 1 dB RMS; the deviation is below 0.1 dB, and the constant offset is Praat's reference."""
    if not (data_folder / corpus).is_dir():
        pytest.skip(f"no {corpus} in {data_folder}")
    for samples in synthetic_audio.random_clips(data_folder / corpus, 8, seed=2):
        difference = difference_on_speech(samples)
        assert len(difference) > 20
        assert difference.std() < 0.1
        assert difference.mean() == pytest.approx(-PRAAT_REFERENCE_DB, abs=0.1)


@pytest.mark.parametrize("gain_db", [-20.0, -3.0, 6.0])
def test_gain_shifts_loudness_by_the_same_amount(gain_db: float) -> None:
    samples = synthetic_audio.voice(150, 1)
    louder = loudness((samples * 10 ** (gain_db / 20)).astype(np.float32))
    np.testing.assert_allclose(louder - loudness(samples), gain_db, atol=1e-3)


def test_a_full_scale_sine_is_3_db_below_full_scale() -> None:
    samples = np.sin(2 * np.pi * 1000 * synthetic_audio.sample_times_s(0.5)).astype(np.float32)
    assert loudness(samples)[4:-4] == pytest.approx(10 * np.log10(0.5), abs=0.01)


def test_silence_is_at_the_floor() -> None:
    assert loudness(synthetic_audio.silence(0.5)) == pytest.approx(FLOOR_DB)


def test_a_slow_drift_is_not_loud() -> None:
    drift = 0.3 * np.sin(2 * np.pi * synthetic_audio.sample_times_s(1.0)).astype(np.float32)
    assert loudness(drift)[4:-4].max() < -30


def test_active_is_within_25_db_of_the_loudest_and_above_the_floor() -> None:
    track = torch.tensor([[-20.0, -44.9, -45.1, -90.0], [-89.5, -90.0, -90.0, -90.0]])
    assert active_frames(track).tolist() == [[True, True, False, False], [False] * 4]
