"""A constant offset of a recording does not change the prediction of the bundled model, at any sampling rate."""

from pathlib import Path

import numpy as np
import pytest
import soxr

import overtone
from overtone.audio.blocks import StreamResampler

SPEECH = Path(__file__).resolve().parents[2] / "examples" / "speech" / "high-trembling.flac"


@pytest.mark.parametrize("rate_hz", [8_000, 44_100, 48_000])
def test_an_offset(rate_hz: int) -> None:
    recogniser = overtone.load()
    samples = soxr.resample(0.5 * overtone.read(SPEECH).samples, 16_000, rate_hz)
    expected = recogniser.recognise(samples, rate_hz).probabilities
    for offset in (0.1, 0.3, -0.3):
        np.testing.assert_allclose(recogniser.recognise(samples + offset, rate_hz).probabilities, expected, atol=0.02)


def test_a_stream_equals_the_whole_recording() -> None:
    samples = np.float32(0.3) + 0.1 * np.sin(np.arange(44_100) / 20).astype(np.float32)
    resampler = StreamResampler(44_100)
    parts = [resampler.push(part) for part in (samples[:0], samples[:7], samples[7:20_000], samples[20_000:])]
    streamed = np.concatenate([*parts, resampler.close()])
    np.testing.assert_allclose(streamed, overtone.from_array(samples, 44_100).samples, atol=1e-6)
    np.testing.assert_allclose(streamed[:100], 0.3, atol=0.11)  # without a step from 0
