"""FILE -> SAMPLES, for peers that bring no reader of their own: the fastest one we know."""

from pathlib import Path

import numpy as np
import soundfile
import soxr

RATE_HZ = 16_000


def samples_of(clip: Path) -> np.ndarray:
    """Mono at 16 kHz, float32 `(samples,)`."""
    samples, rate_hz = soundfile.read(clip, dtype="float32", always_2d=True)
    mono = samples[:, 0] if samples.shape[1] == 1 else samples.mean(axis=1)
    return mono if rate_hz == RATE_HZ else soxr.resample(mono, rate_hz, RATE_HZ, quality="HQ")


def normalised(samples: np.ndarray) -> np.ndarray:
    """A batch of one, of mean 0 and variance 1, float32 `(1, samples)`: what wav2vec2 and its kin expect."""
    return ((samples - samples.mean()) / np.sqrt(samples.var() + 1e-7))[np.newaxis].astype(np.float32)
