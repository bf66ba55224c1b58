"""Makes the sample speech of this folder: one sentence, said in five manners by a small source-filter synthesiser.

    python tools/make_speech.py [FOLDER]

Nothing is recorded and nobody is imitated: a train of glottal pulses and noise goes through the resonances of a vocal
tract that move from sound to sound. The files are named after the manner of speaking, not after an emotion: what
emotion a listener or a model hears in them is an opinion.

Source: Klatt (1980), "Software for a cascade/parallel formant synthesizer" (sources, formant values of the sounds);
Rosenberg (1971), "Effect of glottal pulse shape on the quality of natural vowels" (the pulse).
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

SAMPLE_RATE_HZ = 16_000
HOP_SAMPLES = 80  # 5 ms: how often the vocal tract moves
WINDOW_SAMPLES = 320
FFT_SAMPLES = 1024  # window + the longest ringing of a formant
GLIDE_S = 0.05  # how long the tongue is under way between two sounds
SILENCE_S = 0.15
UPPER_FORMANTS_HZ = (3400.0, 4500.0, 5500.0, 6500.0, 7500.0)


@dataclass(frozen=True)
class Sound:
    """One sound of speech.

    Attributes:
        duration_s: at normal rate.
        formants_hz: the first three resonances.
        voice: strength of the glottal pulses, 0 to 1.
        noise: strength of the frication, 0 to 1.
        noise_hz: centre of the frication.
    """

    duration_s: float
    formants_hz: tuple[float, float, float]
    voice: float = 1.0
    noise: float = 0.0
    noise_hz: float = 4000.0


@dataclass(frozen=True)
class Manner:
    """A way of saying a sentence.

    Attributes:
        pitch_hz: middle of the melody.
        melody_semitones: how far accents rise above it.
        fall_semitones: how far the voice falls from beginning to end.
        rate: speed, 1 for normal.
        peak: loudest sample, in (0, 1].
        tilt_db: loss per octave above 500 Hz: soft voices are dull, pressed voices bright.
        breath: noise in the voice, relative to its pulses.
        tremor_semitones: depth of a trembling at 6 Hz.
    """

    pitch_hz: float
    melody_semitones: float
    fall_semitones: float
    rate: float
    peak: float
    tilt_db: float
    breath: float
    tremor_semitones: float = 0.0


SOUNDS = {
    "K-": Sound(0.06, (300, 1900, 2700), voice=0.0),  # closure
    "K": Sound(0.05, (300, 1900, 2700), voice=0.0, noise=0.5, noise_hz=2400),
    "T-": Sound(0.06, (300, 1700, 2600), voice=0.0),
    "T": Sound(0.05, (300, 1700, 2600), voice=0.0, noise=0.6, noise_hz=4500),
    "B-": Sound(0.06, (200, 1000, 2300), voice=0.15),
    "D-": Sound(0.05, (200, 1600, 2600), voice=0.15),
    "D": Sound(0.02, (300, 1700, 2600), voice=0.4, noise=0.25, noise_hz=3800),
    "Z": Sound(0.08, (260, 1600, 2500), voice=0.35, noise=0.4, noise_hz=5500),
    "DH": Sound(0.05, (270, 1300, 2540), voice=0.4, noise=0.08, noise_hz=5000),
    "NG": Sound(0.08, (280, 1500, 2600), voice=0.4),
    "IH": Sound(0.10, (400, 1920, 2560)),
    "AA": Sound(0.12, (700, 1220, 2600)),
    "AO": Sound(0.13, (570, 900, 2500)),
    "AH": Sound(0.06, (550, 1200, 2450), voice=0.8),
    "R": Sound(0.09, (330, 1100, 1500), voice=0.7),
    "AY1": Sound(0.10, (680, 1250, 2550)),
    "AY2": Sound(0.08, (400, 1950, 2600), voice=0.9),
    ".": Sound(0.04, (400, 1200, 2000), voice=0.0),
}
# "Kids are talking by the door"; the accents fall on the sounds marked with an apostrophe.
SENTENCE = tuple("K- K IH' D- D Z AA R T- T AO' K- K IH NG B- AY1 AY2 DH AH D- D AO' AO R .".split())  # noqa: SIM905
MANNERS = {
    "level": Manner(115, 2.0, 2.0, rate=1.0, peak=0.20, tilt_db=4, breath=0.05),
    "slow-soft-low": Manner(100, 1.0, 3.0, rate=0.72, peak=0.06, tilt_db=9, breath=0.3),
    "quick-bright-high": Manner(230, 8.0, 1.0, rate=1.2, peak=0.45, tilt_db=2, breath=0.05),
    "loud-hard-falling": Manner(190, 6.0, 8.0, rate=1.05, peak=0.95, tilt_db=0, breath=0.02),
    "high-trembling": Manner(270, 3.0, -1.0, rate=1.25, peak=0.25, tilt_db=5, breath=0.15, tremor_semitones=1.0),
}


def speak(manner: Manner, rng: np.random.Generator) -> np.ndarray:
    """The sentence in a manner, float `(samples,)` in [-1, 1] at 16 kHz.

    Args:
        manner: how to say it.
        rng: source of the noise and of the small irregularities of a voice.
    """
    formants_hz, voice, noise, noise_hz, accent = tracks(manner.rate)
    pulses = glottal_pulses(melody(manner, accent, rng), rng)
    breathy = pulses + manner.breath * pulses.std() * rng.standard_normal(len(pulses))
    voiced = filtered(breathy * per_sample(voice), vocal_tract(formants_hz, manner.tilt_db))
    hiss = filtered(rng.standard_normal(len(pulses)) * per_sample(noise), frication(noise_hz))
    speech = voiced / np.abs(voiced).max() + 0.35 * hiss / np.abs(hiss).max()
    pause = np.zeros(round(SILENCE_S * SAMPLE_RATE_HZ))
    speech = np.concatenate([pause, speech * (manner.peak / np.abs(speech).max()), pause])
    room_tone = 1e-4 * rng.standard_normal(len(speech))
    return np.clip(speech + room_tone, -1, 1)


def tracks(rate: float) -> tuple[np.ndarray, ...]:
    """Formants `(frames, 3)`, voice, noise, noise centre and accent `(frames,)` along the sentence.

    Args:
        rate: speed, 1 for normal.
    """
    names = [name.rstrip("'") for name in SENTENCE]
    frames = [max(2, round(SOUNDS[name].duration_s / rate * SAMPLE_RATE_HZ / HOP_SAMPLES)) for name in names]
    sounds = [SOUNDS[name] for name, count in zip(names, frames, strict=True) for _ in range(count)]
    accents = [float(name.endswith("'")) for name, count in zip(SENTENCE, frames, strict=True) for _ in range(count)]
    formants = np.array([sound.formants_hz for sound in sounds])
    glide = GLIDE_S / rate
    return (
        np.stack([smooth(track, glide) for track in formants.T], axis=1),
        smooth(np.array([sound.voice for sound in sounds]), 0.02),
        smooth(np.array([sound.noise for sound in sounds]), 0.01),
        np.array([sound.noise_hz for sound in sounds]),
        smooth(np.array(accents), 0.15 / rate),
    )


def smooth(track: np.ndarray, width_s: float) -> np.ndarray:
    """A track `(frames,)` averaged under a Hann window of the given width; its ends are held."""
    width = max(3, round(width_s * SAMPLE_RATE_HZ / HOP_SAMPLES) | 1)
    window = np.hanning(width + 2)[1:-1]
    return np.convolve(np.pad(track, width // 2, mode="edge"), window / window.sum(), mode="valid")


def melody(manner: Manner, accent: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pitch in Hz for every sample: a falling line, accents on it, a drift and perhaps a tremor.

    Args:
        manner: how to say it.
        accent: `(frames,)`, 0 to 1.
        rng: source of the drift.
    """
    time_s = np.arange(len(accent)) * HOP_SAMPLES / SAMPLE_RATE_HZ
    line = manner.fall_semitones * (0.5 - time_s / time_s[-1])
    drift = smooth(rng.standard_normal(len(accent)), 0.1)
    tremor = manner.tremor_semitones * np.sin(2 * np.pi * 6 * time_s)
    semitones = line + manner.melody_semitones * accent / accent.max() + drift + tremor
    return per_sample(manner.pitch_hz * 2 ** (semitones / 12))


def glottal_pulses(pitch_hz: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Flow through the glottis, differentiated (the lips radiate it so), `(samples,)`.

    Args:
        pitch_hz: for every sample.
        rng: source of the shimmer.
    """
    phase = np.cumsum(pitch_hz / SAMPLE_RATE_HZ)
    within, opening, closing = phase % 1, 0.4, 0.16
    rise = 0.5 * (1 - np.cos(np.pi * within / opening))
    fall = np.cos(np.pi / 2 * (within - opening) / closing)
    flow = np.where(within < opening, rise, np.where(within < opening + closing, fall, 0.0))
    shimmer = 1 + 0.05 * rng.standard_normal(int(phase[-1]) + 1)
    return np.diff(flow * shimmer[phase.astype(int)], prepend=0.0)


def per_sample(track: np.ndarray) -> np.ndarray:
    """A track `(frames,)` drawn out to `(frames * HOP_SAMPLES,)` by straight lines."""
    at_frame = np.arange(len(track)) * HOP_SAMPLES + HOP_SAMPLES / 2
    return np.interp(np.arange(len(track) * HOP_SAMPLES), at_frame, track)


def vocal_tract(formants_hz: np.ndarray, tilt_db: float) -> np.ndarray:
    """Response of resonators in a row, complex `(frames, bins)`.

    Args:
        formants_hz: `(frames, 3)`.
        tilt_db: loss per octave above 500 Hz.
    """
    upper = np.broadcast_to(UPPER_FORMANTS_HZ, (len(formants_hz), len(UPPER_FORMANTS_HZ)))
    response = 10 ** (-tilt_db / 20 * np.log2(np.maximum(bins_hz(), 500) / 500)) + 0j
    for centre_hz in np.concatenate([formants_hz, upper], axis=1).T:
        response = response * resonator(centre_hz, 50 + centre_hz / 20)
    return response


def frication(noise_hz: np.ndarray) -> np.ndarray:
    """Response for noise made at a narrow place, complex `(frames, bins)`; `noise_hz` is `(frames,)`."""
    return resonator(noise_hz, 1200.0) * (bins_hz() / 4000)


def resonator(centre_hz: np.ndarray, bandwidth_hz: np.ndarray | float) -> np.ndarray:
    """Response of a second-order resonator of gain 1 at 0 Hz, complex `(frames, bins)`; Klatt (1980), equation 2."""
    radius = np.exp(-np.pi * np.asarray(bandwidth_hz) / SAMPLE_RATE_HZ)
    b = np.expand_dims(2 * radius * np.cos(2 * np.pi * centre_hz / SAMPLE_RATE_HZ), -1)
    c = np.expand_dims(-(radius**2), -1)
    delay = np.exp(-2j * np.pi * bins_hz() / SAMPLE_RATE_HZ)
    return (1 - b - c) / (1 - b * delay - c * delay**2)


def bins_hz() -> np.ndarray:
    """Frequencies of the bins, `(bins,)`."""
    return np.fft.rfftfreq(FFT_SAMPLES, 1 / SAMPLE_RATE_HZ)


def filtered(source: np.ndarray, response: np.ndarray) -> np.ndarray:
    """A source `(frames * HOP_SAMPLES,)` through a response that changes `(frames, bins)`, by overlap-add."""
    window = np.hanning(WINDOW_SAMPLES + 1)[:-1] / (WINDOW_SAMPLES / HOP_SAMPLES / 2)
    padded = np.pad(source, (WINDOW_SAMPLES // 2, FFT_SAMPLES))
    made = np.zeros(len(padded) + FFT_SAMPLES)
    for frame, row in enumerate(response):
        start = frame * HOP_SAMPLES
        spectrum = np.fft.rfft(padded[start : start + WINDOW_SAMPLES] * window, FFT_SAMPLES)
        made[start : start + FFT_SAMPLES] += np.fft.irfft(spectrum * row, FFT_SAMPLES)
    return made[WINDOW_SAMPLES // 2 :][: len(source)]


def main(folder: Path) -> None:
    """Writes one FLAC file per manner into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, manner in MANNERS.items():
        path = folder / f"{name}.flac"
        soundfile.write(path, speak(manner, np.random.default_rng(7)), SAMPLE_RATE_HZ, subtype="PCM_16")
        print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "speech")
