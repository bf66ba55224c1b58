"""FILE -> SAMPLES, for systems without a reader of their own: soundfile and soxr, as Overtone uses them."""

from pathlib import Path

import numpy as np
import soundfile
import soxr

RATE_HZ = 16_000


def read_mono(clip: Path) -> np.ndarray:
    """Return mono samples at 16 kHz, float32 `(samples,)`."""
    samples, rate_hz = soundfile.read(clip, dtype="float32", always_2d=True)
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    return mono if rate_hz == RATE_HZ else soxr.resample(mono, rate_hz, RATE_HZ, quality="HQ")


def normalise(samples: np.ndarray) -> np.ndarray:
    """Return a batch of one clip, mean 0 and variance 1, float32 `(1, samples)`: the input of wav2vec2 and WavLM."""
    return ((samples - samples.mean()) / np.sqrt(samples.var() + 1e-7))[np.newaxis].astype(np.float32)
