"""Variation of waveforms and pictures: what it changes, and that the same draws give the same."""

import numpy as np
import pytest
import sounds

from overtone.features.augment import MAX_GAIN_DB, MAX_SPEED, MIN_SPEED, augment_waveform, spec_augment

HARD = {"shift_bands": 3, "mask_count": 2, "mask_bands": 8, "mask_frames": 20}


def test_waveform_is_varied_within_the_limits() -> None:
    samples = sounds.syllables(4, 8)
    varied = [augment_waveform(samples, np.random.default_rng(seed)) for seed in range(20)]
    lengths = np.array([len(found) for found in varied]) / len(samples)
    assert 1 / MAX_SPEED - 0.01 < lengths.min() < 0.95 and 1.05 < lengths.max() < 1 / MIN_SPEED + 0.01
    gains_db = np.array([20 * np.log10(found.std() / samples.std()) for found in varied])
    assert np.abs(gains_db).max() < MAX_GAIN_DB + 4  # the tilt adds up to 3 dB or so
    assert gains_db.std() > 1
    assert all(found.dtype == np.float32 and np.isfinite(found).all() for found in varied)


def test_same_draws_same_waveform() -> None:
    samples = sounds.syllables(4, 4)
    first, again = (augment_waveform(samples, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert len(augment_waveform(samples, np.random.default_rng(4))) != len(first)


def test_silence_stays_silence() -> None:
    assert not augment_waveform(sounds.silence(0.5), np.random.default_rng(0)).any()


def test_picture_keeps_its_shape_and_the_given_one_its_values(rng: np.random.Generator) -> None:
    picture = rng.standard_normal((6, 100, 64)).astype(np.float32)
    before = picture.copy()
    varied = spec_augment(picture, np.random.default_rng(1), **HARD)
    assert varied.shape == picture.shape and varied.dtype == np.float32
    np.testing.assert_array_equal(picture, before)
    np.testing.assert_array_equal(varied, spec_augment(picture, np.random.default_rng(1), **HARD))
    assert (varied != spec_augment(picture, np.random.default_rng(2), **HARD)).any()


def shifted(clip: np.ndarray, shift: int) -> np.ndarray:
    """The clip `(frames, bands)` moved up by `shift` bands, 0 where nothing came from."""
    return np.pad(clip, ((0, 0), (3, 3)))[:, 3 - shift : 3 - shift + clip.shape[1]]


def test_shift_moves_all_frames_by_as_many_bands(rng: np.random.Generator) -> None:
    picture = rng.standard_normal((20, 30, 64)).astype(np.float32)
    varied = spec_augment(picture, rng, shift_bands=3, mask_count=0, mask_bands=8, mask_frames=20)
    shifts = []
    for before, after in zip(picture, varied, strict=True):
        fits = [shift for shift in range(-3, 4) if np.array_equal(shifted(before, shift), after)]
        assert len(fits) == 1
        shifts += fits
    assert len(set(shifts)) > 3


@pytest.mark.parametrize("frames", [5, 100])
def test_stripes_are_no_larger_than_allowed(frames: int) -> None:
    picture = np.ones((50, frames, 64), np.float32)
    varied = spec_augment(picture, np.random.default_rng(0), **HARD)
    hidden_bands = (varied == 0).all(axis=1).sum(axis=1)
    hidden_frames = (varied == 0).all(axis=2).sum(axis=1)
    assert 0 < hidden_bands.max() <= 2 * HARD["mask_bands"] + HARD["shift_bands"]
    assert 0 < hidden_frames.max() <= 2 * min(HARD["mask_frames"], frames // 4)


def test_nothing_to_vary_varies_nothing(rng: np.random.Generator) -> None:
    picture = rng.standard_normal((2, 10, 64)).astype(np.float32)
    same = spec_augment(picture, rng, shift_bands=0, mask_count=0, mask_bands=8, mask_frames=20)
    np.testing.assert_array_equal(same, picture)
