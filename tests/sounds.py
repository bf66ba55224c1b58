"""Sounds whose truth is known, for tests: harmonic tones, syllable trains, clicks, and clips that pass for speech."""

from pathlib import Path

import numpy as np

from overtone.audio.decode import read

RATE_HZ = 16_000
HOP_S = 0.016
HIGHEST_HARMONIC_HZ = 4_000


def seconds(duration_s: float) -> np.ndarray:
    """Times of the samples of so long a sound."""
    return np.arange(round(duration_s * RATE_HZ)) / RATE_HZ


def frame_count(samples: int) -> int:
    """Number of frames that the front end makes of so many samples."""
    return samples // round(HOP_S * RATE_HZ) + 1


def silence(duration_s: float) -> np.ndarray:
    """Digital silence, float32 `(samples,)`."""
    return np.zeros(len(seconds(duration_s)), np.float32)


def voice(pitch_hz: float, duration_s: float, level: float = 0.1, fall: float = 1.0) -> np.ndarray:
    """A steady voice: harmonics up to 4 kHz, float32 `(samples,)`.

    Args:
        pitch_hz: of the voice.
        duration_s: of the sound.
        level: amplitude of the first harmonic.
        fall: by what power of their number the harmonics fall: 1 for 6 dB in an octave, 0 for a train of pulses.
    """
    number = np.arange(1, HIGHEST_HARMONIC_HZ // pitch_hz + 1)[:, None]
    waves = np.cos(2 * np.pi * pitch_hz * number * seconds(duration_s)) / number**fall
    return (level * waves.sum(0)).astype(np.float32)


def syllables(rate_hz: float, count: int, pitch_hz: float = 140.0) -> np.ndarray:
    """`count` syllables at `rate_hz`: a voice that swells and ebbs by 30 dB, float32 `(samples,)`."""
    duration_s = count / rate_hz
    swell = 0.97 * np.sin(np.pi * rate_hz * seconds(duration_s)) ** 2 + 0.03
    return (voice(pitch_hz, duration_s) * swell).astype(np.float32)


def clicks(bpm: float, duration_s: float, rng: np.random.Generator) -> np.ndarray:
    """Short bursts of noise, `bpm` in a minute, over very quiet noise, float32 `(samples,)`."""
    sound = 1e-4 * rng.standard_normal(len(seconds(duration_s)))
    burst = np.exp(-np.arange(400) / 80)
    for time_s in np.arange(0.2, duration_s - 0.1, 60 / bpm):
        start = round(time_s * RATE_HZ)
        sound[start : start + len(burst)] += 0.5 * burst * rng.standard_normal(len(burst))
    return sound.astype(np.float32)


def speech_like(rng: np.random.Generator, duration_s: float, around_s: float = 0.2) -> np.ndarray:
    """Syllables of drawn pitch and rate, with breath noise, between two silences; float32 `(samples,)`."""
    rate_hz, pitch_hz = rng.uniform(3, 6), rng.uniform(100, 300)
    inner = duration_s - 2 * around_s
    spoken = syllables(rate_hz, max(1, int(np.ceil(inner * rate_hz))), pitch_hz)[: len(seconds(inner))]
    breath = 0.01 * rng.standard_normal(len(spoken)) * (np.abs(spoken) > 0)
    return np.concatenate([silence(around_s), spoken + breath, silence(around_s)]).astype(np.float32)


def some_clips(folder: Path, count: int, seed: int) -> list[np.ndarray]:
    """Samples of `count` drawn sound files anywhere below a folder, float32 `(samples,)` at 16 kHz each."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".flac", ".wav", ".opus", ".ogg"))
    chosen = np.random.default_rng(seed).choice(len(files), count, replace=False)
    return [read(files[index]).samples for index in chosen]
