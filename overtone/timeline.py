"""One recording over time: segments with an answer each, and curves for pictures; frozen, and checked like values."""

from dataclasses import dataclass

import numpy as np

from overtone.datatypes import Prediction, require


@dataclass(frozen=True)
class Segment:
    """One stretch of a recording in which one emotion is heard, or in which nothing is said.

    Attributes:
        start_s: where it begins.
        end_s: where it ends, after its beginning.
        answer: what is heard in it: probabilities averaged over its speech; None where nothing is said.
        speaker: who speaks; "" where unknown.
    """

    start_s: float
    end_s: float
    prediction: Prediction | None = None
    speaker: str = ""

    def __post_init__(self) -> None:
        require(0 <= self.start_s < self.end_s, self, "0 <= start_s < end_s", (self.start_s, self.end_s))

    @property
    def is_speech(self) -> bool:
        """Whether anything is said in it."""
        return self.prediction is not None

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True)
class Tracks:
    """What changes within a recording, in even steps from its beginning; the last step may reach beyond the end.

    Attributes:
        step_s: length of a step; step `i` begins at `i * step_s`.
        probabilities: float `(steps, emotions)`, rows summing to 1; NaN where nothing is said.
        pitch_hz: float `(steps,)`, median of the voiced frames of a step; 0 where none is voiced.
        loudness_db: float `(steps,)`, dB re full scale, mean of a step.
    """

    step_s: float
    probabilities: np.ndarray
    pitch_hz: np.ndarray
    loudness_db: np.ndarray

    def __post_init__(self) -> None:
        require(self.step_s > 0, self, "step_s > 0", self.step_s)
        require(self.probabilities.ndim == 2, self, "probabilities (steps, emotions)", self.probabilities.shape)
        for name in ("pitch_hz", "loudness_db"):
            shape = np.shape(getattr(self, name))
            require(shape == (len(self),), self, f"{name} of shape ({len(self)},)", shape)
        spoken = self.probabilities[~np.isnan(self.probabilities).all(axis=1)]
        sums = spoken.sum(axis=1)
        require(bool((np.abs(sums - 1) < 1e-3).all()), self, "rows summing to 1, or NaN", sums)

    def __len__(self) -> int:
        return len(self.probabilities)

    @property
    def times_s(self) -> np.ndarray:
        """Where each step begins, float `(steps,)`."""
        return np.arange(len(self)) * self.step_s


@dataclass(frozen=True)
class SpeakerSummary:
    """One speaker over a whole recording.

    Attributes:
        speaker: who speaks; "" where unknown.
        speech_s: how long, in all segments in which something is said.
        shares: emotion -> its share of that time, in [0, 1], by the emotion of each segment.
        probabilities: float `(emotions,)`, mean over that time; NaN where nothing is said.
    """

    speaker: str
    speech_s: float
    shares: dict[str, float]
    probabilities: np.ndarray


@dataclass(frozen=True)
class Timeline:
    """What a model hears over one recording.

    Attributes:
        source: file name or description.
        duration_s: length of the recording.
        emotions: names of the classes, in the order of every probability vector.
        model: id of the model that answered.
        segments: in order of their beginning. They cover the recording from 0 to `duration_s` without gap or overlap;
            but where turns were given, they are the turns, which may leave gaps and overlap.
        curves: the same recording in even steps, for pictures.
        turns_given: whether the segments are speaker turns that somebody gave.
    """

    source: str
    duration_s: float
    emotions: tuple[str, ...]
    model: str
    segments: tuple[Segment, ...]
    tracks: Tracks
    turns_given: bool = False

    def __post_init__(self) -> None:
        starts, ends = [part.start_s for part in self.segments], [part.end_s for part in self.segments]
        require(self.duration_s > 0, self, "duration_s > 0", self.duration_s)
        require(starts == sorted(starts), self, "segments in order of start_s", starts)
        require(max(ends, default=0) <= self.duration_s, self, f"segments within {self.duration_s} s", ends)
        if not self.turns_given:
            require(
                [0, *ends] == [*starts, self.duration_s], self, f"segments covering 0 to {self.duration_s} s once", ends
            )
        for part in self.segments:
            require(
                part.prediction is None or part.prediction.emotions == self.emotions, self, str(self.emotions), part
            )
        shape = (int(np.ceil(self.duration_s / self.tracks.step_s - 1e-9)), len(self.emotions))
        require(self.tracks.probabilities.shape == shape, self, f"curves {shape}", self.tracks.probabilities.shape)

    @property
    def speakers(self) -> tuple[SpeakerSummary, ...]:
        """Each speaker over the whole recording, sorted by name; one without a name where speakers are unknown."""
        return tuple(self._summary(speaker) for speaker in sorted({part.speaker for part in self.segments}))

    def _summary(self, speaker: str) -> SpeakerSummary:
        times_s = dict.fromkeys(self.emotions, 0.0)
        weighted = np.zeros(len(self.emotions))
        for part in self.segments:
            if part.speaker == speaker and part.prediction is not None:
                times_s[part.prediction.emotion] += part.duration_s
                weighted += part.duration_s * part.prediction.probabilities
        speech_s = sum(times_s.values())
        shares = {emotion: time_s / speech_s if speech_s else 0.0 for emotion, time_s in times_s.items()}
        return SpeakerSummary(
            speaker, speech_s, shares, weighted / speech_s if speech_s else np.full(len(weighted), np.nan)
        )
