"""Streaming: audio, chunk by chunk -> predictions of windows, and the `Timeline` at the end, with constant memory.

    voice activity detection  ->  windows of 3 s, every 1.5 s, with speech  ->  the graph  ->
    `overtone.inference.aggregation`

A recording is processed as a stream that is fed from its file (`overtone.inference.two_passes`), so both give the same
timeline if they are adapted to the same reference.
"""

from array import array
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace

import numpy as np

from overtone.audio.windows import STEP_SAMPLES, Window
from overtone.datatypes import SAMPLE_RATE_HZ, Float32Array, FloatArray, Waveform
from overtone.inference.aggregation import RecordingTracks, WindowPrediction, build_timeline, step_to_seconds
from overtone.inference.inputs import check_threads
from overtone.inference.onnx_model import OnnxModel
from overtone.inference.pitch_track import HOP_SAMPLES, track_pitch
from overtone.inference.self_reference import FixedReference, Reference
from overtone.inference.windowed_stream import Span, WindowedStream
from overtone.timeline import Segment, Timeline

MIN_VOICED_FRAMES = 2  # of about six in a step
MAX_PENDING_WINDOWS = 64  # so that they do not pile up where reading is faster than inference


class Stream(WindowedStream):
    """A stream of live audio; `Recogniser.stream` returns one.

    Args:
        model: the model that predicts the windows.
        rate_hz: sample rate of the chunks, 8 000 to 192 000.
        source: a name for messages.
        turns: speaker turns; None if unknown.
        threads: number of threads; of no use if every window depends on the previous one.
        reference: what the windows are adapted to; None for the model as it is.
        speech: probability of speech of the whole recording, if an earlier pass has found it; None to detect it.

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
        reference: Reference | None = None,
        speech: "array[float] | None" = None,
    ) -> None:
        self._model = model
        self._reference = reference or FixedReference(model)
        check_threads(threads)
        if self._reference.is_running:
            threads = 1
        super().__init__(rate_hz, source, turns, threads, speech)
        self._pending: deque[tuple[Span, Window, Future[WindowPrediction] | None]] = deque()

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
        self._push(chunk)
        return list(self._collect(0))

    def feed(self, chunk: FloatArray) -> None:
        """Like `push` for callers who need the timeline alone: does not wait for predictions."""
        self._push(chunk)
        for _ in self._collect(MAX_PENDING_WINDOWS):
            pass

    def finish(self) -> Timeline:
        """End the stream; returns the timeline of all audio, which does not depend on the sizes of the chunks.

        Raises:
            AudioError: less than 0.1 s of audio, or the stream has ended before.
            InputError: a turn ends after the audio.
            ModelError: the model fails on it.
        """
        self._end()
        for _ in self._collect(0):
            pass
        self.close()
        tracks = RecordingTracks(self._source, self._samples, np.array(self._speech), np.array(self._loudness_db))
        windows = [span.predictions for span in self._spans]
        return build_timeline(self._model, tracks, windows, self._turns, self._reference.adaptation)

    def _start_window(self, span: Span, window: Window, speech_share: float) -> None:
        """Run the model on a window, here or in a thread; not on a window without speech."""
        future: Future[WindowPrediction] | None = None
        if speech_share > 0:
            speech = speech_share, self._speech_s(window)
            future = self._submit(self._predict, span.speaker, self._buffered(*window), window, *speech)
        self._pending.append((span, window, future))

    def _predict(
        self, speaker: str, samples: Float32Array, window: Window, share: float, speech_s: float
    ) -> WindowPrediction:
        model = self._reference.model(speaker)
        outputs = model.run(Waveform(samples, self._source))
        self._reference.add(speaker, outputs)
        frames_hz = track_pitch(samples, max(1, len(samples) // HOP_SAMPLES))
        pitch_hz = median_pitch(frames_hz, HOP_SAMPLES, window[1] - window[0])
        log_probabilities = np.log(np.maximum(model.probabilities(outputs), 1e-9))
        affect = model.arousal_valence(outputs)
        return WindowPrediction(window, share, speech_s, log_probabilities, affect, pitch_hz, model.reference_clips)

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
                prediction = replace(prediction, reference_clips=window.reference_clips)
                segment = replace(segment, prediction=prediction)
            yield segment


def median_pitch(pitch_hz: FloatArray, hop_samples: int, steps: int) -> FloatArray:
    """The median pitch of the voiced frames of each step, `(steps,)`; 0 where fewer than two are voiced.

    A single one is at the edge of a voiced stretch, where the pitch of a frame is unreliable.

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
    has_voiced = count >= MIN_VOICED_FRAMES
    low, high = first + (count - 1) // 2, first + count // 2  # the two middle ones of an even number
    median_hz[has_voiced] = (voiced_hz[low[has_voiced]] + voiced_hz[high[has_voiced]]) / 2
    return median_hz
