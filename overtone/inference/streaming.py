"""Streaming: audio, chunk by chunk -> predictions of windows, and the `Timeline` at the end, with constant memory.

    voice activity detection  ->  windows of 3 s, every 1.5 s, with speech  ->  the graph  ->
    `overtone.inference.aggregation`

A recording is processed as a stream that is fed from its file, so both give the same timeline.
"""

import sys
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np

from overtone.audio.blocks import StreamResampler, blocks
from overtone.audio.source import Source, source_name
from overtone.audio.vad import CHUNK_S, CHUNK_SAMPLES, SPEECH_ONSET, VoiceActivityDetector, speech_chunks
from overtone.audio.windows import HOP_STEPS, STEP_SAMPLES, Window, count_steps, split_windows
from overtone.datatypes import SAMPLE_RATE_HZ, Float32Array, FloatArray, Waveform
from overtone.errors import AudioError, InputError, OptionError
from overtone.inference.aggregation import (
    RecordingTracks,
    WindowPrediction,
    build_timeline,
    step_to_seconds,
    turn_to_steps,
)
from overtone.inference.inputs import Samples, check_min_duration, is_file_source, waveform_from_samples
from overtone.inference.onnx_model import OnnxModel
from overtone.timeline import Segment, Timeline

MAX_PENDING_WINDOWS = 64  # so that they do not pile up where reading is faster than inference
MIN_LOUDNESS_DB = -90.0
TURN_TOLERANCE_S = 0.5  # turns may come from another copy of the recording
NO_END = sys.maxsize


@dataclass
class _Span:
    """A range of steps that is split into windows: the whole recording, or one turn."""

    first: int
    end: int
    predictions: list[WindowPrediction] = field(default_factory=list)
    done: bool = False

    def __post_init__(self) -> None:
        self._windows = split_windows(self.first, self.end)
        self._next = next(self._windows)
        self._started = 0

    def ready(self, steps: int) -> Iterator[Window]:
        """Windows that are complete after this many steps, each once."""
        while not self.done and self._next[1] <= steps:
            yield self._next
            self._started += 1
            following = next(self._windows, None)
            self.done = following is None
            self._next = following or self._next

    def remaining(self, steps: int) -> list[Window]:
        """Windows that remain if the recording ends after this many steps."""
        return list(split_windows(self.first, min(self.end, steps)))[self._started :]

    @property
    def needs_from(self) -> int:
        """The first step that a later window may need: the last window may be moved back by less than a hop."""
        return max(self.first, self._next[0] - HOP_STEPS)


class Stream:
    """A stream of live audio; `Recogniser.stream` returns one.

    Args:
        model: the model that predicts the windows.
        rate_hz: sample rate of the chunks, 8 000 to 192 000.
        source: a name for messages.
        turns: speaker turns; None if unknown.
        threads: number of threads.

    Raises:
        AudioError: a sample rate outside the range.
        OptionError: an invalid sample rate, or fewer threads than 1.
    """

    def __init__(
        self,
        model: OnnxModel,
        rate_hz: float,
        source: str,
        turns: Iterable[Segment] | None = None,
        threads: int = 1,
    ) -> None:
        if threads < 1:
            raise OptionError(f"threads: expected at least 1, got {threads}")
        self._model = model
        self._source = source
        self._resampler = StreamResampler(rate_hz, source)
        self._detector = VoiceActivityDetector()
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._turns = None if turns is None else sorted(turns, key=lambda turn: (turn.start_s, turn.end_s))
        ranges = [(0, NO_END)] if self._turns is None else map(turn_to_steps, self._turns)
        self._spans = [_Span(*steps) for steps in ranges]
        self._pending: deque[tuple[_Span, Window, Future[WindowPrediction] | None]] = deque()
        self._speech = array("f")  # probability per chunk
        self._loudness_db = array("f")  # per step
        self._samples = 0
        self._buffer: Float32Array = np.empty(0, np.float32)  # the latest samples, as far back as a window may reach
        self._closed = False

    def push(self, chunk: FloatArray) -> list[Segment]:
        """Process the next chunk; returns the predictions of the windows of 3 s that it completes: usually none or one.

        There is a window every 1.5 s. Its prediction is returned by the push that brings its last samples; it takes a
        few hundredths of a second, and a few more if the audio is not at 16 kHz, since the resampler holds some samples
        back.

        Args:
            chunk: `(samples,)` or `(samples, channels)`, floats or integers as for `overtone.from_array`.

        Raises:
            AudioError: invalid shape or dtype, not finite, or after the end.
            ModelError: the model fails on it.
        """
        self._check_open()
        self._process(self._resampler.push(chunk))
        return list(self._collect(0))

    def feed(self, chunk: FloatArray) -> None:
        """Like `push` for callers who need the timeline alone: does not wait for predictions."""
        self._check_open()
        self._process(self._resampler.push(chunk))
        for _ in self._collect(MAX_PENDING_WINDOWS):
            pass

    def finish(self) -> Timeline:
        """End the stream; returns the timeline of all audio, which does not depend on the sizes of the chunks.

        Raises:
            AudioError: less than 0.1 s of audio, or the stream has ended before.
            InputError: a turn ends after the audio.
            ModelError: the model fails on it.
        """
        self._check_open()
        self._process(self._resampler.close())
        self._speech.extend(self._detector.close().tolist())
        self._check_long_enough(self._samples / SAMPLE_RATE_HZ)
        steps = count_steps(self._samples)
        if steps > len(self._loudness_db):
            self._loudness_db.extend(_loudness_db(self._buffered(steps - 1, steps)[np.newaxis]))
        for span in self._spans:
            for window in span.remaining(steps):
                self._start_inference(span, window)
        for _ in self._collect(0):
            pass
        self.close()
        tracks = RecordingTracks(self._source, self._samples, np.array(self._speech), np.array(self._loudness_db))
        return build_timeline(self._model, tracks, [span.predictions for span in self._spans], self._turns)

    def close(self) -> None:
        """End the stream without a timeline and release its threads; not needed after `finish`."""
        self._closed = True
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _process(self, samples: Float32Array) -> None:
        """Process audio at 16 kHz, and start the inference of every window that it completes."""
        self._speech.extend(self._detector.push(samples).tolist())
        self._buffer = np.concatenate([self._buffer, samples])
        self._samples += len(samples)
        steps = self._samples // STEP_SAMPLES
        new = self._buffered(len(self._loudness_db), steps)
        self._loudness_db.extend(_loudness_db(new.reshape(-1, STEP_SAMPLES)))
        for span in self._spans:
            for window in span.ready(steps):
                self._start_inference(span, window)
        needed = min((span.needs_from for span in self._spans if not span.done), default=steps)
        self._buffer = self._buffered(min(needed, steps), steps + 1)

    def _buffered(self, first: int, end: int) -> Float32Array:
        """The buffered samples of a range of steps, as many as there are."""
        offset = self._samples - len(self._buffer)
        return self._buffer[first * STEP_SAMPLES - offset : end * STEP_SAMPLES - offset]

    def _start_inference(self, span: _Span, window: Window) -> None:
        """Run the model on a window, here or in a thread; not on a window without speech."""
        first, end = window[0] * STEP_SAMPLES, min(window[1] * STEP_SAMPLES, self._samples)
        chunks = np.array(self._speech[-(-first // CHUNK_SAMPLES) : end // CHUNK_SAMPLES])
        speech_s = float(speech_chunks(chunks).sum()) * CHUNK_S
        share = float((chunks >= SPEECH_ONSET).mean()) if len(chunks) else 0.0
        future: Future[WindowPrediction] | None = None
        if share > 0 and self._pool is not None:
            future = self._pool.submit(self._predict, self._buffered(*window), window, share, speech_s)
        elif share > 0:
            future = Future()
            future.set_result(self._predict(self._buffered(*window), window, share, speech_s))
        self._pending.append((span, window, future))

    def _predict(self, samples: Float32Array, window: Window, share: float, speech_s: float) -> WindowPrediction:
        outputs = self._model.run(Waveform(samples, self._source))
        hop = self._model.card["hop_samples"]
        frames_hz = outputs["pitch_hz"][0, : max(1, len(samples) // hop)].astype(float)
        pitch_hz = median_pitch(frames_hz, hop, window[1] - window[0])
        log_probabilities = np.log(np.maximum(self._model.probabilities(outputs), 1e-9))
        affect = self._model.arousal_valence(outputs)
        return WindowPrediction(window, share, speech_s, log_probabilities, affect, pitch_hz)

    def _collect(self, max_pending: int) -> Iterator[Segment]:
        """The predictions of windows, in order; waits until at most `max_pending` windows are pending."""
        while len(self._pending) > max_pending:
            span, (first, end), future = self._pending.popleft()
            segment = Segment(step_to_seconds(first), min(step_to_seconds(end), self._samples / SAMPLE_RATE_HZ))
            if future is not None:
                window = future.result()
                span.predictions.append(window)
                probabilities = np.exp(window.log_probabilities)
                probabilities /= probabilities.sum(1, keepdims=True)
                values = probabilities, window.arousal_valence, segment.duration_s, window.speech_s
                prediction = self._model.make_prediction(*values, {}, self._source)
                segment = replace(segment, prediction=prediction)
            yield segment

    def _check_open(self) -> None:
        if self._closed:
            raise AudioError(f"{self._source}: the stream has ended; start another one")

    def _check_long_enough(self, duration_s: float) -> None:
        """Check the length of the recording against the minimum and against the turns."""
        check_min_duration(duration_s, self._source)
        for turn in self._turns or ():
            if turn.end_s > duration_s + TURN_TOLERANCE_S or turn.start_s >= duration_s:
                raise InputError(
                    f"{self._source}: ends at {duration_s:.3f} s, before the end of the turn from {turn.start_s:.3f} "
                    f"to {turn.end_s:.3f} s; are these the turns of another recording?"
                )


def timeline(
    model: OnnxModel,
    source: Source | Waveform | Samples,
    rate_hz: float | None = None,
    *,
    turns: Iterable[Segment] | None = None,
    threads: int = 1,
    on_progress: Callable[[float], None] | None = None,
) -> Timeline:
    """The timeline of a recording; see `Recogniser.timeline`."""
    if is_file_source(source, rate_hz):
        name, parts = source_name(source), blocks(source)
    else:
        waveform = waveform_from_samples(source, rate_hz)
        name, parts = waveform.source, iter([waveform.samples])
    stream = Stream(model, SAMPLE_RATE_HZ, name, turns, threads)
    samples = 0
    try:
        for part in parts:
            stream.feed(part)
            samples += len(part)
            if on_progress is not None:
                on_progress(samples / SAMPLE_RATE_HZ)
        return stream.finish()
    finally:
        stream.close()


def median_pitch(pitch_hz: FloatArray, hop_samples: int, steps: int) -> FloatArray:
    """The median pitch of the voiced frames of each step, `(steps,)`; 0 where none is voiced.

    Args:
        pitch_hz: `(frames,)`, 0 where unvoiced.
        hop_samples: distance between frames.
        steps: number of steps; later frames count to the last step.
    """
    step = np.minimum(np.arange(len(pitch_hz)) * hop_samples // STEP_SAMPLES, steps - 1)
    order = np.lexsort((pitch_hz, step))
    voiced_hz, step = pitch_hz[order], step[order]
    voiced_hz, step = voiced_hz[voiced_hz > 0], step[voiced_hz > 0]
    first, count = np.searchsorted(step, np.arange(steps)), np.bincount(step, minlength=steps)
    median_hz = np.zeros(steps)
    has_voiced = count > 0
    low, high = first + (count - 1) // 2, first + count // 2  # the two middle ones of an even number
    median_hz[has_voiced] = (voiced_hz[low[has_voiced]] + voiced_hz[high[has_voiced]]) / 2
    return median_hz


def _loudness_db(steps: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> list[float]:
    """RMS level of each step `(steps, samples)` without its offset, in dB re full scale."""
    return [max(MIN_LOUDNESS_DB, float(level)) for level in 20 * np.log10(np.maximum(steps.std(1), 1e-9))]
