"""Changes of the tempo: two independent ways to make a clip longer or shorter at the same pitch.

`overlap_stretch` (WSOLA) copies pieces of the waveform, `vocoder_stretch` (phase vocoder) changes the spectrogram.
Their artefacts differ, so that a change of the prediction under both is one of the tempo.
"""

import numpy as np

from overtone.datatypes import Float32Array, FloatArray
from overtone.inference.explaining.stft import istft, stft

PIECE_SAMPLES = 480  # 30 ms: two periods of a low voice
SEARCH_SAMPLES = 160  # 10 ms to either side: a period of a voice of 100 Hz
VOCODER_WINDOW_SAMPLES, VOCODER_HOP_SAMPLES = 1024, 256


def overlap_stretch(samples: FloatArray, factor: float) -> Float32Array:
    """Return a clip that is `factor` times as long, float32, by similar overlapping pieces of the waveform."""
    length = max(1, round(len(samples) * factor))
    return copy_pieces(samples, np.arange(length) / factor)


def copy_pieces(samples: FloatArray, positions: FloatArray) -> Float32Array:
    """Return the clip at other times but at the same pitch, float32 `(len(positions),)`.

    Each piece starts up to `SEARCH_SAMPLES` away from its position, where it continues the piece before best.

    Args:
        samples: the clip.
        positions: sample of the clip that belongs to each sample of the result, not decreasing.

    Source: Verhelst and Roelands, "An overlap-add technique based on waveform similarity (WSOLA)", 1993.
    """
    hop = PIECE_SAMPLES // 2
    count = -(-len(positions) // hop) + 1
    margin = PIECE_SAMPLES + SEARCH_SAMPLES
    padded = np.pad(samples, (margin, 2 * margin))
    middles = np.minimum(np.arange(count) * hop, len(positions) - 1)
    starts = np.round(positions[middles]).astype(int) + margin - hop
    window = np.hanning(PIECE_SAMPLES + 1)[:-1]
    result = np.zeros((count + 1) * hop)
    previous = int(starts[0])
    for index, start in enumerate(starts.tolist()):
        if index:
            continuation = padded[previous + hop : previous + hop + PIECE_SAMPLES]
            previous = _most_similar(padded, start, continuation)
        result[index * hop : index * hop + PIECE_SAMPLES] += window * padded[previous : previous + PIECE_SAMPLES]
    stretched: Float32Array = result[hop : hop + len(positions)].astype(np.float32)
    return stretched


def _most_similar(padded: FloatArray, start: int, continuation: FloatArray) -> int:
    """Return the start of the piece near `start` that correlates best with the continuation of the one before."""
    first = min(max(0, start - SEARCH_SAMPLES), len(padded) - PIECE_SAMPLES - 2 * SEARCH_SAMPLES)
    region = padded[first : first + PIECE_SAMPLES + 2 * SEARCH_SAMPLES]
    products = np.correlate(region, continuation, mode="valid")
    squares = np.concatenate([[0], np.cumsum(region**2)])
    energies = squares[PIECE_SAMPLES:] - squares[:-PIECE_SAMPLES]
    similarity = products / np.sqrt(np.maximum(energies, 1e-9))
    return first + int(np.argmax(similarity))


def vocoder_stretch(samples: FloatArray, factor: float) -> Float32Array:
    """Return a clip that is `factor` times as long, float32, with the same partials and continuous phases.

    Source: Dolson, "The Phase Vocoder: A Tutorial", 1986.
    """
    length = max(1, round(len(samples) * factor))
    spectrogram = stft(samples, VOCODER_WINDOW_SAMPLES, VOCODER_HOP_SAMPLES)
    frames, bins = spectrogram.shape
    positions = np.minimum(np.arange(-(-length // VOCODER_HOP_SAMPLES) + 1) / factor, frames - 1)
    lower = np.minimum(positions.astype(int), max(0, frames - 2))
    upper, share = np.minimum(lower + 1, frames - 1), (positions - lower)[:, None]
    magnitudes = (1 - share) * np.abs(spectrogram[lower]) + share * np.abs(spectrogram[upper])
    expected = 2 * np.pi * VOCODER_HOP_SAMPLES * np.arange(bins) / VOCODER_WINDOW_SAMPLES
    advance = np.angle(spectrogram[upper] * np.conj(spectrogram[lower]) * np.exp(-1j * expected)) + expected
    phases = np.angle(spectrogram[0]) + np.concatenate([np.zeros((1, bins)), np.cumsum(advance[:-1], axis=0)])
    return istft(magnitudes * np.exp(1j * phases), length, VOCODER_WINDOW_SAMPLES, VOCODER_HOP_SAMPLES)
