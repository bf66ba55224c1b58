import io

import numpy as np
import soundfile

from overtone.datatypes import SAMPLE_RATE_HZ
from overtone.formats.ogg import encode_ogg


def test_decoded_audio_keeps_its_timing(rng: np.random.Generator) -> None:
    samples = rng.normal(0, 0.1, 3 * SAMPLE_RATE_HZ).astype(np.float32)
    samples[: 2 * SAMPLE_RATE_HZ] = 0
    encoded = encode_ogg(np.split(samples, [7, 8, 20_000, 20_000]))
    decoded, rate_hz = soundfile.read(io.BytesIO(encoded), dtype="float32")
    assert (rate_hz, decoded.shape) == (SAMPLE_RATE_HZ, samples.shape)
    assert abs(np.flatnonzero(np.abs(decoded) > 0.05)[0] - 2 * SAMPLE_RATE_HZ) < 0.01 * SAMPLE_RATE_HZ


def test_one_hour_takes_less_than_40_mb(rng: np.random.Generator) -> None:
    minute = [(0.1 * np.sin(2 * np.pi * 150 * np.arange(60 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)).astype(np.float32)]
    assert len(encode_ogg(minute)) < 40e6 / 60


def test_no_audio_gives_an_empty_file() -> None:
    assert soundfile.info(io.BytesIO(encode_ogg([]))).frames == 0
