"""Reference clips of one speaker -> the statistics that the speaker adapter of a model normalises with."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from overtone._internal import tensor_names
from overtone.datatypes import Float32Array
from overtone.errors import OptionError


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
    rows = list(speaker_features)
    if not rows:
        raise OptionError("speaker adaptation needs at least one reference clip that can be recognised; got none")
    matrix = np.stack(rows)
    return SpeakerStatistics(np.stack([matrix.mean(0), matrix.std(0)]).astype(np.float32), len(rows))
