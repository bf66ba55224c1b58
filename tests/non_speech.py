"""Synthetic audio without speech, for tests: coloured noise, hum, and several kinds of music; float32 at 16 kHz."""

import numpy as np

from overtone.datatypes import SAMPLE_RATE_HZ

CHORDS = ((48, 55, 60, 64), (45, 52, 57, 60), (41, 53, 57, 60), (43, 50, 55, 59))  # C, Am, F, G as MIDI notes
COLOURS = {"white": 0, "pink": 1, "brown": 2}
MUSIC = ("chords", "arpeggio", "melody", "drums", "band")


def at_level(samples: np.ndarray, level_db: float) -> np.ndarray:
    """Return the audio scaled to a level in dB re full scale."""
    return (samples * 10 ** (level_db / 20) / samples.std()).astype(np.float32)


def noise(colour: str, duration_s: float, rng: np.random.Generator) -> np.ndarray:
    """Return noise whose power falls with frequency; `COLOURS` has the exponents."""
    count = round(duration_s * SAMPLE_RATE_HZ)
    hz = np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE_HZ), 20)
    return np.fft.irfft(np.fft.rfft(rng.standard_normal(count)) * hz ** (-COLOURS[colour] / 2), count)


def hum(mains_hz: float, duration_s: float, rng: np.random.Generator) -> np.ndarray:
    """Return mains hum with its harmonics."""
    times_s = _times(duration_s)
    return sum(rng.random() / k * np.sin(2 * np.pi * (mains_hz * k * times_s + rng.random())) for k in range(1, 12))


def music(style: str, duration_s: float, rng: np.random.Generator) -> np.ndarray:
    """Return four chords at a random tempo in a random key, in one of the styles of `MUSIC`."""
    samples = np.zeros(len(_times(duration_s)))
    beat_s, key = 60 / rng.uniform(70, 150), int(rng.integers(-3, 6))
    for beat in range(int(duration_s / beat_s)):
        chord = [note + key for note in CHORDS[beat // 4 % 4]]
        start_s = beat * beat_s
        if style in ("chords", "band") and beat % 4 == 0:
            for midi in chord:
                _add(samples, start_s, _bowed(midi, 4 * beat_s))
        if style in ("arpeggio", "band"):
            for half in (0, 0.5):
                _add(samples, start_s + half * beat_s, _plucked(int(rng.choice(chord)) + 12, beat_s))
        if style == "melody":
            _add(samples, start_s, _bowed(int(rng.choice(chord)) + 12, beat_s))
        if style in ("drums", "band"):
            _add(samples, start_s, _kick() if beat % 2 else _snare(rng))
    return samples


def _times(duration_s: float) -> np.ndarray:
    return np.arange(round(duration_s * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ


def _add(samples: np.ndarray, start_s: float, note: np.ndarray) -> None:
    start = round(start_s * SAMPLE_RATE_HZ)
    note = note[: len(samples) - start]
    samples[start : start + len(note)] += note


def _harmonics(midi: int, times_s: np.ndarray) -> np.ndarray:
    hz = 440 * 2 ** ((midi - 69) / 12)
    return sum(np.sin(2 * np.pi * k * hz * times_s) / k for k in range(1, int(min(12, 7_500 // hz)) + 1))


def _bowed(midi: int, duration_s: float) -> np.ndarray:
    times_s = _times(duration_s)
    vibrato_s = 0.0002 * np.sin(2 * np.pi * 5.5 * times_s)
    return np.minimum(1, times_s / 0.1) * np.minimum(1, times_s[::-1] / 0.1) * _harmonics(midi, times_s + vibrato_s)


def _plucked(midi: int, duration_s: float) -> np.ndarray:
    times_s = _times(duration_s)
    return np.exp(-4 * times_s) * _harmonics(midi, times_s)


def _kick() -> np.ndarray:
    times_s = _times(0.25)
    return 2 * np.sin(2 * np.pi * (50 * times_s - np.exp(-30 * times_s))) * np.exp(-18 * times_s)


def _snare(rng: np.random.Generator) -> np.ndarray:
    times_s = _times(0.25)
    return 1.2 * rng.standard_normal(len(times_s)) * np.exp(-25 * times_s)
