"""Augmentation of waveforms and log-mel spectrograms: its limits, and the same result for the same seed."""

import numpy as np
import pytest
import synthetic_audio

from overtone.features.augment import MAX_GAIN_DB, MAX_SPEED, MIN_SPEED, augment_waveform, spec_augment

STRONG = {"shift_bands": 3, "mask_count": 2, "mask_bands": 8, "mask_frames": 20}


def test_augmented_waveforms_stay_within_the_limits() -> None:
    samples = synthetic_audio.syllables(4, 8)
    augmented = [augment_waveform(samples, np.random.default_rng(seed)) for seed in range(20)]
    lengths = np.array([len(clip) for clip in augmented]) / len(samples)
    assert 1 / MAX_SPEED - 0.01 < lengths.min() < 0.95 and 1.05 < lengths.max() < 1 / MIN_SPEED + 0.01
    gains_db = np.array([20 * np.log10(clip.std() / samples.std()) for clip in augmented])
    assert np.abs(gains_db).max() < MAX_GAIN_DB + 4  # the tilt adds up to 3 dB or so
    assert gains_db.std() > 1
    assert all(clip.dtype == np.float32 and np.isfinite(clip).all() for clip in augmented)


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
