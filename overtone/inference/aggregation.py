"""Predictions of the windows of a recording -> `Timeline`.

Where windows overlap, their log probabilities are averaged, weighted by the share of speech in each window.
`overtone.inference.segmentation` splits the resulting track; the confidence of a segment is the mean probability of its
emotion.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from overtone.audio.vad import CHUNK_S, CHUNK_SAMPLES, speech_chunks, speech_steps
from overtone.audio.windows import STEP_S, STEP_SAMPLES, Window, overlap_add
from overtone.datatypes import SAMPLE_RATE_HZ, BoolArray, Float32Array, FloatArray, IntArray
from overtone.inference.onnx_model import OnnxModel
from overtone.inference.prosody_summary import summarise_prosody
from overtone.inference.segmentation import StepRange, split_segments
from overtone.inference.share_estimates import with_estimates
from overtone.timeline import NOT_ADAPTED, Segment, Timeline, Tracks


@dataclass(frozen=True)
class WindowPrediction:
    """The outputs of the model for one window with speech.

    Attributes:
        window: its steps.
        speech_share: share of speech in it, in (0, 1].
        speech_s: duration of the speech in it.
        log_probabilities: fused, and of each branch, `(1 + branches, emotions)`.
        arousal_valence: `(2,)`, in [0, 1] or NaN.
        pitch_hz: `(its steps,)`, median of the voiced frames of a step; 0 with fewer than two.
        reference_clips: number of clips or windows that the model was adapted to.
    """

    window: Window
    speech_share: float
    speech_s: float
    log_probabilities: FloatArray
    arousal_valence: FloatArray
    pitch_hz: FloatArray
    reference_clips: int = 0


@dataclass(frozen=True)
class RecordingTracks:
    """The measurements over a whole recording, as opposed to its windows.

    Attributes:
        source: file name or description.
        samples: its length at 16 kHz.
        speech: probability of speech per chunk `(chunks,)`, as `overtone.audio.vad.VoiceActivityDetector` returns it.
        loudness_db: `(steps,)`.
    """

    source: str
    samples: int
    speech: FloatArray
    loudness_db: FloatArray

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.samples / SAMPLE_RATE_HZ

    @property
    def steps(self) -> int:
        """Length in steps."""
        return len(self.loudness_db)


@dataclass(frozen=True)
class _Curves:
    """The averages of the windows in a range of steps, float32, NaN without speech.

    Attributes:
        probabilities: fused, and of each branch, each `(steps, emotions)`.
        arousal_valence: `(steps, 2)`; NaN also if the model does not define them.
    """

    probabilities: list[Float32Array]
    arousal_valence: Float32Array

    def between(self, first: int, end: int) -> "_Curves":
        """The curves in a range of these steps."""
        return _Curves([part[first:end] for part in self.probabilities], self.arousal_valence[first:end])


def build_timeline(
    model: OnnxModel,
    recording: RecordingTracks,
    windows: Sequence[Sequence[WindowPrediction]],
    turns: Sequence[Segment] | None = None,
    adaptation: str = NOT_ADAPTED,
) -> Timeline:
    """The timeline of a recording.

    Args:
        model: the model that predicted the windows.
        recording: its other measurements.
        windows: the windows of the whole recording, as one list; or a list for each turn.
        turns: speaker turns, in order; None for none.
        adaptation: what those windows are adapted to that refer to any clips.
    """
    is_speech = speech_steps(recording.speech, recording.steps)
    chunks, source = _count_speech_chunks(recording), recording.source
    all_windows = [window for group in windows for window in group]
    curves = _average(model, all_windows, (0, recording.steps), is_speech)
    pitch_hz = _pitch_hz(all_windows, recording.steps)
    tracks = Tracks(STEP_S, curves.probabilities[0], pitch_hz, recording.loudness_db, *curves.arousal_valence.T)
    if turns is None:
        ranges = split_segments(tracks.probabilities)
        empty = [Segment(step_to_seconds(a), min(step_to_seconds(b), recording.duration_s)) for a, b in ranges]
        segment_curves = [curves.between(first, end) for first, end in ranges]
        references = _reference_clips(all_windows, ranges, recording.steps)
    else:
        ranges = [_clip_range(turn_to_steps(turn), recording.steps) for turn in turns]
        empty = [replace(turn, end_s=min(turn.end_s, recording.duration_s), prediction=None) for turn in turns]
        segment_curves = [_average(model, *turn, is_speech) for turn in zip(windows, ranges, strict=True)]
        references = [max((window.reference_clips for window in group), default=0) for group in windows]
    segments = []
    for segment, (first, end), averages, clips in zip(empty, ranges, segment_curves, references, strict=True):
        prosody = summarise_prosody(tracks.pitch_hz[first:end], tracks.loudness_db[first:end])
        speech_s = min(int(chunks[end] - chunks[first]) * CHUNK_S, segment.duration_s)
        segments.append(_with_prediction(model, segment, averages, speech_s, clips, prosody, source))
    timeline = Timeline(
        source=source,
        duration_s=recording.duration_s,
        emotions=model.emotions,
        model=model.card["id"],
        segments=tuple(segments),
        tracks=tracks,
        turns_given=turns is not None,
        adaptation=adaptation if any(window.reference_clips for window in all_windows) else NOT_ADAPTED,
    )
    return with_estimates(timeline, model)


def step_to_seconds(step: int) -> float:
    """The start of a step, in seconds."""
    return step * STEP_SAMPLES / SAMPLE_RATE_HZ


def turn_to_steps(turn: Segment) -> StepRange:
    """The steps that a turn overlaps."""
    first, end = (round(time / STEP_S, 6) for time in (turn.start_s, turn.end_s))
    return int(first), max(int(first) + 1, int(np.ceil(end)))


def _clip_range(steps: StepRange, count: int) -> StepRange:
    return steps[0], min(steps[1], count)


def _count_speech_chunks(recording: RecordingTracks) -> IntArray:
    """Number of chunks with speech before each step, without margins and pauses, `(steps + 1,)`."""
    starts = np.flatnonzero(speech_chunks(recording.speech)) * CHUNK_SAMPLES
    return np.searchsorted(starts, np.arange(recording.steps + 1) * STEP_SAMPLES)


def _average(model: OnnxModel, windows: Sequence[WindowPrediction], steps: StepRange, is_speech: BoolArray) -> _Curves:
    """The averages of the windows in a step range."""
    first, end = steps
    parts = 1 + len(model.branches)
    if not windows:
        nothing = np.full((end - first, len(model.emotions)), np.nan, np.float32)
        return _Curves([nothing] * parts, np.full((end - first, 2), np.nan, np.float32))
    ranges = [(window.window[0] - first, window.window[1] - first) for window in windows]
    weights = [window.speech_share for window in windows]
    tracks = []
    for part in range(parts):  # one after the other: for ten hours each is large
        values = [window.log_probabilities[part] for window in windows]
        log_probabilities, _ = overlap_add(ranges, values, end - first, weights)
        log_probabilities[~is_speech[first:end]] = np.nan
        powers = np.exp(log_probabilities)
        tracks.append((powers / powers.sum(1, keepdims=True)).astype(np.float32))
    affect, _ = overlap_add(ranges, [window.arousal_valence for window in windows], end - first, weights)
    affect[~is_speech[first:end]] = np.nan
    return _Curves(tracks, affect.astype(np.float32))


def _pitch_hz(windows: Sequence[WindowPrediction], steps: int) -> Float32Array:
    """Pitch of the whole recording, float32 `(steps,)`; 0 where unvoiced.

    Each step has the pitch of one window, that in which it is furthest from the edges: where two disagree, which may be
    by an octave, their mean would be the pitch of neither.
    """
    pitch_hz, margins = np.zeros(steps, np.float32), np.zeros(steps, int)
    for window in windows:
        first, end = window.window
        rise = np.arange(1, end - first + 1)
        margin = np.minimum(rise, rise[::-1])
        better = margin > margins[first:end]
        pitch_hz[first:end][better], margins[first:end][better] = window.pitch_hz[better], margin[better]
    return pitch_hz


def _reference_clips(windows: Sequence[WindowPrediction], ranges: Sequence[StepRange], steps: int) -> list[int]:
    """The largest number of clips that a window in each step range refers to; 0 without windows."""
    clips = np.zeros(steps, np.int64)
    for prediction in windows:
        first, end = prediction.window
        np.maximum(clips[first:end], prediction.reference_clips, out=clips[first:end])
    return [int(clips[first:end].max(initial=0)) for first, end in ranges]


def _with_prediction(
    model: OnnxModel,
    segment: Segment,
    curves: _Curves,
    speech_s: float,
    reference_clips: int,
    prosody: dict[str, float],
    source: str,
) -> Segment:
    """The segment with the mean of its probabilities as the prediction; unchanged if it has no speech."""
    is_speech = ~np.isnan(curves.probabilities[0][:, 0])
    if not is_speech.any():
        return segment
    mean = np.stack([part[is_speech].mean(0, dtype=float) for part in curves.probabilities])
    affect = curves.arousal_valence[is_speech].mean(0, dtype=float)
    prediction = model.make_prediction(mean, affect, segment.duration_s, speech_s, prosody, source)
    return replace(segment, prediction=replace(prediction, reference_clips=reference_clips))
