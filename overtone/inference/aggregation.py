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
from overtone.datatypes import SAMPLE_RATE_HZ, BoolArray, Float32Array, FloatArray
from overtone.inference.onnx_model import OnnxModel
from overtone.inference.prosody_summary import summarise_prosody
from overtone.inference.segmentation import StepRange, split_segments
from overtone.timeline import Segment, Timeline, Tracks


@dataclass(frozen=True)
class WindowPrediction:
    """The outputs of the model for one window with speech.

    Attributes:
        window: its steps.
        speech_share: share of speech in it, in (0, 1].
        speech_s: duration of the speech in it.
        log_probabilities: fused, and of each branch, `(1 + branches, emotions)`.
        pitch_hz: `(its steps,)`, median of the voiced frames of a step; 0 where none is voiced.
    """

    window: Window
    speech_share: float
    speech_s: float
    log_probabilities: FloatArray
    pitch_hz: FloatArray


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


def build_timeline(
    model: OnnxModel,
    recording: RecordingTracks,
    windows: Sequence[Sequence[WindowPrediction]],
    turns: Sequence[Segment] | None = None,
) -> Timeline:
    """The timeline of a recording.

    Args:
        model: the model that predicted the windows.
        recording: its other measurements.
        windows: the windows of the whole recording, as one list; or a list for each turn.
        turns: speaker turns, in order; None for none.
    """
    is_speech = speech_steps(recording.speech, recording.steps)
    speech_s, source = _speech_seconds(recording), recording.source
    all_windows = [window for group in windows for window in group]
    parts = _probabilities(model, all_windows, (0, recording.steps), is_speech)
    tracks = Tracks(STEP_S, parts[0], _pitch_hz(all_windows, recording.steps), recording.loudness_db)
    if turns is None:
        ranges = split_segments(parts[0])
        empty = [Segment(step_to_seconds(a), min(step_to_seconds(b), recording.duration_s)) for a, b in ranges]
        probabilities = [[part[first:end] for part in parts] for first, end in ranges]
    else:
        ranges = [_clip_range(turn_to_steps(turn), recording.steps) for turn in turns]
        empty = [replace(turn, end_s=min(turn.end_s, recording.duration_s), prediction=None) for turn in turns]
        probabilities = [_probabilities(model, *turn, is_speech) for turn in zip(windows, ranges, strict=True)]
    segments = []
    for segment, (first, end), segment_probabilities in zip(empty, ranges, probabilities, strict=True):
        prosody = summarise_prosody(tracks.pitch_hz[first:end], tracks.loudness_db[first:end])
        duration_s = min(float(speech_s[end] - speech_s[first]), segment.duration_s)
        segments.append(_with_prediction(model, segment, segment_probabilities, duration_s, prosody, source))
    return Timeline(
        source=source,
        duration_s=recording.duration_s,
        emotions=model.emotions,
        model=model.card["id"],
        segments=tuple(segments),
        tracks=tracks,
        turns_given=turns is not None,
    )


def step_to_seconds(step: int) -> float:
    """The start of a step, in seconds."""
    return step * STEP_SAMPLES / SAMPLE_RATE_HZ


def turn_to_steps(turn: Segment) -> StepRange:
    """The steps that a turn overlaps."""
    first, end = (round(time / STEP_S, 6) for time in (turn.start_s, turn.end_s))
    return int(first), max(int(first) + 1, int(np.ceil(end)))


def _clip_range(steps: StepRange, count: int) -> StepRange:
    return steps[0], min(steps[1], count)


def _speech_seconds(recording: RecordingTracks) -> FloatArray:
    """Duration of the speech before each step, without margins and pauses, `(steps + 1,)`."""
    starts = np.flatnonzero(speech_chunks(recording.speech)) * CHUNK_SAMPLES
    return np.searchsorted(starts, np.arange(recording.steps + 1) * STEP_SAMPLES) * CHUNK_S


def _probabilities(
    model: OnnxModel, windows: Sequence[WindowPrediction], steps: StepRange, is_speech: BoolArray
) -> list[Float32Array]:
    """Probabilities in a step range, fused and of each branch, float32 `(its steps, emotions)`; NaN without speech."""
    first, end = steps
    parts = 1 + len(model.branches)
    if not windows:
        return [np.full((end - first, len(model.emotions)), np.nan, np.float32)] * parts
    ranges = [(window.window[0] - first, window.window[1] - first) for window in windows]
    weights = [window.speech_share for window in windows]
    tracks = []
    for part in range(parts):  # one after the other: for ten hours each is large
        values = [window.log_probabilities[part] for window in windows]
        log_probabilities, _ = overlap_add(ranges, values, end - first, weights)
        log_probabilities[~is_speech[first:end]] = np.nan
        powers = np.exp(log_probabilities)
        tracks.append((powers / powers.sum(1, keepdims=True)).astype(np.float32))
    return tracks


def _pitch_hz(windows: Sequence[WindowPrediction], steps: int) -> Float32Array:
    """Pitch of the whole recording, float32 `(steps,)`; 0 where unvoiced."""
    if not windows:
        return np.zeros(steps, np.float32)
    tracks = [window.pitch_hz[:, np.newaxis] for window in windows]
    voiced = [track[:, 0] > 0 for track in tracks]
    pitch_hz, _ = overlap_add([window.window for window in windows], tracks, steps, voiced)
    track: Float32Array = np.nan_to_num(pitch_hz[:, 0]).astype(np.float32)
    return track


def _with_prediction(
    model: OnnxModel,
    segment: Segment,
    parts: list[Float32Array],
    speech_s: float,
    prosody: dict[str, float],
    source: str,
) -> Segment:
    """The segment with the mean of its probabilities as the prediction; unchanged if it has no speech."""
    is_speech = ~np.isnan(parts[0][:, 0])
    if not is_speech.any():
        return segment
    mean = np.stack([part[is_speech].mean(0, dtype=float) for part in parts])
    return replace(segment, prediction=model.make_prediction(mean, segment.duration_s, speech_s, prosody, source))
