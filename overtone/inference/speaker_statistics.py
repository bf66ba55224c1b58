"""Clips of one speaker -> what is usual for the voice, by which a model with an adapter hears what is not."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from overtone.errors import OptionError

# Names in the graph of a model with an adapter: see `overtone.models.network`.
STATISTICS_INPUT, CLIP_COUNT_INPUT = "usual", "usual_clips"
FEATURES_OUTPUT, ADAPTED_OUTPUT = "voice", "adapted_probabilities"


@dataclass(frozen=True)
class SpeakerStatistics:
    """What is usual for one speaker.

    Attributes:
        moments: mean and standard deviation of the voice over the clips, float32 `(2, values)`.
        clips: how many they were; 0 where nothing is known.
    """

    moments: np.ndarray
    clips: int

    @property
    def inputs(self) -> dict[str, np.ndarray]:
        """What the graph takes."""
        return {STATISTICS_INPUT: self.moments, CLIP_COUNT_INPUT: np.array([self.clips], np.float32)}


def unknown_speaker(values: int) -> SpeakerStatistics:
    """A speaker of whom nothing is known; the graph then takes the speakers of its training for usual."""
    return SpeakerStatistics(np.zeros((2, values), np.float32), 0)


def compute_speaker_statistics(voices: Iterable[np.ndarray]) -> SpeakerStatistics:
    """What is usual for the speaker of these clips.

    Args:
        voices: of each clip, float32 `(values,)`; whatever was felt: a mix of moods is best.

    Raises:
        OptionError: no clip.
    """
    rows = list(voices)
    if not rows:
        raise OptionError("to adapt to a speaker takes at least one clip that can be recognised; got none")
    held = np.stack(rows)
    return SpeakerStatistics(np.stack([held.mean(0), held.std(0)]).astype(np.float32), len(rows))
