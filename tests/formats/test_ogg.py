import io

import numpy as np
import soundfile

from overtone.datatypes import SAMPLE_RATE_HZ
from overtone.formats.ogg import encode_ogg


def test_sound_comes_back_in_place(rng: np.random.Generator) -> None:
    given = rng.normal(0, 0.1, 3 * SAMPLE_RATE_HZ).astype(np.float32)
    given[: 2 * SAMPLE_RATE_HZ] = 0
    read, rate_hz = soundfile.read(io.BytesIO(encode_ogg(np.split(given, [7, 8, 20_000, 20_000]))), dtype="float32")
    assert (rate_hz, read.shape) == (SAMPLE_RATE_HZ, given.shape)
    assert abs(np.flatnonzero(np.abs(read) > 0.05)[0] - 2 * SAMPLE_RATE_HZ) < 0.01 * SAMPLE_RATE_HZ


def test_an_hour_is_small(rng: np.random.Generator) -> None:
    minute = [(0.1 * np.sin(2 * np.pi * 150 * np.arange(60 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)).astype(np.float32)]
    assert len(encode_ogg(minute)) < 40e6 / 60


def test_no_sound_is_a_sound_too() -> None:
    assert soundfile.info(io.BytesIO(encode_ogg([]))).frames == 0
