"""Sound that is coming in, chunk by chunk or block by block -> what is heard in it, and its `Timeline`, in flat memory.

    speech detector  ->  windows of 3 s, every 1.5 s, with speech in them  ->  the graph  ->  `make_work.timeline`

A recording is nothing but a stream that is fed from its file, so both give the same.
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
from overtone.audio.vad import CHUNK_SAMPLES, SPEECH_ONSET, SpeechDetector
from overtone.audio.windows import HOP_STEPS, STEP_SAMPLES, Window, count_steps, split_windows
from overtone.datatypes import SAMPLE_RATE_HZ, Waveform
from overtone.errors import AudioError, InputError, OptionError
from overtone.inference.aggregation import (
    RecordingTracks,
    WindowPrediction,
    build_timeline,
    step_to_seconds,
    turn_to_steps,
)
from overtone.inference.onnx_model import PROBABILITIES
from overtone.inference.recogniser import MIN_DURATION_S, Recogniser, Samples, is_file_source, waveform_from_samples
from overtone.timeline import Segment, Timeline

WINDOWS_WAITING = 64  # at most, lest they pile up where reading is faster than hearing
FAINTEST_DB = -90.0
TURN_SLACK_S = 0.5  # turns may come from another copy of the recording
NO_END = sys.maxsize


@dataclass
class _Span:
    """What windows are cut from: the whole recording, or one turn."""

    first: int
    end: int
    heard: list[WindowPrediction] = field(default_factory=list)
    done: bool = False

    def __post_init__(self) -> None:
        self._windows = split_windows(self.first, self.end)
        self._next = next(self._windows)
        self._begun = 0

    def ready(self, steps: int) -> Iterator[Window]:
        """Windows that are whole after so many steps, each once."""
        while not self.done and self._next[1] <= steps:
            yield self._next
            self._begun += 1
            following = next(self._windows, None)
            self.done = following is None
            self._next = following or self._next

    def rest(self, steps: int) -> list[Window]:
        """Windows that are left when the recording ends after so many steps."""
        return list(split_windows(self.first, min(self.end, steps)))[self._begun :]

    @property
    def needs_from(self) -> int:
        """The first step that a window may still want: the last one may be moved back by less than a hop."""
        return max(self.first, self._next[0] - HOP_STEPS)


class Stream:
    """Sound that is coming in. `Recogniser.stream` makes one.

    Args:
        recogniser: who hears it.
        rate_hz: samples per second of what is pushed, 8 000 to 192 000.
        source: a name for messages.
        turns: who speaks when; None where nobody has told.
        threads: cores to use.

    Raises:
        AudioError: a rate outside the range.
        OptionError: a rate that is no number, or fewer threads than 1.
    """

    def __init__(
        self,
        recogniser: Recogniser,
        rate_hz: float,
        source: str,
        turns: Iterable[Segment] | None = None,
        threads: int = 1,
    ) -> None:
        if threads < 1:
            raise OptionError(f"threads: expected at least 1, got {threads}")
        self._recogniser = recogniser
        self._source = source
        self._inlet = StreamResampler(rate_hz, source)
        self._detector = SpeechDetector()
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None
        self._turns = None if turns is None else sorted(turns, key=lambda turn: (turn.start_s, turn.end_s))
        extents = [(0, NO_END)] if self._turns is None else map(turn_to_steps, self._turns)
        self._spans = [_Span(*extent) for extent in extents]
        self._waiting: deque[tuple[_Span, Window, Future[WindowPrediction] | None]] = deque()
        self._speech = array("f")  # probability per chunk
        self._loudness_db = array("f")  # per step
        self._samples = 0
        self._kept = np.empty(0, np.float32)  # the newest samples, as far back as a window may reach
        self._closed = False

    def push(self, chunk: np.ndarray) -> list[Segment]:
        """Takes the next chunk; gives what is heard in each window of 3 s that it completes: mostly none or one.

        There is a window every 1.5 s. Its answer comes with the push that brings the last of its sound; it takes a few
        hundredths of a second, and a few more where the sound is not at 16 kHz, as the resampler keeps some back.

        Args:
            chunk: `(samples,)` or `(samples, channels)`, floats or integers as `overtone.from_array` takes them.

        Raises:
            AudioError: of a shape or type that is not sound, not finite, or after the end.
            ModelError: the model fails on it.
        """
        self._check_open()
        self._take(self._inlet.push(chunk))
        return list(self._collected(0))

    def feed(self, chunk: np.ndarray) -> None:
        """As `push`, for who wants the timeline alone: it does not wait for what is heard."""
        self._check_open()
        self._take(self._inlet.push(chunk))
        for _ in self._collected(WINDOWS_WAITING):
            pass

    def finish(self) -> Timeline:
        """Ends the stream; the timeline of all that was pushed, the same however it was cut into chunks.

        Raises:
            AudioError: less than 0.1 s of sound, or the stream has ended before.
            InputError: a turn lies beyond the end.
            ModelError: the model fails on it.
        """
        self._check_open()
        self._take(self._inlet.close())
        self._speech.extend(self._detector.close().tolist())
        self._check_long_enough(self._samples / SAMPLE_RATE_HZ)
        steps = count_steps(self._samples)
        if steps > len(self._loudness_db):
            self._loudness_db.extend(_loudness_db(self._sound(steps - 1, steps)[np.newaxis]))
        for span in self._spans:
            for window in span.rest(steps):
                self._begin(span, window)
        for _ in self._collected(0):
            pass
        self.close()
        measured = RecordingTracks(self._source, self._samples, np.array(self._speech), np.array(self._loudness_db))
        return build_timeline(self._recogniser, measured, [span.heard for span in self._spans], self._turns)

    def close(self) -> None:
        """Ends the stream without a timeline and gives its threads back; after `finish` there is nothing to do."""
        self._closed = True
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def _take(self, samples: np.ndarray) -> None:
        """Takes sound at 16 kHz, and begins to hear every window that it completes."""
        self._speech.extend(self._detector.push(samples).tolist())
        self._kept = np.concatenate([self._kept, samples])
        self._samples += len(samples)
        steps = self._samples // STEP_SAMPLES
        new = self._sound(len(self._loudness_db), steps)
        self._loudness_db.extend(_loudness_db(new.reshape(-1, STEP_SAMPLES)))
        for span in self._spans:
            for window in span.ready(steps):
                self._begin(span, window)
        needed = min((span.needs_from for span in self._spans if not span.done), default=steps)
        self._kept = self._sound(min(needed, steps), steps + 1)

    def _sound(self, first: int, end: int) -> np.ndarray:
        """The samples of some steps that are still kept, as many as there are."""
        before = self._samples - len(self._kept)
        return self._kept[first * STEP_SAMPLES - before : end * STEP_SAMPLES - before]

    def _begin(self, span: _Span, window: Window) -> None:
        """Hears a window, or has a thread hear it; but not where nobody speaks in it."""
        first, end = window[0] * STEP_SAMPLES, min(window[1] * STEP_SAMPLES, self._samples)
        chunks = np.array(self._speech[-(-first // CHUNK_SAMPLES) : end // CHUNK_SAMPLES])
        share = float((chunks >= SPEECH_ONSET).mean()) if len(chunks) else 0.0
        future: Future[WindowPrediction] | None = None
        if share > 0 and self._pool is not None:
            future = self._pool.submit(self._hear, self._sound(*window), window, share)
        elif share > 0:
            future = Future()
            future.set_result(self._hear(self._sound(*window), window, share))
        self._waiting.append((span, window, future))

    def _hear(self, samples: np.ndarray, window: Window, share: float) -> WindowPrediction:
        outputs = self._recogniser.hear(Waveform(samples, self._source))
        probabilities = np.concatenate([outputs[part] for part in PROBABILITIES])
        hop = self._recogniser.card["hop_samples"]
        pitch_hz = outputs["pitch_hz"][0, : max(1, len(samples) // hop)].astype(float)
        steps = window[1] - window[0]
        at = np.minimum(np.arange(len(pitch_hz)) * hop // STEP_SAMPLES, steps - 1)
        voiced = np.bincount(at, pitch_hz > 0, steps)
        mean_hz = np.bincount(at, pitch_hz, steps) / np.maximum(voiced, 1)
        return WindowPrediction(window, share, np.log(np.maximum(probabilities, 1e-9)), mean_hz)

    def _collected(self, left: int) -> Iterator[Segment]:
        """What was heard, in order; waits until no more than so many windows are left."""
        while len(self._waiting) > left:
            span, (first, end), future = self._waiting.popleft()
            segment = Segment(step_to_seconds(first), min(step_to_seconds(end), self._samples / SAMPLE_RATE_HZ))
            if future is not None:
                heard = future.result()
                span.heard.append(heard)
                probabilities = np.exp(heard.logs)
                probabilities /= probabilities.sum(1, keepdims=True)
                answer = self._recogniser.make_prediction(probabilities, segment.duration_s, {}, self._source)
                segment = replace(segment, answer=answer)
            yield segment

    def _check_open(self) -> None:
        if self._closed:
            raise AudioError(f"{self._source}: the stream has ended; begin another one")

    def _check_long_enough(self, duration_s: float) -> None:
        """The recording is long enough to be heard, and for the turns that were given."""
        if duration_s < MIN_DURATION_S:
            raise AudioError(
                f"{self._source}: no speech in {1000 * duration_s:.0f} ms of sound; {1000 * MIN_DURATION_S:.0f} ms at least"
            )
        for turn in self._turns or ():
            if turn.end_s > duration_s + TURN_SLACK_S or turn.start_s >= duration_s:
                raise InputError(
                    f"{self._source}: ends at {duration_s:.3f} s, and a turn from {turn.start_s:.3f} to "
                    f"{turn.end_s:.3f} s was given; are these the turns of another recording?"
                )


def timeline(
    recogniser: Recogniser,
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
        waveform = waveform_from_samples(source, rate_hz)  # type: ignore[arg-type]
        name, parts = waveform.source, iter([waveform.samples])
    stream = Stream(recogniser, SAMPLE_RATE_HZ, name, turns, threads)
    read = 0
    try:
        for part in parts:
            stream.feed(part)
            read += len(part)
            if on_progress is not None:
                on_progress(read / SAMPLE_RATE_HZ)
        return stream.finish()
    finally:
        stream.close()


def _loudness_db(steps: np.ndarray) -> list[float]:
    """Effective value of each step `(steps, samples)` without its offset, in dB re full scale."""
    return [max(FAINTEST_DB, float(level)) for level in 20 * np.log10(np.maximum(steps.std(1), 1e-9))]
