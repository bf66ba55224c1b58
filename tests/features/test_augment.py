"""Augmentation of waveforms and log-mel spectrograms: its limits, and the same result for the same seed."""

import numpy as np
import pytest
import synthetic_audio

from overtone.features.augment import (
    MAX_CLEAN_GAIN_DB,
    MAX_GAIN_DB,
    MAX_SILENCE_S,
    MAX_SPEED,
    MIN_GAIN_DB,
    MIN_SPEED,
    augment_waveform,
    spec_augment,
)
from overtone.features.background_noise import speech_power

STRONG = {"shift_bands": 3, "mask_count": 2, "mask_bands": 8, "mask_frames": 20}


def gain_db(changed: np.ndarray, samples: np.ndarray) -> float:
    """Return how much louder the speech of the changed clip is, in dB."""
    return 10 * np.log10(speech_power(changed) / speech_power(samples))


def test_augmented_waveforms_stay_within_the_limits() -> None:
    samples = synthetic_audio.syllables(4, 8)
    others = [synthetic_audio.syllables(5, 3, pitch_hz=180.0)]
    augmented = [augment_waveform(samples, np.random.default_rng(seed), others) for seed in range(150)]
    assert all(clip.dtype == np.float32 and np.isfinite(clip).all() and clip.any() for clip in augmented)
    seconds = np.array([len(clip) for clip in augmented]) / synthetic_audio.RATE_HZ
    assert 0.5 <= seconds.min() < 1.2, "cropped"
    assert 2 / MIN_SPEED < seconds.max() < 2 / MIN_SPEED + 2 * MAX_SILENCE_S + 0.01, "with silence around"
    gains_db = np.array([gain_db(clip, samples) for clip in augmented])
    assert MIN_GAIN_DB - 10 < gains_db.min() < -20 and 3 < gains_db.max() < MAX_GAIN_DB + 4


def test_some_clips_stay_clean() -> None:
    samples = synthetic_audio.syllables(4, 8)
    clean = []
    for seed in range(100):
        augmented = augment_waveform(samples, np.random.default_rng(seed))
        expected = 1 / MAX_SPEED - 0.01 < len(augmented) / len(samples) < 1 / MIN_SPEED + 0.01
        clean.append(expected and abs(gain_db(augmented, samples)) < MAX_CLEAN_GAIN_DB + 4)
    assert 15 < sum(clean) < 60, "20, and some of the others that are as loud and as long"


def test_other_voices_are_mixed_in_only_if_there_are_some() -> None:
    samples = synthetic_audio.syllables(4, 4)
    others = [synthetic_audio.syllables(5, 3, pitch_hz=180.0)]
    differing = 0
    for seed in range(60):
        alone, together = (augment_waveform(samples, np.random.default_rng(seed), voices) for voices in ((), others))
        differing += len(alone) != len(together) or not np.array_equal(alone, together)
    assert 2 <= differing <= 20


@pytest.mark.parametrize("samples", [1, 40, 1000])
def test_very_short_clips_stay_audio(samples: int) -> None:
    clip = synthetic_audio.syllables(4, 4)[2000 : 2000 + samples]
    for seed in range(40):
        augmented = augment_waveform(clip, np.random.default_rng(seed), [clip])
        assert len(augmented) and np.isfinite(augmented).all()


def test_the_same_seed_gives_the_same_waveform() -> None:
    samples = synthetic_audio.syllables(4, 4)
    first, again = (augment_waveform(samples, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert len(augment_waveform(samples, np.random.default_rng(4))) != len(first)


def test_augmented_silence_is_silence() -> None:
    assert not augment_waveform(synthetic_audio.silence(0.5), np.random.default_rng(0)).any()


def test_spec_augment_keeps_the_shape_and_does_not_change_its_input(rng: np.random.Generator) -> None:
    spectrogram = rng.standard_normal((6, 100, 64)).astype(np.float32)
    before = spectrogram.copy()
    augmented = spec_augment(spectrogram, np.random.default_rng(1), **STRONG)
    assert augmented.shape == spectrogram.shape and augmented.dtype == np.float32
    np.testing.assert_array_equal(spectrogram, before)
    np.testing.assert_array_equal(augmented, spec_augment(spectrogram, np.random.default_rng(1), **STRONG))
    assert (augmented != spec_augment(spectrogram, np.random.default_rng(2), **STRONG)).any()


def shifted(clip: np.ndarray, shift: int) -> np.ndarray:
    """Return the clip `(frames, bands)` moved up by `shift` bands, with zeros in the empty bands."""
    return np.pad(clip, ((0, 0), (3, 3)))[:, 3 - shift : 3 - shift + clip.shape[1]]


def test_shift_moves_all_frames_by_as_many_bands(rng: np.random.Generator) -> None:
    spectrogram = rng.standard_normal((20, 30, 64)).astype(np.float32)
    augmented = spec_augment(spectrogram, rng, shift_bands=3, mask_count=0, mask_bands=8, mask_frames=20)
    shifts = []
    for before, after in zip(spectrogram, augmented, strict=True):
        matching = [shift for shift in range(-3, 4) if np.array_equal(shifted(before, shift), after)]
        assert len(matching) == 1
        shifts += matching
    assert len(set(shifts)) > 3


@pytest.mark.parametrize("frames", [5, 100])
def test_masks_are_not_larger_than_allowed(frames: int) -> None:
    spectrogram = np.ones((50, frames, 64), np.float32)
    augmented = spec_augment(spectrogram, np.random.default_rng(0), **STRONG)
    hidden_bands = (augmented == 0).all(axis=1).sum(axis=1)
    hidden_frames = (augmented == 0).all(axis=2).sum(axis=1)
    assert 0 < hidden_bands.max() <= 2 * STRONG["mask_bands"] + STRONG["shift_bands"]
    assert 0 < hidden_frames.max() <= 2 * min(STRONG["mask_frames"], frames // 4)


def test_no_shift_and_no_masks_change_nothing(rng: np.random.Generator) -> None:
    spectrogram = rng.standard_normal((2, 10, 64)).astype(np.float32)
    same = spec_augment(spectrogram, rng, shift_bands=0, mask_count=0, mask_bands=8, mask_frames=20)
    np.testing.assert_array_equal(same, spectrogram)
