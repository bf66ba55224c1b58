"""Short-time Fourier transform and its inverse: samples <-> spectrogram, with numpy alone."""

import numpy as np
import numpy.typing as npt

from overtone.datatypes import SAMPLE_RATE_HZ, Float32Array, FloatArray

WINDOW_SAMPLES = 512
HOP_SAMPLES = 128
BIN_HZ = SAMPLE_RATE_HZ / WINDOW_SAMPLES
HOP_S = HOP_SAMPLES / SAMPLE_RATE_HZ

Spectrogram = npt.NDArray[np.complexfloating]
"""Complex `(frames, bins)`; frame `i` is centred at sample `i * HOP_SAMPLES`, bin `k` at `k * BIN_HZ`."""


def stft(samples: FloatArray, window_samples: int = WINDOW_SAMPLES, hop_samples: int = HOP_SAMPLES) -> Spectrogram:
    """Return the spectrogram of samples `(samples,)`, which are padded with zeros at both ends.

    Args:
        samples: any number of them.
        window_samples: length of the Hann window, even.
        hop_samples: distance between frames, a quarter of the window or less.
    """
    half = window_samples // 2
    frames = -(-len(samples) // hop_samples) + 1
    padded = np.pad(samples, (half, (frames - 1) * hop_samples + half - len(samples)))
    views = np.lib.stride_tricks.sliding_window_view(padded, window_samples)[::hop_samples]
    return np.fft.rfft(views * _window(window_samples), axis=1)


def istft(
    spectrogram: Spectrogram, length: int, window_samples: int = WINDOW_SAMPLES, hop_samples: int = HOP_SAMPLES
) -> Float32Array:
    """Return the samples, float32 `(length,)`, whose spectrogram is nearest to the given one in least squares.

    It is the exact inverse of `stft`.

    Args:
        spectrogram: complex `(frames, window_samples // 2 + 1)`.
        length: number of samples.
        window_samples: as for `stft`.
        hop_samples: as for `stft`.

    Source: Griffin and Lim, "Signal Estimation from Modified Short-Time Fourier Transform", 1984, section III.
    """
    window = _window(window_samples)
    frames = np.fft.irfft(spectrogram, window_samples, axis=1) * window
    weights = np.broadcast_to(window**2, frames.shape)
    total, weight = (overlap_add_frames(each, hop_samples) for each in (frames, weights))
    half = window_samples // 2
    kept = slice(half, half + length)
    samples: Float32Array = (total[kept] / np.maximum(weight[kept], 1e-8)).astype(np.float32)
    return samples


def overlap_add_frames(frames: FloatArray, hop_samples: int) -> FloatArray:
    """Return the sum `(samples,)` of frames `(frames, window_samples)`, each `hop_samples` after the one before.

    Args:
        frames: as long as a multiple of the hop.
        hop_samples: distance between their starts.
    """
    count, length = frames.shape
    parts = length // hop_samples
    total = np.zeros((count + parts - 1, hop_samples))
    for part in range(parts):
        total[part : part + count] += frames[:, part * hop_samples : (part + 1) * hop_samples]
    return total.reshape(-1)


def _window(length: int) -> FloatArray:
    """Return a periodic Hann window, `(length,)`."""
    return np.hanning(length + 1)[:-1]
