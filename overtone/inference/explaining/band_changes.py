"""Frequency bands of a clip, and the clip without some of them."""

import numpy as np

from overtone.datatypes import BoolArray, Float32Array, FloatArray
from overtone.inference.explaining.replacement import background_magnitudes, noise
from overtone.inference.explaining.stft import BIN_HZ, Spectrogram, istft, stft

# Every second edge of the critical bands up to 6.4 kHz; the model receives nothing below 60 Hz and above 8 kHz.
# Source: Zwicker, "Subdivision of the Audible Frequency Range into Critical Bands", 1961.
BAND_EDGES_HZ = (60, 200, 400, 630, 920, 1270, 1720, 2320, 3150, 4400, 6400, 8000)
BANDS = len(BAND_EDGES_HZ) - 1
WINDOW_BANDS = 2  # changed together: a formant reaches into the next band
MAX_STEPS, MIN_LEVEL_DB = 120, -80.0  # of the levels over time
SLOPE_BINS = 1  # of the transition between two bands: a brick wall rings
ATTENUATION_DB = -50.0


def remove_bands(spectrogram: Spectrogram, weights: FloatArray, length: int) -> Float32Array:
    """Return the clip with some bands at the level of its background, float32 `(length,)`; the phases stay.

    Args:
        spectrogram: of the clip.
        weights: of each bin, 1 where it is removed, `(bins,)`.
        length: of the clip in samples.
    """
    magnitudes = np.abs(spectrogram)
    floor = background_magnitudes(spectrogram) / np.maximum(magnitudes, 1e-12)
    gains = (1 - weights) + weights * np.minimum(1, np.maximum(floor, 10 ** (ATTENUATION_DB / 20)))
    return istft(spectrogram * gains, length)


def fill_bands(spectrogram: Spectrogram, weights: FloatArray, length: int, white: Spectrogram) -> Float32Array:
    """Return the clip with some bands replaced by noise of their own mean level; arguments as of `remove_bands`.

    The long-term spectrum stays, what changes over time in the bands is lost.

    Args:
        spectrogram: of the clip.
        weights: of each bin, 1 where it is replaced, `(bins,)`.
        length: of the clip in samples.
        white: as `overtone.inference.explaining.replacement.noise` returns it.
    """
    means = np.sqrt((np.abs(spectrogram) ** 2).mean(0))
    return istft(spectrogram * (1 - weights) + white * (means * weights), length)


def band_weights(mask: BoolArray, bins: int) -> FloatArray:
    """Return weights of bins that are 1 in the chosen bands, with a short transition, `(bins,)`.

    Args:
        mask: bool `(bands,)`, the chosen ones of `BAND_EDGES_HZ`.
        bins: number of bins.
    """
    band = np.clip(np.searchsorted(BAND_EDGES_HZ, np.arange(bins) * BIN_HZ, side="right") - 1, 0, len(mask) - 1)
    weights = mask[band].astype(float)
    padded = np.pad(weights, SLOPE_BINS, mode="edge")
    kernel = np.ones(2 * SLOPE_BINS + 1) / (2 * SLOPE_BINS + 1)
    return np.convolve(padded, kernel, mode="valid")


def measure_levels_db(samples: FloatArray) -> FloatArray:
    """Return the level of each band over time, `(steps, bands)`, in dB, 0 at the loudest.

    Args:
        samples: the clip; each step is 1 / `MAX_STEPS` of it, or one frame if it is short.
    """
    powers = np.abs(stft(samples)) ** 2
    per_band = np.stack([powers @ band_weights(np.arange(BANDS) == band, powers.shape[1]) for band in range(BANDS)], 1)
    starts = np.unique(np.linspace(0, len(per_band), MAX_STEPS, endpoint=False).astype(int))
    means = np.add.reduceat(per_band, starts) / np.diff(np.append(starts, len(per_band)))[:, None]
    levels = 10 * np.log10(np.maximum(means, 1e-20))
    relative: FloatArray = np.maximum(levels - levels.max(), MIN_LEVEL_DB)
    return relative


class BandReplacement:
    """A clip, any of whose bands can be reduced to its background, or replaced by steady noise.

    Args:
        samples: the clip, float `(samples,)`.
        rng: for the noise.
    """

    def __init__(self, samples: FloatArray, rng: np.random.Generator) -> None:
        self._spectrogram, self._length = stft(samples), len(samples)
        self._white = noise(self._spectrogram.shape, rng)

    def removed(self, mask: BoolArray) -> Float32Array:
        """Return the clip with the chosen bands at the level of its background, float32 `(samples,)`."""
        return remove_bands(self._spectrogram, self._weights(mask), self._length)

    def filled(self, mask: BoolArray) -> Float32Array:
        """Return the clip with noise of the same mean level in the chosen bands, float32 `(samples,)`."""
        return fill_bands(self._spectrogram, self._weights(mask), self._length, self._white)

    def _weights(self, mask: BoolArray) -> FloatArray:
        return band_weights(mask, self._spectrogram.shape[1])
