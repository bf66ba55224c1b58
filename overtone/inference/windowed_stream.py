"""Audio, chunk by chunk -> windows and the share of speech in each, with constant memory.

    voice activity detection  ->  windows of 3 s, every 1.5 s

A subclass processes the windows: `overtone.inference.streaming` predicts them, and `overtone.inference.two_passes`
measures the speakers first.
"""

import sys
from array import array
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

import numpy as np

from overtone.audio.blocks import StreamResampler
from overtone.audio.vad import CHUNK_S, CHUNK_SAMPLES, SPEECH_ONSET, VoiceActivityDetector, speech_chunks
from overtone.audio.windows import HOP_STEPS, STEP_SAMPLES, Window, count_steps, split_windows
from overtone.datatypes import SAMPLE_RATE_HZ, Float32Array, FloatArray
from overtone.errors import AudioError
from overtone.inference.aggregation import WindowPrediction, turn_to_steps
from overtone.inference.given_turns import check_fit
from overtone.inference.inputs import check_min_duration, check_threads
from overtone.timeline import Segment

MIN_LOUDNESS_DB = -90.0
NO_END = sys.maxsize

Result = TypeVar("Result")


@dataclass
class Span:
    """A range of steps that is split into windows: the whole recording, or one turn."""

    first: int
    end: int
    speaker: str = ""
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


class WindowedStream:
    """A stream of audio that is split into windows.

    Args:
        rate_hz: sample rate of the chunks, 8 000 to 192 000.
        source: a name for messages.
        turns: speaker turns; None if unknown.
        threads: number of threads.
        speech: probability of speech of the whole recording, if an earlier pass has found it; None to detect it.

    Raises:
        AudioError: a sample rate outside the range.
        OptionError: an invalid sample rate, or fewer threads than 1.
    """

    def __init__(
        self,
        rate_hz: float,
        source: str,
        turns: Iterable[Segment] | None = None,
        threads: int = 1,
        speech: "array[float] | None" = None,
    ) -> None:
        check_threads(threads)
        self._source = source
        self._resampler = StreamResampler(rate_hz, source)
        self._detector = None if speech is not None else VoiceActivityDetector()
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._turns = None if turns is None else sorted(turns, key=lambda turn: (turn.start_s, turn.end_s))
        self._spans = (
            [Span(0, NO_END)]
            if self._turns is None
            else [Span(*turn_to_steps(turn), turn.speaker) for turn in self._turns]
        )
        self._speech = array("f") if speech is None else speech  # probability per chunk
        self._loudness_db = array("f")  # per step
        self._samples = 0
        self._buffer: Float32Array = np.empty(0, np.float32)  # the latest samples, as far back as a window may reach
        self._closed = False

    def close(self) -> None:
        """End the stream without a result and release its threads; not needed after its normal end."""
        self._closed = True
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start_window(self, span: Span, window: Window, speech_share: float) -> None:
        """Start to process a window, whose samples are buffered; implemented by subclasses."""
        raise NotImplementedError

    def _push(self, chunk: FloatArray) -> None:
        """Process the next chunk, `(samples,)` or `(samples, channels)`."""
        self._check_open()
        self._process(self._resampler.push(chunk))

    def _end(self) -> None:
        """Process what the resampler holds back, and start the windows that remain."""
        self._check_open()
        self._process(self._resampler.close())
        if self._detector is not None:
            self._speech.extend(self._detector.close().tolist())
        elif len(self._speech) != -(-self._samples // CHUNK_SAMPLES):
            raise AudioError(f"{self._source}: has changed while it was read; try again")
        self._check_long_enough(self._samples / SAMPLE_RATE_HZ)
        steps = count_steps(self._samples)
        if steps > len(self._loudness_db):
            self._loudness_db.extend(_loudness_db(self._buffered(steps - 1, steps)[np.newaxis]))
        for span in self._spans:
            for window in span.remaining(steps):
                self._start_window(span, window, self._speech_share(window))

    def _process(self, samples: Float32Array) -> None:
        """Process audio at 16 kHz, and start every window that it completes."""
        if self._detector is not None:
            self._speech.extend(self._detector.push(samples).tolist())
        self._buffer = np.concatenate([self._buffer, samples])
        self._samples += len(samples)
        steps = self._samples // STEP_SAMPLES
        new = self._buffered(len(self._loudness_db), steps)
        self._loudness_db.extend(_loudness_db(new.reshape(-1, STEP_SAMPLES)))
        for span in self._spans:
            for window in span.ready(steps):
                self._start_window(span, window, self._speech_share(window))
        needed = min((span.needs_from for span in self._spans if not span.done), default=steps)
        self._buffer = self._buffered(min(needed, steps), steps + 1)

    def _buffered(self, first: int, end: int) -> Float32Array:
        """The buffered samples of a range of steps, as many as there are."""
        offset = self._samples - len(self._buffer)
        return self._buffer[first * STEP_SAMPLES - offset : end * STEP_SAMPLES - offset]

    def _speech_share(self, window: Window) -> float:
        """The share of chunks of a window that contain speech, in [0, 1]."""
        chunks = self._speech_in(window)
        return float((chunks >= SPEECH_ONSET).mean()) if len(chunks) else 0.0

    def _speech_s(self, window: Window) -> float:
        """The duration of the speech in a window, without pauses."""
        return float(speech_chunks(self._speech_in(window)).sum()) * CHUNK_S

    def _speech_in(self, window: Window) -> FloatArray:
        """The probability of speech of each whole chunk of a window, `(chunks,)`."""
        first, end = window[0] * STEP_SAMPLES, min(window[1] * STEP_SAMPLES, self._samples)
        return np.array(self._speech[-(-first // CHUNK_SAMPLES) : end // CHUNK_SAMPLES])

    def _submit(self, function: Callable[..., Result], *arguments: Any) -> "Future[Result]":
        """Run a function here, or in a thread."""
        if self._pool is not None:
            return self._pool.submit(function, *arguments)
        future: Future[Result] = Future()
        future.set_result(function(*arguments))
        return future

    def _check_open(self) -> None:
        if self._closed:
            raise AudioError(f"{self._source}: the stream has ended; start another one")

    def _check_long_enough(self, duration_s: float) -> None:
        """Check the length of the recording against the minimum and against the turns."""
        check_min_duration(duration_s, self._source)
        check_fit(self._turns or (), duration_s, self._source)


def _loudness_db(steps: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> list[float]:
    """RMS level of each step `(steps, samples)` without its offset, in dB re full scale."""
    return [max(MIN_LOUDNESS_DB, float(level)) for level in 20 * np.log10(np.maximum(steps.std(1), 1e-9))]
