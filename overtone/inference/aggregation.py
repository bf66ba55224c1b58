"""What was heard in the windows of a recording -> `Timeline`: one curve, parted into segments.

Where windows overlap, their log probabilities are averaged, a window counting the more the more speech it holds.
`make_work.segments` parts the curve; the confidence of a segment is the mean probability of its emotion.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from overtone.audio.vad import speech_steps
from overtone.audio.windows import STEP_S, STEP_SAMPLES, Window, overlap_add
from overtone.datatypes import SAMPLE_RATE_HZ
from overtone.inference.onnx_model import BRANCHES
from overtone.inference.prosody_summary import summarise_prosody
from overtone.inference.recogniser import Recogniser
from overtone.inference.segmentation import StepRange, split_segments
from overtone.timeline import Segment, Timeline, Tracks

PARTS = 1 + len(BRANCHES)


@dataclass(frozen=True)
class WindowPrediction:
    """What the model said of one window in which somebody speaks.

    Attributes:
        window: its steps.
        speech_share: how much of it is speech, in (0, 1].
        logs: log probabilities of the whole and of each branch `(parts, emotions)`.
        pitch_hz: `(its steps,)`, mean of the voiced frames; 0 where none is voiced.
    """

    window: Window
    speech_share: float
    logs: np.ndarray
    pitch_hz: np.ndarray


@dataclass(frozen=True)
class RecordingTracks:
    """What was measured from the beginning of a recording to its end.

    Attributes:
        source: file name or description.
        samples: its length at 16 kHz.
        speech: probability of speech per chunk `(chunks,)`, as a `SpeechDetector` gives it.
        loudness_db: `(steps,)`.
    """

    source: str
    samples: int
    speech: np.ndarray
    loudness_db: np.ndarray

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples / SAMPLE_RATE_HZ

    @property
    def steps(self) -> int:
        """Length in steps."""
        return len(self.loudness_db)


def build_timeline(
    recogniser: Recogniser,
    recording: RecordingTracks,
    heard: Sequence[Sequence[WindowPrediction]],
    turns: Sequence[Segment] | None = None,
) -> Timeline:
    """The timeline of a recording.

    Args:
        recogniser: who heard it.
        recording: what was measured of it.
        heard: in the whole recording, as one list; or a list for each turn.
        turns: speaker turns that were given, in order; None for none.
    """
    spoken = speech_steps(recording.speech, recording.steps)
    everything = [window for windows in heard for window in windows]
    parts = _probabilities(recogniser, everything, (0, recording.steps), spoken)
    curves = Tracks(STEP_S, parts[0], _pitch_hz(everything, recording.steps), recording.loudness_db)
    if turns is None:
        found = split_segments(parts[0])
        empty = [
            Segment(step_to_seconds(first), min(step_to_seconds(end), recording.duration_s)) for first, end in found
        ]
        said = [[part[first:end] for part in parts] for first, end in found]
    else:
        found = [_within(turn_to_steps(turn), recording.steps) for turn in turns]
        empty = [replace(turn, end_s=min(turn.end_s, recording.duration_s), answer=None) for turn in turns]
        said = [_probabilities(recogniser, *of_turn, spoken) for of_turn in zip(heard, found, strict=True)]
    segments = []
    for segment, stretch, probabilities in zip(empty, found, said, strict=True):
        prosody = _prosody(curves, stretch)
        segments.append(_answered(recogniser, segment, probabilities, prosody, recording.source))
    return Timeline(
        source=recording.source,
        duration_s=recording.duration_s,
        emotions=recogniser.emotions,
        model=recogniser.card["id"],
        segments=tuple(segments),
        tracks=curves,
        turns_given=turns is not None,
    )


def step_to_seconds(step: int) -> float:
    """Where a step begins, in seconds."""
    return step * STEP_SAMPLES / SAMPLE_RATE_HZ


def turn_to_steps(turn: Segment) -> StepRange:
    """The steps that a turn touches."""
    first, end = (round(time / STEP_S, 6) for time in (turn.start_s, turn.end_s))
    return int(first), max(int(first) + 1, int(np.ceil(end)))


def _within(stretch: StepRange, steps: int) -> StepRange:
    return stretch[0], min(stretch[1], steps)


def _probabilities(
    recogniser: Recogniser, heard: Sequence[WindowPrediction], stretch: StepRange, spoken: np.ndarray
) -> list[np.ndarray]:
    """Of each part, probabilities in a stretch, float32 `(its steps, emotions)`; NaN where nothing is said."""
    first, end = stretch
    if not heard:
        return [np.full((end - first, len(recogniser.emotions)), np.nan, np.float32)] * PARTS
    windows = [(window.window[0] - first, window.window[1] - first) for window in heard]
    shares = [window.speech_share for window in heard]
    curves = []
    for part in range(PARTS):  # one after the other: of ten hours each is large
        logs, _ = overlap_add(windows, [window.logs[part] for window in heard], end - first, shares)
        logs[~spoken[first:end]] = np.nan
        powers = np.exp(logs)
        curves.append((powers / powers.sum(1, keepdims=True)).astype(np.float32))
    return curves


def _pitch_hz(heard: Sequence[WindowPrediction], steps: int) -> np.ndarray:
    """Pitch of the whole recording, float32 `(steps,)`; 0 where nothing is voiced."""
    if not heard:
        return np.zeros(steps, np.float32)
    tracks = [window.pitch_hz[:, np.newaxis] for window in heard]
    pitch_hz, _ = overlap_add([window.window for window in heard], tracks, steps, [track[:, 0] > 0 for track in tracks])
    return np.nan_to_num(pitch_hz[:, 0]).astype(np.float32)


def _prosody(curves: Tracks, stretch: StepRange) -> dict[str, float]:
    inside = slice(*stretch)
    return summarise_prosody(curves.pitch_hz[inside], curves.loudness_db[inside])


def _answered(
    recogniser: Recogniser, segment: Segment, parts: list[np.ndarray], prosody: dict[str, float], source: str
) -> Segment:
    """The segment with the mean of what was heard in it; as it is where nothing was said."""
    said = ~np.isnan(parts[0][:, 0])
    if not said.any():
        return segment
    mean = np.stack([part[said].mean(0, dtype=float) for part in parts])
    return replace(segment, answer=recogniser.make_prediction(mean, segment.duration_s, prosody, source))
