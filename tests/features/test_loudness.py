"""The loudness track against Praat's intensity."""

from pathlib import Path

import numpy as np
import pytest
import sounds
import torch

from overtone.features.loudness import FLOOR_DB, SILENCE_BELOW_PEAK_DB, Loudness, active_frames
from overtone.features.spectrum import SAMPLE_RATE_HZ

PRAAT_REFERENCE_DB = 94  # 1 Pa re 20 uPa


def loudness(samples: np.ndarray) -> np.ndarray:
    with torch.inference_mode():
        return Loudness()(torch.from_numpy(samples)[None])[0].numpy()


def difference_on_speech(samples: np.ndarray) -> np.ndarray:
    """Ours minus Praat's, in dB, at the frames within 25 dB of the loudest."""
    parselmouth = pytest.importorskip("parselmouth")
    sound = parselmouth.Sound(samples.astype(float), SAMPLE_RATE_HZ)
    intensity = sound.to_intensity(minimum_pitch=100, time_step=0.002)
    found = loudness(samples)
    times_s = np.arange(len(found)) * sounds.HOP_S
    known = (times_s >= intensity.xs()[0]) & (times_s <= intensity.xs()[-1])
    speech = known & (found > found[known].max() - SILENCE_BELOW_PEAK_DB)
    return found[speech] - np.interp(times_s[speech], intensity.xs(), intensity.values[0])


@pytest.mark.parametrize("corpus", ["ravdess", "emodb", "emovo", "nemo", "ased"])
def test_real_speech_as_praat_hears_it(data_folder: Path, corpus: str) -> None:
    """Within 1 dB RMS is the promise; it is within 0.1 dB, and the constant is that of Praat's reference."""
    if not (data_folder / corpus).is_dir():
        pytest.skip(f"no {corpus} in {data_folder}")
    for samples in sounds.some_clips(data_folder / corpus, 8, seed=2):
        difference = difference_on_speech(samples)
        assert len(difference) > 20
        assert difference.std() < 0.1
        assert difference.mean() == pytest.approx(-PRAAT_REFERENCE_DB, abs=0.1)


@pytest.mark.parametrize("gain_db", [-20.0, -3.0, 6.0])
def test_gain_moves_it_by_as_much(gain_db: float) -> None:
    samples = sounds.voice(150, 1)
    louder = loudness((samples * 10 ** (gain_db / 20)).astype(np.float32))
    np.testing.assert_allclose(louder - loudness(samples), gain_db, atol=1e-3)


def test_a_full_scale_sine_is_3_db_below_full_scale() -> None:
    samples = np.sin(2 * np.pi * 1000 * sounds.seconds(0.5)).astype(np.float32)
    assert loudness(samples)[4:-4] == pytest.approx(10 * np.log10(0.5), abs=0.01)


def test_silence_lies_on_the_floor() -> None:
    assert loudness(sounds.silence(0.5)) == pytest.approx(FLOOR_DB)


def test_a_slow_drift_is_not_loud() -> None:
    drift = 0.3 * np.sin(2 * np.pi * sounds.seconds(1.0)).astype(np.float32)
    assert loudness(drift)[4:-4].max() < -30


def test_active_is_within_25_db_of_the_loudest_and_above_the_floor() -> None:
    track = torch.tensor([[-20.0, -44.9, -45.1, -90.0], [-89.5, -90.0, -90.0, -90.0]])
    assert active_frames(track).tolist() == [[True, True, False, False], [False] * 4]
