"""Clips of one speaker -> what is usual for the voice, by which a model with an adapter hears what is not."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from overtone.errors import OptionError

# Names in the graph of a model with an adapter: see `overtone.models.network`.
USUAL, USUAL_CLIPS = "usual", "usual_clips"
VOICE, ADAPTED = "voice", "adapted_probabilities"


@dataclass(frozen=True)
class Usual:
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
        return {USUAL: self.moments, USUAL_CLIPS: np.array([self.clips], np.float32)}


def unknown(values: int) -> Usual:
    """A speaker of whom nothing is known; the graph then takes the speakers of its training for usual."""
    return Usual(np.zeros((2, values), np.float32), 0)


def usual_of(voices: Iterable[np.ndarray]) -> Usual:
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
    return Usual(np.stack([held.mean(0), held.std(0)]).astype(np.float32), len(rows))
