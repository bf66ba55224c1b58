"""AUDIO BLOCKS -> the peak of each step of a timeline: the outline of the waveform."""

from collections.abc import Iterable, Iterator

import numpy as np

from overtone.datatypes import FloatArray


class StepPeaks:
    """The largest sample of each step, measured while the audio is used for something else.

    Args:
        step_samples: length of a step.

    Attributes:
        highest: the largest of all samples, at least 1e-9.
    """

    def __init__(self, step_samples: int) -> None:
        self._step_samples = step_samples
        self._peaks: list[FloatArray] = []
        self._rest = np.empty(0, np.float32)
        self.highest = 1e-9

    def measure(self, blocks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield these consecutive blocks `(samples,)` of audio unchanged, and measure them."""
        for block in blocks:
            yield block
            self._add(np.abs(block))
        if len(self._rest):
            self._peaks.append(self._rest.max(keepdims=True))

    def relative(self, steps: int) -> FloatArray:
        """Return the peak of each step relative to `highest`, `(steps,)` in [0, 1]; 0 after the end of the audio."""
        peaks = np.concatenate([*self._peaks, np.zeros(steps)])[:steps]
        relative: FloatArray = peaks / self.highest
        return relative

    def _add(self, magnitudes: np.ndarray) -> None:
        samples = np.concatenate([self._rest, magnitudes])
        whole = len(samples) // self._step_samples * self._step_samples
        self._peaks.append(samples[:whole].reshape(-1, self._step_samples).max(1))
        self._rest = samples[whole:]
        self.highest = max(self.highest, float(magnitudes.max(initial=0)))
