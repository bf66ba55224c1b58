"""The high-pass filter: what it removes, what it keeps, and that it neither delays nor rings."""

import numpy as np
import pytest
import synthetic_audio
import torch

from overtone.features.high_pass import BLOCK_SAMPLES, HighPass


def high_passed(samples: np.ndarray) -> np.ndarray:
    """Return the filtered clip, float32 `(samples,)`."""
    with torch.inference_mode():
        return HighPass()(torch.from_numpy(samples.astype(np.float32))[None])[0].numpy()


def gain_db(hz: float) -> float:
    """Return the gain at a frequency, away from the ends."""
    tone = np.sin(2 * np.pi * hz * synthetic_audio.sample_times_s(2))
    inside = slice(8000, -8000)
    return float(20 * np.log10(high_passed(tone)[inside].std() / tone[inside].std()))


@pytest.mark.parametrize("hz", [3, 20, 30, 40, 50])
def test_rumble_and_hum_are_removed(hz: float) -> None:
    assert gain_db(hz) < -35


@pytest.mark.parametrize("hz", [70, 85, 120, 180, 200, 250, 300, 500, 2000, 7000])
def test_voices_are_kept(hz: float) -> None:
    assert abs(gain_db(hz)) < 0.1


def test_the_lowest_pitch_is_nearly_kept() -> None:
    assert -1.5 < gain_db(65) < 0
    assert -8 < gain_db(60) < -4


def test_a_constant_offset_is_removed_entirely() -> None:
    middle = high_passed(np.full(16_000, 0.5))[4000:-4000]
    assert np.abs(middle).max() < 1e-6


@pytest.mark.parametrize("position", [8000, 8013, 8000 + BLOCK_SAMPLES - 1])
def test_the_filter_is_symmetric(position: int) -> None:
    click = np.zeros(16_001)
    click[position] = 1
    slow = click - high_passed(click)
    reach = np.arange(1, 3000)
    np.testing.assert_allclose(slow[position - reach], slow[position + reach], atol=1e-4)


def test_there_is_no_sound_before_the_speech() -> None:
    speech = synthetic_audio.voice(75.0, 1.0)
    before = high_passed(np.pad(speech, (8000, 0)))[:7000]
    level_db = 20 * np.log10(np.abs(before).max() / np.abs(speech).max())
    assert level_db < -45, "frames more than 25 dB below the loudest one are silence"


@pytest.mark.parametrize("samples", [1, 63, 64, 65, 480, 16_000])
def test_clips_of_any_length_are_independent(rng: np.random.Generator, samples: int) -> None:
    clips = torch.from_numpy(rng.standard_normal((3, samples)).astype(np.float32))
    filtered = HighPass()(clips)
    assert filtered.shape == clips.shape
    for clip, together in zip(clips, filtered, strict=True):
        torch.testing.assert_close(HighPass()(clip[None])[0], together, rtol=1e-4, atol=1e-5)
