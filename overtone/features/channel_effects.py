"""What happens to speech between mouth and file, for augmentation: room, microphone, telephone, codec, clipping.

Every function takes and returns float32 `(samples,)` at 16 kHz, of the same length.
"""

import io

import numpy as np
import soundfile
import soxr
from scipy.signal import fftconvolve, firwin, lfilter

from overtone.features.spectrum import SAMPLE_RATE_HZ

TELEPHONE_RATE_HZ = 8_000
TELEPHONE_LOW_HZ, TELEPHONE_HIGH_HZ = 300.0, 3400.0
TELEPHONE_TAPS = 101
TELEPHONE_PEAK = 0.5  # of full scale: the gain control of a telephone
MU = 255
# Compression level of libsndfile: about 7 to 15 kbit/s for Opus, 8 to 32 kbit/s for MP3.
OPUS_LEVELS = (0.96, 1.0)
MP3_LEVELS = (0.88, 0.97)
MP3_DELAY_SAMPLES = 1105  # 576 of the encoder, 529 of the decoder


def tilt_spectrum(samples: np.ndarray, tilt: float) -> np.ndarray:
    """The clip through a filter of first order, as of another microphone.

    Args:
        samples: float32 `(samples,)`.
        tilt: in (-1, 1): positive attenuates high frequencies, negative low ones.
    """
    delayed = np.concatenate([np.zeros(1, np.float32), samples[:-1]])
    return ((samples + tilt * delayed) / (1 + abs(tilt))).astype(np.float32)


def reverberate(
    samples: np.ndarray,
    rng: np.random.Generator,
    *,
    reverberation_s: float,
    direct_db: float,
    delay_s: float,
    damping: float,
) -> np.ndarray:
    """The clip in a room: the direct sound, and exponentially decaying noise for all reflections.

    Source: Polack (1988); the model of late reverberation in Habets (2007), "Single- and multi-microphone speech
    dereverberation using spectral enhancement".

    Args:
        samples: float32 `(samples,)` at 16 kHz.
        rng: random generator.
        reverberation_s: time in which the reflections decay by 60 dB.
        direct_db: energy of the direct sound over that of the reflections.
        delay_s: time between the direct sound and the first reflection.
        damping: how much high frequencies are absorbed, in [0, 1).
    """
    length = max(1, round(reverberation_s * SAMPLE_RATE_HZ))
    decay = 10 ** (-3 * np.arange(length, dtype=np.float32) / length)
    reflections = decay * lfilter([1.0], [1.0, -damping], rng.standard_normal(length, np.float32))
    gain = np.sqrt(10 ** (-direct_db / 10) / np.sum(np.square(reflections)))
    response = np.concatenate([np.zeros(1 + round(delay_s * SAMPLE_RATE_HZ)), gain * reflections])
    response[0] = 1.0
    response /= np.sqrt(np.sum(np.square(response)))
    return fftconvolve(samples, response.astype(np.float32))[: len(samples)].astype(np.float32)


def limit_band(samples: np.ndarray, rate_hz: float) -> np.ndarray:
    """The clip as recorded at another sampling rate: nothing above half of it is left.

    Args:
        samples: float32 `(samples,)` at 16 kHz.
        rate_hz: the sampling rate, below 16 kHz.
    """
    return _same_length(
        soxr.resample(soxr.resample(samples, SAMPLE_RATE_HZ, rate_hz), rate_hz, SAMPLE_RATE_HZ), samples
    )


def telephone(samples: np.ndarray) -> np.ndarray:
    """The clip over a telephone line: 300 to 3400 Hz, 8 kHz, 8 bits per sample.

    Source: ITU-T G.711, mu-law.

    Args:
        samples: float32 `(samples,)` at 16 kHz.
    """
    band = firwin(TELEPHONE_TAPS, (TELEPHONE_LOW_HZ, TELEPHONE_HIGH_HZ), pass_zero=False, fs=TELEPHONE_RATE_HZ)
    narrow = fftconvolve(soxr.resample(samples, SAMPLE_RATE_HZ, TELEPHONE_RATE_HZ), band.astype(np.float32), "same")
    gain = TELEPHONE_PEAK / max(float(np.abs(narrow).max(initial=0.0)), 1e-9)
    compressed = np.sign(narrow) * np.log1p(MU * np.abs(gain * narrow)) / np.log1p(MU)
    quantised = np.round(compressed * (MU // 2)) / (MU // 2)
    expanded = np.sign(quantised) * np.expm1(np.abs(quantised) * np.log1p(MU)) / MU / gain
    wide = soxr.resample(expanded.astype(np.float32), TELEPHONE_RATE_HZ, SAMPLE_RATE_HZ)
    return _same_length(wide, samples)


def opus(samples: np.ndarray, level: float) -> np.ndarray:
    """The clip, encoded as Opus and decoded.

    Args:
        samples: float32 `(samples,)` at 16 kHz, in [-1, 1].
        level: compression level of libsndfile, in [0, 1].
    """
    encoded = io.BytesIO()
    soundfile.write(encoded, samples, SAMPLE_RATE_HZ, format="OGG", subtype="OPUS", compression_level=level)
    return _decoded(encoded, samples)


def mp3(samples: np.ndarray, level: float) -> np.ndarray:
    """The clip, encoded as MP3 and decoded.

    Args:
        samples: float32 `(samples,)` at 16 kHz, in [-1, 1].
        level: compression level of libsndfile, in [0, 1).
    """
    encoded = io.BytesIO()
    soundfile.write(
        encoded, samples, SAMPLE_RATE_HZ,
        format="MP3", subtype="MPEG_LAYER_III", compression_level=level, bitrate_mode="CONSTANT",
    )  # fmt: skip
    return _decoded(encoded, samples, MP3_DELAY_SAMPLES)


def _decoded(encoded: io.BytesIO, samples: np.ndarray, delay_samples: int = 0) -> np.ndarray:
    encoded.seek(0)
    decoded, _ = soundfile.read(encoded, dtype="float32")
    return _same_length(decoded[delay_samples:], samples)


def clip_peaks(samples: np.ndarray, below_peak_db: float) -> np.ndarray:
    """The clip, overdriven: no sample is further from zero than this much below the peak.

    Args:
        samples: float32 `(samples,)`.
        below_peak_db: at least 0.
    """
    limit = np.abs(samples).max() * 10 ** (-below_peak_db / 20)
    return np.clip(samples, -limit, limit)


def _same_length(changed: np.ndarray, samples: np.ndarray) -> np.ndarray:
    """The changed clip, cut or padded with silence to the length of the original one."""
    return np.pad(changed[: len(samples)], (0, max(0, len(samples) - len(changed)))).astype(np.float32)
