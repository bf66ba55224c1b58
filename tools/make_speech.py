"""Create the example speech: one sentence in five speaking styles, from a small source-filter synthesiser.

    python tools/make_speech.py [FOLDER]

The speech is entirely synthetic; no speaker is recorded or imitated. Glottal pulses and noise pass through the
time-varying resonances of a vocal tract. The files are named after the speaking style, not after an emotion, since they
have no true emotion label.

Source: Klatt (1980), "Software for a cascade/parallel formant synthesizer" (sources, formant values of the phones);
Rosenberg (1971), "Effect of glottal pulse shape on the quality of natural vowels" (the pulse).
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

SPEECH_FOLDER = Path(__file__).resolve().parent.parent / "examples" / "speech"
SAMPLE_RATE_HZ = 16_000
HOP_SAMPLES = 80  # 5 ms: update interval of the vocal tract filter
WINDOW_SAMPLES = 320
FFT_SAMPLES = 1024  # window + the longest ringing of a formant
GLIDE_S = 0.05  # duration of the formant transition between two phones
SILENCE_S = 0.15
UPPER_FORMANTS_HZ = (3400.0, 4500.0, 5500.0, 6500.0, 7500.0)


@dataclass(frozen=True)
class Phone:
    """A speech sound.

    Attributes:
        duration_s: duration at normal rate.
        formants_hz: the first three resonances.
        voicing: amplitude of the glottal pulses, 0 to 1.
        noise: amplitude of the frication, 0 to 1.
        noise_hz: centre frequency of the frication.
    """

    duration_s: float
    formants_hz: tuple[float, float, float]
    voicing: float = 1.0
    noise: float = 0.0
    noise_hz: float = 4000.0


@dataclass(frozen=True)
class Style:
    """A speaking style.

    Attributes:
        pitch_hz: centre of the pitch contour.
        accent_semitones: height of the accents above the contour.
        fall_semitones: fall of the pitch from the start to the end.
        rate: speaking rate, 1 for normal.
        peak: absolute value of the loudest sample, in (0, 1].
        tilt_db: spectral tilt, loss per octave above 500 Hz: high for a soft voice, low for a pressed one.
        breath: aspiration noise relative to the pulses.
        tremor_semitones: depth of a pitch tremor at 6 Hz.
    """

    pitch_hz: float
    accent_semitones: float
    fall_semitones: float
    rate: float
    peak: float
    tilt_db: float
    breath: float
    tremor_semitones: float = 0.0


PHONES = {
    "K-": Phone(0.06, (300, 1900, 2700), voicing=0.0),  # closure
    "K": Phone(0.05, (300, 1900, 2700), voicing=0.0, noise=0.5, noise_hz=2400),
    "T-": Phone(0.06, (300, 1700, 2600), voicing=0.0),
    "T": Phone(0.05, (300, 1700, 2600), voicing=0.0, noise=0.6, noise_hz=4500),
    "B-": Phone(0.06, (200, 1000, 2300), voicing=0.15),
    "D-": Phone(0.05, (200, 1600, 2600), voicing=0.15),
    "D": Phone(0.02, (300, 1700, 2600), voicing=0.4, noise=0.25, noise_hz=3800),
    "Z": Phone(0.08, (260, 1600, 2500), voicing=0.35, noise=0.4, noise_hz=5500),
    "DH": Phone(0.05, (270, 1300, 2540), voicing=0.4, noise=0.08, noise_hz=5000),
    "NG": Phone(0.08, (280, 1500, 2600), voicing=0.4),
    "IH": Phone(0.10, (400, 1920, 2560)),
    "AA": Phone(0.12, (700, 1220, 2600)),
    "AO": Phone(0.13, (570, 900, 2500)),
    "AH": Phone(0.06, (550, 1200, 2450), voicing=0.8),
    "R": Phone(0.09, (330, 1100, 1500), voicing=0.7),
    "AY1": Phone(0.10, (680, 1250, 2550)),
    "AY2": Phone(0.08, (400, 1950, 2600), voicing=0.9),
    ".": Phone(0.04, (400, 1200, 2000), voicing=0.0),
}
# "Kids are talking by the door"; an apostrophe marks an accented phone.
SENTENCE = tuple("K- K IH' D- D Z AA R T- T AO' K- K IH NG B- AY1 AY2 DH AH D- D AO' AO R .".split())  # noqa: SIM905
STYLES = {
    "level": Style(115, 2.0, 2.0, rate=1.0, peak=0.20, tilt_db=4, breath=0.05),
    "slow-soft-low": Style(100, 1.0, 3.0, rate=0.72, peak=0.06, tilt_db=9, breath=0.3),
    "quick-bright-high": Style(230, 8.0, 1.0, rate=1.2, peak=0.45, tilt_db=2, breath=0.05),
    "loud-hard-falling": Style(190, 6.0, 8.0, rate=1.05, peak=0.95, tilt_db=0, breath=0.02),
    "high-trembling": Style(270, 3.0, -1.0, rate=1.25, peak=0.25, tilt_db=5, breath=0.15, tremor_semitones=1.0),
}


def synthesise(style: Style, rng: np.random.Generator) -> np.ndarray:
    """Return the sentence in a speaking style, float `(samples,)` in [-1, 1] at 16 kHz.

    Args:
        style: the speaking style.
        rng: random generator for the noise and the small irregularities of a voice.
    """
    formants_hz, voicing, noise, noise_hz, accent = parameter_tracks(style.rate)
    pulses = glottal_pulses(pitch_contour(style, accent, rng), rng)
    source = pulses + style.breath * pulses.std() * rng.standard_normal(len(pulses))
    voiced = apply_filter(source * interpolate(voicing), vocal_tract_response(formants_hz, style.tilt_db))
    white_noise = rng.standard_normal(len(pulses)) * interpolate(noise)
    frication = apply_filter(white_noise, frication_response(noise_hz))
    speech = voiced / np.abs(voiced).max() + 0.35 * frication / np.abs(frication).max()
    pause = np.zeros(round(SILENCE_S * SAMPLE_RATE_HZ))
    speech = np.concatenate([pause, speech * (style.peak / np.abs(speech).max()), pause])
    background = 1e-4 * rng.standard_normal(len(speech))
    return np.clip(speech + background, -1, 1)


def parameter_tracks(rate: float) -> tuple[np.ndarray, ...]:
    """Return the formants `(frames, 3)`, and the voicing, noise, noise centre and accent `(frames,)` of the sentence.

    Args:
        rate: speaking rate, 1 for normal.
    """
    names = [name.rstrip("'") for name in SENTENCE]
    lengths = [max(2, round(PHONES[name].duration_s / rate * SAMPLE_RATE_HZ / HOP_SAMPLES)) for name in names]
    frames = [PHONES[name] for name, length in zip(names, lengths, strict=True) for _ in range(length)]
    accents = [float(name.endswith("'")) for name, length in zip(SENTENCE, lengths, strict=True) for _ in range(length)]
    formants = np.array([phone.formants_hz for phone in frames])
    glide_s = GLIDE_S / rate
    return (
        np.stack([smooth(track, glide_s) for track in formants.T], axis=1),
        smooth(np.array([phone.voicing for phone in frames]), 0.02),
        smooth(np.array([phone.noise for phone in frames]), 0.01),
        np.array([phone.noise_hz for phone in frames]),
        smooth(np.array(accents), 0.15 / rate),
    )


def smooth(track: np.ndarray, width_s: float) -> np.ndarray:
    """Return a track `(frames,)` averaged with a Hann window of this width, edge values repeated."""
    width = max(3, round(width_s * SAMPLE_RATE_HZ / HOP_SAMPLES) | 1)
    window = np.hanning(width + 2)[1:-1]
    return np.convolve(np.pad(track, width // 2, mode="edge"), window / window.sum(), mode="valid")


def pitch_contour(style: Style, accent: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the pitch of every sample in Hz, `(samples,)`: a falling line plus accents, drift and tremor.

    Args:
        style: the speaking style.
        accent: `(frames,)`, 0 to 1.
        rng: random generator for the drift.
    """
    time_s = np.arange(len(accent)) * HOP_SAMPLES / SAMPLE_RATE_HZ
    line = style.fall_semitones * (0.5 - time_s / time_s[-1])
    drift = smooth(rng.standard_normal(len(accent)), 0.1)
    tremor = style.tremor_semitones * np.sin(2 * np.pi * 6 * time_s)
    semitones = line + style.accent_semitones * accent / accent.max() + drift + tremor
    return interpolate(style.pitch_hz * 2 ** (semitones / 12))


def glottal_pulses(pitch_hz: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the differentiated glottal flow, `(samples,)`; the derivative models the radiation at the lips.

    Args:
        pitch_hz: pitch of every sample, `(samples,)`.
        rng: random generator for the shimmer.
    """
    phase = np.cumsum(pitch_hz / SAMPLE_RATE_HZ)
    cycle_phase, opening, closing = phase % 1, 0.4, 0.16
    rise = 0.5 * (1 - np.cos(np.pi * cycle_phase / opening))
    fall = np.cos(np.pi / 2 * (cycle_phase - opening) / closing)
    flow = np.where(cycle_phase < opening, rise, np.where(cycle_phase < opening + closing, fall, 0.0))
    shimmer = 1 + 0.05 * rng.standard_normal(int(phase[-1]) + 1)
    return np.diff(flow * shimmer[phase.astype(int)], prepend=0.0)


def interpolate(track: np.ndarray) -> np.ndarray:
    """Return a track `(frames,)` interpolated linearly to `(frames * HOP_SAMPLES,)`."""
    frame_centres = np.arange(len(track)) * HOP_SAMPLES + HOP_SAMPLES / 2
    return np.interp(np.arange(len(track) * HOP_SAMPLES), frame_centres, track)


def vocal_tract_response(formants_hz: np.ndarray, tilt_db: float) -> np.ndarray:
    """Return the frequency response of a cascade of resonators, complex `(frames, bins)`.

    Args:
        formants_hz: `(frames, 3)`.
        tilt_db: loss per octave above 500 Hz.
    """
    upper = np.broadcast_to(UPPER_FORMANTS_HZ, (len(formants_hz), len(UPPER_FORMANTS_HZ)))
    response = 10 ** (-tilt_db / 20 * np.log2(np.maximum(bin_frequencies_hz(), 500) / 500)) + 0j
    for centre_hz in np.concatenate([formants_hz, upper], axis=1).T:
        response = response * resonator(centre_hz, 50 + centre_hz / 20)
    return response


def frication_response(noise_hz: np.ndarray) -> np.ndarray:
    """Return the frequency response for frication, complex `(frames, bins)`; `noise_hz` is `(frames,)`."""
    return resonator(noise_hz, 1200.0) * (bin_frequencies_hz() / 4000)


def resonator(centre_hz: np.ndarray, bandwidth_hz: np.ndarray | float) -> np.ndarray:
    """Return the frequency response of a second-order resonator with gain 1 at 0 Hz, complex `(frames, bins)`.

    Source: Klatt (1980), equation 2.
    """
    radius = np.exp(-np.pi * np.asarray(bandwidth_hz) / SAMPLE_RATE_HZ)
    b = np.expand_dims(2 * radius * np.cos(2 * np.pi * centre_hz / SAMPLE_RATE_HZ), -1)
    c = np.expand_dims(-(radius**2), -1)
    delay = np.exp(-2j * np.pi * bin_frequencies_hz() / SAMPLE_RATE_HZ)
    return (1 - b - c) / (1 - b * delay - c * delay**2)


def bin_frequencies_hz() -> np.ndarray:
    """Return the frequencies of the FFT bins, `(bins,)`."""
    return np.fft.rfftfreq(FFT_SAMPLES, 1 / SAMPLE_RATE_HZ)


def apply_filter(signal: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Return a signal `(frames * HOP_SAMPLES,)` filtered by a response `(frames, bins)` per frame, with overlap-add."""
    window = np.hanning(WINDOW_SAMPLES + 1)[:-1] / (WINDOW_SAMPLES / HOP_SAMPLES / 2)
    padded = np.pad(signal, (WINDOW_SAMPLES // 2, FFT_SAMPLES))
    output = np.zeros(len(padded) + FFT_SAMPLES)
    for frame, frame_response in enumerate(response):
        start = frame * HOP_SAMPLES
        spectrum = np.fft.rfft(padded[start : start + WINDOW_SAMPLES] * window, FFT_SAMPLES)
        output[start : start + FFT_SAMPLES] += np.fft.irfft(spectrum * frame_response, FFT_SAMPLES)
    return output[WINDOW_SAMPLES // 2 :][: len(signal)]


def main(folder: Path) -> None:
    """Write one FLAC file per speaking style to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, style in STYLES.items():
        path = folder / f"{name}.flac"
        soundfile.write(path, synthesise(style, np.random.default_rng(7)), SAMPLE_RATE_HZ, subtype="PCM_16")
        print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SPEECH_FOLDER)
