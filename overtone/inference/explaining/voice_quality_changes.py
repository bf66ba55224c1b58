"""Changes of the voice quality: the long-term spectrum of a clip made that of average speech.

A tense or pressed voice has strong, a soft or breathy one weak high frequencies: the tilt of the spectrum. A recording
channel changes the spectrum too, and the two cannot be distinguished.
"""

import numpy as np

from overtone.datatypes import SAMPLE_RATE_HZ, Float32Array, FloatArray
from overtone.inference.explaining.stft import BIN_HZ, stft

BANDS_HZ = 100 * 2 ** (np.arange(19) / 3)  # centres of the third octaves from 100 Hz to 6.4 kHz
MAX_GAIN_DB = 20.0
SPEECH_RANGE_DB = 30.0  # frames further below the loudest are pauses
FLOOR_DB = -90.0  # of a band without any sound


def measure_spectrum_db(samples: FloatArray) -> FloatArray:
    """Return the level of the speech of a clip in each third octave of `BANDS_HZ`, in dB, `(bands,)`, with a mean of 0.

    Args:
        samples: the clip.
    """
    powers = np.abs(stft(samples)) ** 2
    frame_db = 10 * np.log10(np.maximum(powers.sum(1), 1e-20))
    speech = powers[frame_db > frame_db.max() - SPEECH_RANGE_DB].mean(0)
    frequencies_hz = np.arange(len(speech)) * BIN_HZ
    lows, highs = BANDS_HZ * 2 ** (-1 / 6), BANDS_HZ * 2 ** (1 / 6)
    cumulative = np.concatenate([[0.0], np.cumsum(speech)])
    edges = np.append(frequencies_hz - BIN_HZ / 2, frequencies_hz[-1] + BIN_HZ / 2)
    band_powers = np.interp(highs, edges, cumulative) - np.interp(lows, edges, cumulative)
    levels = 10 * np.log10(np.maximum(band_powers, band_powers.max() * 10 ** (FLOOR_DB / 10) + 1e-20))
    normalised: FloatArray = levels - levels.mean()
    return normalised


def equalise(samples: FloatArray, average_db: FloatArray) -> Float32Array:
    """Return the clip with the long-term spectrum of average speech, float32 `(samples,)`.

    Args:
        samples: the clip.
        average_db: level in each third octave of `BANDS_HZ`, `(bands,)`.
    """
    return filter_bands(samples, average_db - measure_spectrum_db(samples))


def tilt(samples: FloatArray, average_db: FloatArray) -> Float32Array:
    """Return the clip with the spectral slope of average speech, in dB per octave; arguments as of `equalise`."""
    octaves = np.log2(BANDS_HZ / BANDS_HZ[0])
    slope = np.polyfit(octaves, average_db - measure_spectrum_db(samples), 1)[0]
    return filter_bands(samples, slope * (octaves - octaves.mean()))


def filter_bands(samples: FloatArray, gains_db: FloatArray) -> Float32Array:
    """Return the clip after a filter without phase shift, as loud as before, float32 `(samples,)`.

    Args:
        samples: the clip.
        gains_db: of each third octave of `BANDS_HZ`, `(bands,)`; between their centres they are interpolated.
    """
    padded = len(samples) + SAMPLE_RATE_HZ // 10  # the filter is not to wrap around
    spectrum = np.fft.rfft(samples, padded)
    frequencies_hz = np.fft.rfftfreq(padded, 1 / SAMPLE_RATE_HZ)
    limited_db = np.clip(gains_db, -MAX_GAIN_DB, MAX_GAIN_DB)
    gain_db = np.interp(np.log(np.maximum(frequencies_hz, 1)), np.log(BANDS_HZ), limited_db)
    filtered = np.fft.irfft(spectrum * 10 ** (gain_db / 20), padded)[: len(samples)]
    power = float((filtered**2).mean())
    scaled: Float32Array = (filtered * np.sqrt((samples**2).mean() / max(power, 1e-20))).astype(np.float32)
    return scaled
