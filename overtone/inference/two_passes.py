"""The timeline of a recording that is adapted to itself: the first pass measures its speakers, the second predicts.

Neither pass keeps windows or features: the first one adds the features of windows to running sums per speaker. It runs
the model on few windows of a long recording, and the second pass takes over its speech detection.
"""

import os
import stat
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from overtone._internal.tensor_names import Outputs
from overtone.audio.blocks import blocks, measure_duration
from overtone.audio.source import Source, source_name
from overtone.audio.windows import Window
from overtone.channels import MIX, Channel
from overtone.datatypes import SAMPLE_RATE_HZ, Float32Array, Waveform
from overtone.inference.given_turns import check_fit, check_turns
from overtone.inference.inputs import Samples, is_file_source, waveform_from_samples
from overtone.inference.onnx_model import OnnxModel
from overtone.inference.self_reference import FixedReference, RunningReference, live_reference
from overtone.inference.streaming import MAX_PENDING_WINDOWS, Stream
from overtone.inference.windowed_stream import Span, WindowedStream
from overtone.timeline import Segment, Timeline

# After so many windows of a speaker the first pass doubles the interval between those that it uses. As each counts for
# the interval, the result is as precise as the mean of about 200 windows; an hour of speech takes 350 of its 2,400.
WINDOWS_PER_INTERVAL = 64
PART_SAMPLES = 10 * SAMPLE_RATE_HZ  # between two calls of `on_progress`

Parts = Callable[[], Iterator[Float32Array]]
OnProgress = Callable[[float], None]


def timeline(
    model: OnnxModel,
    source: Source | Waveform | Samples,
    rate_hz: float | None = None,
    *,
    channel: Channel = MIX,
    turns: Iterable[Segment] | None = None,
    threads: int = 1,
    adapt: bool = True,
    name: str = "",
    on_progress: OnProgress | None = None,
) -> Timeline:
    """The timeline of a recording; see `Recogniser.timeline`.

    Args:
        model: the model.
        source: as for `Recogniser.timeline`.
        rate_hz: sample rate of an array.
        channel: as for `Recogniser.recognise`.
        turns: speaker turns; None if unknown.
        threads: number of threads.
        adapt: whether the recording is adapted to itself.
        name: name of the recording; "" for that of the source.
        on_progress: called with the number of seconds that have been processed; each of two passes counts half.

    Raises:
        InputError: the turns are no segments, or beyond the end of the recording; before anything is recognised.
    """
    known_turns = check_turns(turns)
    if is_file_source(source, rate_hz):
        name = name or source_name(source)
        parts, is_repeatable = _file_parts(source, channel)
        if known_turns and is_repeatable and isinstance(source, str | os.PathLike | bytes):
            check_fit(known_turns, measure_duration(source), name)  # for other sources, it is checked at the end
    else:
        waveform = waveform_from_samples(source, rate_hz, channel)
        name = name or waveform.source
        parts, is_repeatable = partial(_split, [waveform.samples]), True
        check_fit(known_turns or (), waveform.duration_s, name)
    reference, speech = live_reference(model, adapt), None
    progress = _Progress(1, on_progress)
    if reference.is_running and is_repeatable:
        progress = _Progress(2, on_progress)
        with _SpeakerMeasurement(model, name, known_turns, threads) as measurement:
            for samples in parts():
                measurement.feed(samples)
                progress.add(len(samples))
            reference, speech = measurement.finish()
    with Stream(model, SAMPLE_RATE_HZ, name, known_turns, threads, reference, speech) as stream:
        for samples in parts():
            stream.feed(samples)
            progress.add(len(samples))
        return stream.finish()


class _SpeakerMeasurement(WindowedStream):
    """The first pass: windows with speech -> statistics per speaker.

    Args:
        model: a model with a speaker adapter.
        source: a name for messages.
        turns: speaker turns; None if unknown.
        threads: number of threads.
    """

    def __init__(self, model: OnnxModel, source: str, turns: list[Segment] | None, threads: int) -> None:
        super().__init__(SAMPLE_RATE_HZ, source, turns, threads)
        self._model = model
        self._reference = RunningReference(model)
        self._thinning: dict[str, _Thinning] = {}
        self._pending: deque[tuple[str, int, Future[Outputs]]] = deque()

    def feed(self, samples: Float32Array) -> None:
        """Measure the next samples."""
        self._push(samples)
        self._collect(MAX_PENDING_WINDOWS)

    def finish(self) -> tuple[FixedReference, "array[float]"]:
        """End the pass; returns the reference for the next one, and the probability of speech per chunk."""
        self._end()
        self._collect(0)
        return self._reference.fixed(has_turns=self._turns is not None), self._speech

    def _start_window(self, span: Span, window: Window, speech_share: float) -> None:
        if speech_share == 0:
            return
        weight = self._thinning.setdefault(span.speaker, _Thinning()).next_weight()
        if weight:
            waveform = Waveform(self._buffered(*window), self._source)
            self._pending.append((span.speaker, weight, self._submit(self._model.run, waveform)))

    def _collect(self, max_pending: int) -> None:
        """Add windows in their order, so that the sums do not depend on the number of threads."""
        while len(self._pending) > max_pending:
            speaker, weight, future = self._pending.popleft()
            self._reference.add(speaker, future.result(), weight)


@dataclass
class _Thinning:
    """Selects windows at intervals that double after every `WINDOWS_PER_INTERVAL` selected windows."""

    interval: int = 1
    selected: int = 0
    skipped: int = 0  # windows to skip before the next selected one

    def next_weight(self) -> int:
        """The number of windows that the next window stands for; 0 if it is not selected."""
        if self.skipped:
            self.skipped -= 1
            return 0
        weight = self.interval
        self.skipped, self.selected = weight - 1, self.selected + 1
        if self.selected == WINDOWS_PER_INTERVAL:
            self.interval, self.selected = 2 * self.interval, 0
        return weight


@dataclass
class _Progress:
    """Reports how much of a recording has been processed, in seconds, by a number of passes that count equally."""

    passes: int
    on_progress: OnProgress | None
    samples: int = 0

    def add(self, samples: int) -> None:
        """Report that one pass has processed so many more samples."""
        self.samples += samples
        if self.on_progress is not None:
            self.on_progress(self.samples / self.passes / SAMPLE_RATE_HZ)


def _file_parts(source: Source, channel: Channel) -> tuple[Parts, bool]:
    """A function that reads a channel of a file, and whether it can be called twice."""
    read = partial(_read, source, channel)
    if isinstance(source, str | os.PathLike):
        try:
            return read, not stat.S_ISFIFO(Path(source).stat().st_mode)
        except (OSError, ValueError):
            return read, True  # opening it raises the error
    if isinstance(source, bytes | bytearray | memoryview):
        return read, True
    if getattr(source, "closed", False) or not (hasattr(source, "seekable") and source.seekable()):
        return read, False
    return partial(_read_from, source, channel, source.tell()), True


def _read(source: Source, channel: Channel) -> Iterator[Float32Array]:
    return _split(blocks(source, channel))


def _read_from(source: BinaryIO, channel: Channel, position: int) -> Iterator[Float32Array]:
    source.seek(position)
    return _read(source, channel)


def _split(long_blocks: Iterable[np.ndarray]) -> Iterator[Float32Array]:
    """The same samples in blocks of at most `PART_SAMPLES`."""
    for block in long_blocks:
        for start in range(0, len(block), PART_SAMPLES):
            yield block[start : start + PART_SAMPLES]
