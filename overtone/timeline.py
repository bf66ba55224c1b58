"""The result for one recording over time: segments with predictions, and tracks for plotting."""

import numbers
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from overtone.agreement import DECIDERS, MODEL, PERSON, Agreement
from overtone.datatypes import FloatArray, Prediction, require
from overtone.equality import EqualByValue
from overtone.shares import ShareEstimate
from overtone.speaker_summary import SpeakerSummary, Spoken, summarise

NOT_ADAPTED = "none"
ADAPTED_TO_REFERENCE = "reference"  # reference clips that the caller supplied
ADAPTED_TO_RECORDING = "recording"  # all windows of the recording
ADAPTED_TO_SPEAKERS = "speakers"  # the windows of each speaker: of the turns, or of one channel
ADAPTED_TO_STREAM = "stream"  # the windows that had been read before, since the audio was read only once
CORRECTED = "a person corrected some of the segments"  # a reason for no estimates of the true shares
TURN_TOLERANCE_S = 0.5  # by which speaker turns may exceed the recording: they may come from another copy of it
ADAPTATIONS = (NOT_ADAPTED, ADAPTED_TO_REFERENCE, ADAPTED_TO_RECORDING, ADAPTED_TO_SPEAKERS, ADAPTED_TO_STREAM)


@dataclass(frozen=True)
class Segment:
    """A part of a recording with one emotion, or without speech.

    Attributes:
        start_s: start time.
        end_s: end time, greater than `start_s`.
        prediction: prediction for the segment, its probabilities averaged over the speech; None without speech. If a
            person has changed the segment, that of the model for the original segment.
        speaker: name of the speaker; "" where unknown.
        text: the words that are spoken; "" where unknown.
        decided_by: who decided the emotion, "model" or "person".
        label: the emotion that the person named, a class of the model or any other label; "" if the person only
            marked the prediction as wrong, or if the model decided.
    """

    start_s: float
    end_s: float
    prediction: Prediction | None = None
    speaker: str = ""
    text: str = ""
    decided_by: str = MODEL
    label: str = ""

    def __post_init__(self) -> None:
        times = (self.start_s, self.end_s)
        require(all(isinstance(time, numbers.Real) for time in times), self, "start_s and end_s in seconds", times)
        require(isinstance(self.speaker, str) and isinstance(self.text, str), self, "speaker and text as texts", self)
        require(0 <= self.start_s < self.end_s, self, "0 <= start_s < end_s", (self.start_s, self.end_s))
        require(self.decided_by in DECIDERS, self, f"decided_by among {DECIDERS}", self.decided_by)
        require(not self.label or self.by_person, self, "a label only where a person decided", self.label)

    @property
    def is_speech(self) -> bool:
        """Whether the segment contains speech: the model predicted an emotion, or a person named one."""
        return self.prediction is not None or bool(self.label)

    @property
    def by_person(self) -> bool:
        """Whether a person decided the emotion."""
        return self.decided_by == PERSON

    @property
    def emotion(self) -> str:
        """The emotion: that which the person named, else the predicted one; "" where it is unknown."""
        return self.label if self.by_person else self.model_emotion

    @property
    def is_uncertain(self) -> bool:
        """Whether the emotion is uncertain: the prediction is, and a person named no emotion; or it is unknown."""
        if self.by_person:
            return not self.label
        return self.prediction is not None and self.prediction.uncertain

    @property
    def model_emotion(self) -> str:
        """The emotion that the model predicted; "" without speech."""
        return self.prediction.emotion if self.prediction else ""

    @property
    def duration_s(self) -> float:
        """Duration in seconds."""
        return self.end_s - self.start_s


def is_beyond(start_s: float, end_s: float, duration_s: float) -> bool:
    """Return whether a turn is beyond the end of a recording by more than the tolerance, or as a whole."""
    return end_s > duration_s + TURN_TOLERANCE_S or start_s >= duration_s


@dataclass(frozen=True, eq=False)
class Tracks(EqualByValue):
    """Values over a recording in steps of equal length; the last step may extend past the end.

    Attributes:
        step_s: length of a step; step `i` starts at `i * step_s`.
        probabilities: float `(steps, emotions)`, rows summing to 1; NaN without speech.
        pitch_hz: float `(steps,)`, median of the voiced frames of a step; 0 with fewer than two.
        loudness_db: float `(steps,)`, dB re full scale, mean over a step.
        arousal, valence: float `(steps,)` in [0, 1], as in `Prediction`; NaN without speech, or if unknown.
    """

    step_s: float
    probabilities: FloatArray
    pitch_hz: FloatArray
    loudness_db: FloatArray
    arousal: FloatArray
    valence: FloatArray

    def __post_init__(self) -> None:
        require(self.step_s > 0, self, "step_s > 0", self.step_s)
        require(self.probabilities.ndim == 2, self, "probabilities (steps, emotions)", self.probabilities.shape)
        for name in ("pitch_hz", "loudness_db", "arousal", "valence"):
            shape = np.shape(getattr(self, name))
            require(shape == (len(self),), self, f"{name} of shape ({len(self)},)", shape)
        speech_rows = self.probabilities[~np.isnan(self.probabilities).all(axis=1)]
        sums = speech_rows.sum(axis=1)
        require(bool((np.abs(sums - 1) < 1e-3).all()), self, "rows summing to 1, or NaN", sums)

    def __len__(self) -> int:
        return len(self.probabilities)

    @property
    def times_s(self) -> FloatArray:
        """Start time of each step, float `(steps,)`."""
        return np.arange(len(self)) * self.step_s


@dataclass(frozen=True)
class ChannelTracks:
    """The tracks of one channel of a recording.

    Attributes:
        speaker: name of the speaker on the channel.
        tracks: values over the whole recording.
    """

    speaker: str
    tracks: Tracks


@dataclass(frozen=True)
class Timeline:
    """The predictions of a model over one recording.

    Attributes:
        source: file name or description.
        duration_s: duration of the recording.
        emotions: names of the classes, in the order of every probability vector.
        model: id of the model.
        segments: sorted by start time. They cover the recording from 0 to `duration_s` without gap or overlap. If
            speaker turns were given, the segments are these turns, and may leave gaps and overlap. If each channel is a
            speaker, they are the speech of all channels, and may leave gaps and overlap too.
        tracks: values over the same recording in equal steps, for plotting. If each channel is a speaker, the values of
            a step are those of its loudest channel with speech, or of the loudest one where no channel has speech.
        turns_given: whether the segments are speaker turns that the caller supplied.
        adaptation: what the model was adapted to, one of `ADAPTATIONS`. The number of clips or windows of each segment
            is `segment.prediction.reference_clips`: 0 for a speaker with too few windows.
        channels: the speaker and the tracks of each channel, in order; empty unless each channel is a speaker.
        agreement: how often the labels that a person gave the turns are those that the model predicts; None if no turn
            had a label.
        share_estimates: for each summary of `speakers`, and at the end for the whole recording, an estimated share per
            emotion; empty for a speaker without speech, and as a whole if there are no estimates.
        no_estimates: why there are no estimates; "" if there are.
    """

    source: str
    duration_s: float
    emotions: tuple[str, ...]
    model: str
    segments: tuple[Segment, ...]
    tracks: Tracks
    turns_given: bool = False
    adaptation: str = NOT_ADAPTED
    channels: tuple[ChannelTracks, ...] = ()
    agreement: Agreement | None = None
    share_estimates: tuple[tuple[ShareEstimate, ...], ...] = ()
    no_estimates: str = "the timeline was made without a model file"

    def __post_init__(self) -> None:
        starts, ends = [segment.start_s for segment in self.segments], [segment.end_s for segment in self.segments]
        require(self.duration_s > 0, self, "duration_s > 0", self.duration_s)
        require(self.adaptation in ADAPTATIONS, self, f"adaptation among {ADAPTATIONS}", self.adaptation)
        require(starts == sorted(starts), self, "segments in order of start_s", starts)
        require(max(ends, default=0) <= self.duration_s, self, f"segments within {self.duration_s} s", ends)
        if not self.turns_given and not self.channels:
            covered = [0, *ends] == [*starts, self.duration_s]
            require(covered, self, f"segments covering 0 to {self.duration_s} s once", ends)
        for segment in self.segments:
            same_emotions = segment.prediction is None or segment.prediction.emotions == self.emotions
            require(same_emotions, self, f"predictions with emotions {self.emotions}", segment)
        self._check_channels()
        expected_count = (0, len(self.speaker_names) + 1)
        count = len(self.share_estimates)
        require(count in expected_count, self, f"estimates for {expected_count[1]} summaries, or none", count)
        shape = (int(np.ceil(self.duration_s / self.tracks.step_s - 1e-9)), len(self.emotions))
        for tracks in (self.tracks, *(channel.tracks for channel in self.channels)):
            actual = tracks.probabilities.shape
            require(actual == shape, self, f"tracks with probabilities of shape {shape}", actual)

    def _check_channels(self) -> None:
        names = [channel.speaker for channel in self.channels]
        require(len(set(names)) == len(names), self, "channels with different speakers", names)
        for segment in self.segments if self.channels else ():
            expected = f"segments with speech of one of {names}"
            require(segment.is_speech and segment.speaker in names, self, expected, segment)

    @property
    def speakers(self) -> tuple[SpeakerSummary, ...]:
        """A summary per speaker, sorted by name; unknown speakers share one summary with the name "".

        If each channel is a speaker, they are in the order of the channels, also those without speech.
        """
        estimates = self.share_estimates or [()] * (len(self.speaker_names) + 1)
        return tuple(
            summarise(speaker, self.emotions, self.labels, self.spoken(speaker), estimate)
            for speaker, estimate in zip(self.speaker_names, estimates, strict=False)
        )

    @property
    def speaker_names(self) -> tuple[str, ...]:
        """The names of `speakers`, in the same order."""
        names = [channel.speaker for channel in self.channels]
        return tuple(names or sorted({segment.speaker for segment in self.segments}))

    @property
    def named_speakers(self) -> tuple[SpeakerSummary, ...]:
        """Those of `speakers` that have a name, and if there are any, the others together if they speak."""
        speakers = self.speakers
        is_known = any(summary.speaker for summary in speakers)
        return tuple(summary for summary in speakers if summary.speaker or (is_known and summary.speech_s))

    @property
    def summary(self) -> SpeakerSummary:
        """The summary of the whole recording: of all speakers together, with the speaker ""."""
        estimates = self.share_estimates[-1] if self.share_estimates else ()
        return summarise("", self.emotions, self.labels, self.spoken(), estimates)

    def spoken(self, speaker: str | None = None) -> list[Spoken]:
        """Return the segments with speech of a speaker; None for all."""
        return [
            Spoken(segment.duration_s, segment.emotion, segment.is_uncertain, segment.prediction)
            for segment in self.segments
            if segment.is_speech and speaker in (None, segment.speaker)
        ]

    @cached_property  # a page asks for it once per segment
    def labels(self) -> tuple[str, ...]:
        """The classes of the model, then the other labels that a person gave, as they first occur."""
        return tuple(dict.fromkeys([*self.emotions, *(part.label for part in self.segments if part.label)]))

    @property
    def tracks_by_speaker(self) -> tuple[ChannelTracks, ...]:
        """What to plot: the tracks of each channel; else those of the whole recording, with the speaker ""."""
        return self.channels or (ChannelTracks("", self.tracks),)


def with_corrections(timeline: Timeline, segments: Sequence[Segment]) -> Timeline:
    """Return the timeline with these segments, of which a person may have decided some.

    The estimates of the true shares come from the predictions for the former segments: they are left out.
    """
    if tuple(segments) == timeline.segments:
        return timeline
    return replace(timeline, segments=tuple(segments), share_estimates=(), no_estimates=CORRECTED)
