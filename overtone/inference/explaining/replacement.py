"""What takes the place of a part of a clip, so that the part says nothing: background sound, or its surroundings.

A replacement must not be a sound of its own to which the model reacts. Digital silence and a splice are: no recording
has them. The sounds here are made from the clip itself.
"""

import numpy as np

from overtone.datatypes import BoolArray, Float32Array, FloatArray, IntArray
from overtone.inference.explaining.stft import HOP_SAMPLES, Spectrogram, istft, stft

QUIET_SHARE = 0.1  # of the frames: where nothing is said, if there is a pause
MIN_QUIET_DB = -60.0  # below the mean: the background of a clip without any
RAMP_SAMPLES = 160  # 10 ms: no click
EDGE_FRAMES = 3  # 24 ms before and after a span


def background(spectrogram: Spectrogram, white: Spectrogram, length: int) -> Float32Array:
    """Return noise with the spectrum of the quietest frames of a clip, float32 `(length,)`.

    Args:
        spectrogram: of the clip.
        white: as `noise` returns it.
        length: of the clip in samples.
    """
    return istft(white * background_magnitudes(spectrogram), length)


def background_magnitudes(spectrogram: Spectrogram) -> FloatArray:
    """Return the magnitude of each bin in the quietest frames of a clip, `(bins,)`.

    Args:
        spectrogram: of the clip.
    """
    powers = np.abs(spectrogram) ** 2
    order = np.argsort(powers.sum(1))
    quiet = powers[order[: max(1, round(QUIET_SHARE * len(order)))]].mean(0)
    magnitudes: FloatArray = np.sqrt(np.maximum(quiet, powers.mean(0) * 10 ** (MIN_QUIET_DB / 10)))
    return magnitudes


def noise(shape: tuple[int, ...], rng: np.random.Generator) -> Spectrogram:
    """Return the spectrogram of white noise, complex `(frames, bins)`, with a mean power of 1 per bin.

    The noise is made of samples, so that neighbouring frames are consistent, as independent phases are not.

    Args:
        shape: number of frames and bins.
        rng: for the samples.
    """
    white = stft(rng.standard_normal((shape[0] - 1) * HOP_SAMPLES))
    scaled: Spectrogram = white / np.sqrt((np.abs(white) ** 2).mean())
    return scaled


def interpolation(spectrogram: Spectrogram, first: int, end: int, white: Spectrogram) -> Float32Array:
    """Return noise that leads from the sound before a span to the sound after it, float32 `(samples,)`, for the span.

    Args:
        spectrogram: of the clip.
        first: first sample of the span.
        end: the sample after its last one.
        white: as `noise` returns it for the whole clip.
    """
    start, stop = first // HOP_SAMPLES, -(-end // HOP_SAMPLES) + 1
    magnitudes = np.abs(spectrogram)
    before = magnitudes[max(0, start - EDGE_FRAMES) : start]
    after = magnitudes[stop : stop + EDGE_FRAMES]
    floor = background_magnitudes(spectrogram)
    logs = [np.log(np.maximum(edge.mean(0) if len(edge) else floor, floor)) for edge in (before, after)]
    share = np.linspace(0, 1, stop - start)[:, None]
    filled = np.exp((1 - share) * logs[0] + share * logs[1]) * white[start:stop]
    return istft(filled, (stop - start - 1) * HOP_SAMPLES)[first - start * HOP_SAMPLES :][: end - first]


def crossfade(samples: FloatArray, other: FloatArray, weights: FloatArray) -> Float32Array:
    """Return `samples` where the weights are 0 and `other` where they are 1, float32 `(samples,)`."""
    mixed: Float32Array = (samples + weights * (other - samples)).astype(np.float32)
    return mixed


def span_weights(mask: BoolArray, edges: IntArray) -> FloatArray:
    """Return weights in [0, 1] that are 1 in the chosen cells, with ramps at their edges, `(samples,)`.

    Args:
        mask: bool `(cells,)`, the chosen ones.
        edges: int `(cells + 1,)`, the first sample of each cell, and the number of samples.
    """
    weights = np.repeat(mask.astype(float), np.diff(edges))
    ramp = np.sin(np.pi * (np.arange(RAMP_SAMPLES) + 1) / (RAMP_SAMPLES + 1)) ** 2
    return np.convolve(weights, ramp / ramp.sum(), mode="same")
