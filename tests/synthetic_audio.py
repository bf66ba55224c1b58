"""Synthetic audio with known properties, for tests: harmonic tones, syllables, clicks, and clips similar to speech."""

from pathlib import Path

import numpy as np

from overtone.audio.decode import read

RATE_HZ = 16_000
HOP_S = 0.016
MAX_HARMONIC_HZ = 4_000


def sample_times_s(duration_s: float) -> np.ndarray:
    """Return the times of the samples of audio of this duration."""
    return np.arange(round(duration_s * RATE_HZ)) / RATE_HZ


def frame_count(samples: int) -> int:
    """Return the number of frames of the front end for this number of samples."""
    return samples // round(HOP_S * RATE_HZ) + 1


def silence(duration_s: float) -> np.ndarray:
    """Return digital silence, float32 `(samples,)`."""
    return np.zeros(len(sample_times_s(duration_s)), np.float32)


def voice(pitch_hz: float, duration_s: float, level: float = 0.1, fall: float = 1.0) -> np.ndarray:
    """Return a steady voice: harmonics up to 4 kHz, float32 `(samples,)`.

    Args:
        pitch_hz: pitch of the voice.
        duration_s: duration of the audio.
        level: amplitude of the first harmonic.
        fall: exponent of the decay of the harmonics: 1 for 6 dB per octave, 0 for a pulse train.
    """
    number = np.arange(1, MAX_HARMONIC_HZ // pitch_hz + 1)[:, None]
    waves = np.cos(2 * np.pi * pitch_hz * number * sample_times_s(duration_s)) / number**fall
    return (level * waves.sum(0)).astype(np.float32)


def syllables(rate_hz: float, count: int, pitch_hz: float = 140.0) -> np.ndarray:
    """Return `count` syllables at `rate_hz`: a voice whose level rises and falls by 30 dB, float32 `(samples,)`."""
    duration_s = count / rate_hz
    envelope = 0.97 * np.sin(np.pi * rate_hz * sample_times_s(duration_s)) ** 2 + 0.03
    return (voice(pitch_hz, duration_s) * envelope).astype(np.float32)


def clicks(bpm: float, duration_s: float, rng: np.random.Generator) -> np.ndarray:
    """Return short bursts of noise, `bpm` per minute, over very quiet noise, float32 `(samples,)`."""
    samples = 1e-4 * rng.standard_normal(len(sample_times_s(duration_s)))
    burst = np.exp(-np.arange(400) / 80)
    for time_s in np.arange(0.2, duration_s - 0.1, 60 / bpm):
        start = round(time_s * RATE_HZ)
        samples[start : start + len(burst)] += 0.5 * burst * rng.standard_normal(len(burst))
    return samples.astype(np.float32)


def speech_like(rng: np.random.Generator, duration_s: float, padding_s: float = 0.2) -> np.ndarray:
    """Return syllables of random pitch and rate, with breath noise, between two silences; float32 `(samples,)`."""
    rate_hz, pitch_hz = rng.uniform(3, 6), rng.uniform(100, 300)
    speech_s = duration_s - 2 * padding_s
    speech = syllables(rate_hz, max(1, int(np.ceil(speech_s * rate_hz))), pitch_hz)[: len(sample_times_s(speech_s))]
    breath = 0.01 * rng.standard_normal(len(speech)) * (np.abs(speech) > 0)
    return np.concatenate([silence(padding_s), speech + breath, silence(padding_s)]).astype(np.float32)


def random_clips(folder: Path, count: int, seed: int) -> list[np.ndarray]:
    """Return the samples of `count` random audio files of a folder, each float32 `(samples,)` at 16 kHz."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".flac", ".wav", ".opus", ".ogg"))
    chosen = np.random.default_rng(seed).choice(len(files), count, replace=False)
    return [read(files[index]).samples for index in chosen]
