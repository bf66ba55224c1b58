"""Synthetic sounds of animals and of a household, for tests; float64 at 16 kHz, three seconds."""

from collections.abc import Sequence

import numpy as np

RATE_HZ = 16_000
DURATION_S = 3


def make_sounds(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return name -> sound."""
    return {
        "small dog": _repeat([_bark(0.12, (700, 1_200), rng) for _ in range(5)], (0.2, 0.6, 1.1, 1.5, 2.2)),
        "big dog": _repeat([_bark(0.3, (200, 400), rng) for _ in range(4)], (0.2, 0.8, 1.6, 2.3)),
        "howling": _repeat([_voice(2, 350, 150, 6, 0.02, rng)], (0.4,)),
        "cat": _repeat([_voice(0.8, 500, 300, 10, 0.05, rng)] * 2, (0.2, 1.5)),
        "cow": _repeat([_voice(1.5, 150, 30, 30, 0.1, rng)], (0.5,)),
        "birds": _repeat([_voice(0.12, 3_000, 1_500, 2, 0, rng)] * 10, np.arange(10) / 4),
        "knocking": _repeat([_strike(0.1, 180, rng)] * 5, (0.3, 0.6, 0.9, 2, 2.3)),
        "dripping": _repeat([_strike(0.08, 1_100, rng)] * 5, (0.1, 0.7, 1.3, 1.9, 2.5)),
        "telephone": _repeat([_tone(1, 440) + _tone(1, 480)] * 2, (0.1, 1.9)),
        "alarm clock": _repeat([np.sign(_tone(0.15, 2_000))] * 7, np.arange(7) * 0.4),
        "sneezing": _repeat([np.exp(-10 * _times(0.3)) * rng.standard_normal(4_800)] * 2, (0.5, 1.5)),
        "vacuum cleaner": _tone(DURATION_S, 280) + 2 * rng.standard_normal(DURATION_S * RATE_HZ),
        "siren": np.sin(2 * np.pi * np.cumsum(700 + 300 * _tone(DURATION_S, 0.7)) / RATE_HZ),
    }


def _times(duration_s: float) -> np.ndarray:
    return np.arange(round(duration_s * RATE_HZ)) / RATE_HZ


def _tone(duration_s: float, hz: float) -> np.ndarray:
    return np.sin(2 * np.pi * hz * _times(duration_s))


def _repeat(sounds: Sequence[np.ndarray], starts_s: Sequence[float] | np.ndarray) -> np.ndarray:
    samples = np.zeros(DURATION_S * RATE_HZ)
    for sound, start_s in zip(sounds, starts_s, strict=True):
        start = round(start_s * RATE_HZ)
        samples[start : start + len(sound)] += sound[: len(samples) - start]
    return samples


def _harmonics(pitch_hz: np.ndarray, count: int) -> np.ndarray:
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    return sum(np.sin(k * phase) / k for k in range(1, count + 1) if k * pitch_hz.max() < RATE_HZ / 2)


def _bark(duration_s: float, pitches_hz: tuple[float, float], rng: np.random.Generator) -> np.ndarray:
    """Return a short falling harmonic tone with noise."""
    times_s = _times(duration_s)
    envelope = np.exp(-(((times_s - 0.3 * duration_s) / (0.25 * duration_s)) ** 2))
    pitch_hz = rng.uniform(*pitches_hz) * (1 - 1.5 * times_s)
    return envelope * (_harmonics(pitch_hz, 8) + 0.7 * rng.standard_normal(len(times_s)))


def _voice(
    duration_s: float, pitch_hz: float, rise_hz: float, harmonics: int, noise: float, rng: np.random.Generator
) -> np.ndarray:
    """Return a harmonic tone whose pitch rises and falls again."""
    arc = np.sin(np.pi * _times(duration_s) / duration_s)
    return arc * (_harmonics(pitch_hz + rise_hz * arc, harmonics) + noise * rng.standard_normal(len(arc)))


def _strike(duration_s: float, hz: float, rng: np.random.Generator) -> np.ndarray:
    times_s = _times(duration_s)
    return np.exp(-50 * times_s) * _tone(duration_s, hz) + 0.3 * np.exp(-200 * times_s) * rng.standard_normal(
        len(times_s)
    )
