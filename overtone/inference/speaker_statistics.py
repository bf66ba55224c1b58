"""Reference clips of one speaker -> the statistics that the speaker adapter of a model normalises with."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from overtone._internal import tensor_names
from overtone.datatypes import Float32Array
from overtone.errors import OptionError, OvertoneError

# The fewest clips or windows of a speaker that a recording or a batch is adapted to by itself. With one clip the
# standard deviation is 0, and with two it is their difference: neither shows how the speaker varies.
MIN_CLIPS = 3

Clip = TypeVar("Clip")
Float64Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SpeakerStatistics:
    """Mean and standard deviation of the speaker features of one speaker.

    Attributes:
        moments: mean and standard deviation over the reference clips, float32 `(2, values)`.
        clips: number of reference clips; 0 for an unknown speaker.
    """

    moments: Float32Array
    clips: int

    @property
    def inputs(self) -> dict[str, Float32Array]:
        """The inputs of the graph, by name."""
        clips = np.array([self.clips], np.float32)
        return {tensor_names.SPEAKER_STATISTICS: self.moments, tensor_names.REFERENCE_CLIPS: clips}


class RunningStatistics:
    """The statistics of clips that are added one by one, in memory that does not grow with their number.

    Source: Chan, Golub and LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979.

    Attributes:
        clips: number of clips so far.
    """

    def __init__(self) -> None:
        self.clips = 0
        self._weight = 0.0
        self._mean: Float64Array = np.zeros(0)
        self._deviations: Float64Array = np.zeros(0)  # sum of the squared deviations from the mean

    def add(self, speaker_features: Float32Array, weight: float = 1.0) -> None:
        """Add one clip.

        Args:
            speaker_features: of the clip, float32 `(values,)`.
            weight: number of clips that it stands for.
        """
        values = speaker_features.astype(np.float64)
        self._combine(1, weight, values, np.zeros_like(values))

    def merge(self, other: "RunningStatistics") -> None:
        """Add all clips of another object."""
        if other.clips:
            self._combine(other.clips, other._weight, other._mean, other._deviations)

    def statistics(self) -> SpeakerStatistics:
        """The statistics of all clips so far.

        Raises:
            OptionError: no clip.
        """
        if not self.clips:
            raise OptionError("speaker adaptation needs at least one reference clip that can be recognised; got none")
        moments = np.stack([self._mean, np.sqrt(self._deviations / self._weight)])
        return SpeakerStatistics(moments.astype(np.float32), self.clips)

    def to_array(self) -> Float64Array:
        """All values as float64 `(2 + 2 * values,)`, from which `from_array` restores them exactly."""
        return np.concatenate([[self.clips, self._weight], self._mean, self._deviations])

    @classmethod
    def from_array(cls, values: Float64Array) -> "RunningStatistics":
        """The statistics that `to_array` returned."""
        restored = cls()
        restored.clips, restored._weight = int(values[0]), float(values[1])
        restored._mean, restored._deviations = np.split(values[2:].copy(), 2)
        return restored

    def _combine(self, clips: int, weight: float, mean: Float64Array, deviations: Float64Array) -> None:
        if not self.clips:
            self._mean, self._deviations = np.zeros_like(mean), np.zeros_like(mean)
        total = self._weight + weight
        difference = mean - self._mean
        self._mean = self._mean + difference * (weight / total)
        self._deviations = self._deviations + deviations + difference**2 * (self._weight * weight / total)
        self.clips, self._weight = self.clips + clips, total


def unknown_speaker(values: int) -> SpeakerStatistics:
    """The statistics of an unknown speaker; the graph then uses those of its training speakers.

    Args:
        values: number of speaker features.
    """
    return SpeakerStatistics(np.zeros((2, values), np.float32), 0)


def compute_speaker_statistics(speaker_features: Iterable[Float32Array]) -> SpeakerStatistics:
    """The statistics of a speaker from clips of that speaker.

    Args:
        speaker_features: of each clip, float32 `(values,)`; clips of various emotions are best.

    Raises:
        OptionError: no clip.
    """
    running = RunningStatistics()
    for values in speaker_features:
        running.add(values)
    return running.statistics()


def collect_statistics(
    measure: Callable[[Clip], Float32Array], clips: Iterable[Clip], on_error: Callable[[OvertoneError], None] | None
) -> SpeakerStatistics:
    """The statistics of a speaker from clips of that speaker, of which some may be damaged.

    Args:
        measure: returns the speaker features of a clip, float32 `(values,)`.
        clips: the clips.
        on_error: called with the error of each clip that cannot be measured, which is then left out; None raises the
            first one.

    Raises:
        OptionError: no clip that can be measured.
    """
    running = RunningStatistics()
    for clip in clips:
        try:
            running.add(measure(clip))
        except OvertoneError as error:
            if on_error is None:
                raise
            on_error(error)
    return running.statistics()
