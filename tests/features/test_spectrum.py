"""Frames and power spectrum compared with slicing and numpy's FFT in double precision."""

import numpy as np
import pytest
import torch
from synthetic_audio import frame_count

from overtone.features.spectrum import HOP_SAMPLES, SAMPLE_RATE_HZ, HalfRate, PowerSpectrum, frames, hops


@pytest.mark.parametrize("window_samples", [512, 1024])
@pytest.mark.parametrize("samples", [1, 255, 256, 1000, 4096])
def test_frames_are_centred_on_the_hops(rng: np.random.Generator, window_samples: int, samples: int) -> None:
    waveform = rng.standard_normal((2, samples)).astype(np.float32)
    result = frames(hops(torch.from_numpy(waveform)), window_samples // HOP_SAMPLES).numpy()
    padded = np.pad(waveform, ((0, 0), (window_samples // 2, window_samples)))
    expected = [padded[:, start : start + window_samples] for start in range(0, samples + 1, HOP_SAMPLES)]
    np.testing.assert_array_equal(result, np.stack(expected, axis=1))
    assert result.shape[1] == frame_count(samples)


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize(("fft_samples", "bins"), [(512, range(1, 256)), (640, range(3, 201)), (96, range(7, 8))])
def test_power_equals_that_of_the_fourier_transform(
    rng: np.random.Generator, fft_samples: int, bins: range, steps: int
) -> None:
    framed = rng.standard_normal((2, 3, fft_samples)).astype(np.float32)
    power = PowerSpectrum(fft_samples, bins, steps)
    result = power(*torch.from_numpy(framed).chunk(2, dim=-1)).numpy()
    assert sorted(power.bins) == list(bins)
    expected = np.abs(np.fft.rfft(framed.astype(float)))[..., power.bins] ** 2
    np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-5 * expected.max())


@pytest.mark.parametrize(("tone_hz", "expected"), [(0, 1), (100, 1), (1000, 1), (2300, 1), (5700, 0), (7900, 0)])
def test_half_rate_keeps_low_frequencies_without_aliasing(tone_hz: float, expected: float) -> None:
    times_s = np.arange(4001) / SAMPLE_RATE_HZ
    halved = HalfRate()(torch.from_numpy(np.cos(2 * np.pi * tone_hz * times_s)[None].astype(np.float32)))[0].numpy()
    assert len(halved) == 2000
    tone = expected * np.cos(2 * np.pi * tone_hz * times_s[:-1:2])
    np.testing.assert_allclose(halved[10:-10], tone[10:-10], atol=5e-3)
