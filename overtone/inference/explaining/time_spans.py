"""Time spans of a clip, and the clip without some of them."""

import numpy as np

from overtone.datatypes import SAMPLE_RATE_HZ, BoolArray, Float32Array, FloatArray, IntArray
from overtone.inference.explaining import replacement
from overtone.inference.explaining.stft import stft

CELL_S = 0.2  # about a syllable
MIN_CELLS, MAX_CELLS = 3, 30  # the time that an explanation takes grows with them
WINDOW_CELLS = 2  # changed together: the parts of a syllable explain each other


def cell_edges(length: int) -> IntArray:
    """Return the first sample of each cell of a clip, and the number of samples, `(cells + 1,)`.

    Args:
        length: number of samples of the clip.
    """
    cells = min(max(MIN_CELLS, round(length / SAMPLE_RATE_HZ / CELL_S)), MAX_CELLS)
    return np.round(np.linspace(0, length, cells + 1)).astype(int)


def window_masks(cells: int, window_cells: int) -> list[BoolArray]:
    """Return the windows that slide over the cells, each bool `(cells,)`; those at the ends are shorter.

    Args:
        cells: number of cells.
        window_cells: number of cells of a window.
    """
    positions = np.arange(cells)
    starts = range(1 - window_cells, cells)
    return [(positions >= start) & (positions < start + window_cells) for start in starts]


def share_among_cells(masks: list[BoolArray], values: FloatArray) -> FloatArray:
    """Return the contribution of each cell, `(cells,)`: the mean over its windows, which their cells share equally.

    Args:
        masks: of the windows, each bool `(cells,)`.
        values: the contribution of each window, `(windows,)`.
    """
    members = np.array(masks, float)
    shared: FloatArray = (values / members.sum(1)) @ members / members.sum(0)
    return shared


class SpanReplacement:
    """A clip, any of whose cells can be replaced by background noise or by a transition between their surroundings.

    Args:
        samples: the clip, float `(samples,)`.
        rng: for the noise.

    Attributes:
        edges: as `cell_edges` returns them.
    """

    def __init__(self, samples: FloatArray, rng: np.random.Generator) -> None:
        self._samples = samples
        self.edges = cell_edges(len(samples))
        self._spectrogram = stft(samples)
        self._white = replacement.noise(self._spectrogram.shape, rng)
        self._background = replacement.background(self._spectrogram, self._white, len(samples))

    def with_background(self, mask: BoolArray) -> Float32Array:
        """Return the clip with noise like its own background in the chosen cells, float32 `(samples,)`."""
        weights = replacement.span_weights(mask, self.edges)
        return replacement.crossfade(self._samples, self._background, weights)

    def with_transition(self, mask: BoolArray) -> Float32Array:
        """Return the clip with noise from the sound before to the sound after these cells, float32 `(samples,)`."""
        filled = self._samples.copy()
        changes = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(int), [0]])))
        for first, end in zip(self.edges[changes[::2]], self.edges[changes[1::2]], strict=True):
            filled[first:end] = replacement.interpolation(self._spectrogram, int(first), int(end), self._white)
        return replacement.crossfade(self._samples, filled, replacement.span_weights(mask, self.edges))
