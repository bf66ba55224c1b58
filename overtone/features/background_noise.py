"""Sounds in the background of speech, for augmentation: noise of any colour, mains hum, other voices.

Every function returns the speech with the background added, float32 `(samples,)`. Their level is given as the ratio of
the power of the speech, without its pauses, to that of the background.
"""

from collections.abc import Sequence

import numpy as np
import soxr
from scipy.fft import irfft, next_fast_len

from overtone.features.loudness import SILENCE_BELOW_PEAK_DB
from overtone.features.spectrum import HOP_SAMPLES, SAMPLE_RATE_HZ

LOWEST_NOISE_HZ = 20.0  # below, the power of coloured noise does not rise further
HUM_HARMONICS = 8
MIN_VOICES, MAX_VOICES = 3, 6
MIN_VOICE_SPEED, MAX_VOICE_SPEED = 0.8, 1.25


def speech_span(samples: np.ndarray) -> slice:
    """The samples from the first frame of 16 ms at most 25 dB below the loudest one to the last.

    Args:
        samples: float32 `(samples,)`, at least one.
    """
    active = np.flatnonzero(_active(_frame_powers(samples)))
    return slice(int(active[0]) * HOP_SAMPLES, min(len(samples), (int(active[-1]) + 1) * HOP_SAMPLES))


def speech_power(samples: np.ndarray) -> float:
    """The mean square of the frames at most 25 dB below the loudest one: pauses do not lower it.

    Args:
        samples: float32 `(samples,)`, at least one.
    """
    powers = _frame_powers(samples)
    return float(powers[_active(powers)].mean())


def _frame_powers(samples: np.ndarray) -> np.ndarray:
    padded = np.pad(samples, (0, -len(samples) % HOP_SAMPLES))
    return np.square(padded.reshape(-1, HOP_SAMPLES)).mean(1, dtype=np.float64)


def _active(powers: np.ndarray) -> np.ndarray:
    return powers >= powers.max() * 10 ** (-SILENCE_BELOW_PEAK_DB / 10)


def add_background(samples: np.ndarray, background: np.ndarray, snr_db: float) -> np.ndarray:
    """The speech with this background at this ratio of their powers.

    Args:
        samples: float32 `(samples,)`.
        background: float `(samples,)`; nothing is added if it is silent.
        snr_db: power of the speech over that of the background.
    """
    power = float(np.mean(np.square(background, dtype=np.float64)))
    if not power:
        return samples
    gain = np.sqrt(speech_power(samples) / power) * 10 ** (-snr_db / 20)
    return (samples + gain * background).astype(np.float32)


def add_noise(samples: np.ndarray, rng: np.random.Generator, *, snr_db: float, slope: float) -> np.ndarray:
    """The speech in noise whose power falls with frequency.

    Args:
        samples: float32 `(samples,)` at 16 kHz.
        rng: random generator.
        snr_db: power of the speech over that of the noise.
        slope: the power is proportional to frequency ** -slope: 0 is white noise, 1 pink, 2 brown.
    """
    length = next_fast_len(len(samples), real=True)
    bins = length // 2 + 1
    hz = np.maximum(np.arange(bins, dtype=np.float32) * (SAMPLE_RATE_HZ / length), LOWEST_NOISE_HZ)
    spectrum = rng.standard_normal((2, bins), np.float32) * hz ** (-slope / 2)
    noise = irfft(spectrum[0] + 1j * spectrum[1], length)[: len(samples)]
    return add_background(samples, noise, snr_db)


def add_hum(samples: np.ndarray, rng: np.random.Generator, *, snr_db: float, mains_hz: float) -> np.ndarray:
    """The speech with the hum of the mains: its frequency and its harmonics, of random amplitude and phase.

    Args:
        samples: float32 `(samples,)` at 16 kHz.
        rng: random generator.
        snr_db: power of the speech over that of the hum.
        mains_hz: about 50 or 60.
    """
    number = np.arange(1, HUM_HARMONICS + 1)
    amplitude = rng.uniform(0, 1, HUM_HARMONICS) / number
    phase = rng.uniform(0, 2 * np.pi, HUM_HARMONICS)
    time = (2 * np.pi * mains_hz / SAMPLE_RATE_HZ) * np.arange(len(samples), dtype=np.float32)
    waves = (a * np.cos(n * time + p) for a, n, p in zip(amplitude, number, phase, strict=True))
    return add_background(samples, sum(waves, np.zeros(len(samples))), snr_db)


def add_babble(
    samples: np.ndarray, others: Sequence[np.ndarray], rng: np.random.Generator, *, snr_db: float
) -> np.ndarray:
    """The speech among 3 to 6 other voices of equal power.

    Each voice is a clip of `others`, reversed and at another speed, repeated if it is shorter: what is added contains
    neither understandable words nor the original voice.

    Args:
        samples: float32 `(samples,)` at 16 kHz.
        others: speech, each float32 `(its samples,)`; without any, the result is the speech alone.
        rng: random generator.
        snr_db: power of the speech over that of all other voices.
    """
    babble = np.zeros(len(samples), np.float32)
    for _ in range(int(rng.integers(MIN_VOICES, MAX_VOICES + 1)) if len(others) else 0):
        other = others[int(rng.integers(len(others)))]
        start = int(rng.integers(len(other)))
        speed = rng.uniform(MIN_VOICE_SPEED, MAX_VOICE_SPEED)
        needed = int(len(samples) * speed) + 2
        part = np.take(other, np.arange(start, start - needed, -1), mode="wrap")
        voice = soxr.resample(part, SAMPLE_RATE_HZ * speed, SAMPLE_RATE_HZ, quality="LQ")
        level = np.sqrt(speech_power(other))
        if level and len(voice):
            babble[: len(voice)] += voice[: len(babble)] / level
    return add_background(samples, babble, snr_db)
