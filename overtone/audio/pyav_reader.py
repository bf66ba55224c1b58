"""M4A, MP4, WebM, AAC, WMA, films -> the sound of one track, decoded by PyAV: what libsndfile does not read.

Of several tracks it is the first that is marked as the default one, else the first; pictures are not even decoded.
What a container cuts off is cut off: the samples that an encoder needs to begin, those that fill its last frame, what
an edit list leaves out. Where the track begins later than the film, or has a gap, there is silence, so that times are
those of a player. A frame that is cut or damaged is an error, as everywhere in this room.

    with track(stream, kind, "talk.m4a") as file:       # as much of a `soundfile.SoundFile` as is used here
        file.samplerate, file.frames
        file.seek(48_000)
        file.read(1_000)                                # (1000, 1)

PyAV (BSD) binds FFmpeg and is used where it is installed. Overtone does not install it: `docs/sound.md` says why.
"""

import contextlib
import functools
import math
from collections.abc import Iterator
from fractions import Fraction
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np

from overtone.audio.ffmpeg_formats import MP4, ContainerFormat
from overtone.errors import AudioError

OLDEST_PYAV = 17  # older ones cannot leave pictures unread
INSTALL = f"pip install 'av>={OLDEST_PYAV}' (docs/sound.md), or convert it: ffmpeg -i INPUT OUTPUT.wav"
BUFFER_BYTES = 2**17
GAP_S = 0.2  # shorter ones are clocks that do not quite agree
LONGEST_GAP_S = 3600.0  # longer ones are clocks that were set anew; the sound goes on
PREROLL_S = 1.0  # decoded before a stretch, for decoders that hear what was before: Opus needs 80 ms
SEEK_FROM_S = 10.0
SOUGHT = frozenset({"mov", "matroska", "aac"})  # others land within a frame, or do not know where they are
SLACK_S = 0.25
PROTECTED = frozenset({"enca", "drms"})
MICROSECOND = Fraction(1, 1_000_000)


class PyavReader:
    """An open track.

    Attributes:
        samplerate: samples per second, as it is decoded.
        channels: 1, the mean of those in the file.
        frames: how many samples it holds, or a good guess.
        frames_at_least: how many its header promises, 0 where it promises none.
        slack_frames: how many fewer are no sign of a cut: clocks and frames of containers are coarse.
        format: what kind of file it is.
    """

    channels = 1

    def __init__(
        self, container: Any, stream: Any, kind: ContainerFormat, name: str, counted_s: Fraction | None
    ) -> None:
        self._container, self._stream, self._name = container, stream, name
        self._begin_s = _begin_s(container, stream)
        self._is_sought = kind.demuxer in SOUGHT
        self._rest = np.empty(0, np.float32)
        self._frames = self._decoded()
        first = next(self._frames, None)
        self.format = kind.words
        self.samplerate = first.sample_rate if first is not None else 0
        length_s = counted_s if counted_s is not None else _told_s(container, stream, self._begin_s)
        self.frames = max(1, round(length_s * self.samplerate)) if first is not None else 0
        promised = counted_s is None and (kind == MP4 or _is_alone(container))  # others time the whole film
        self.frames_at_least = self.frames if promised else 0
        self.slack_frames = round(SLACK_S * self.samplerate)
        exact = promised and stream.duration and stream.time_base * self.samplerate == 1
        self._end = self.frames if exact else None
        self._blocks = self._in_place(first, 0)

    def seek(self, frame: int) -> None:
        """Makes `frame` the next one to be read."""
        if self._is_sought and frame > SEEK_FROM_S * self.samplerate:
            time_s = Fraction(frame, self.samplerate) + self._begin_s - Fraction(PREROLL_S)
            self._container.seek(math.floor(time_s / MICROSECOND))
            self._frames = self._decoded()
            self._blocks = self._in_place(next(self._frames, None), None)
        self._rest = np.empty(0, np.float32)
        self._blocks = _from(self._blocks, frame)

    def read(self, frames: int, **_: Any) -> np.ndarray:
        """The next samples, float32 `(frames, 1)`; fewer at the end."""
        parts, count = [self._rest], len(self._rest)
        while count < frames:
            block = next(self._blocks, None)
            if block is None:
                break
            parts.append(block[1])
            count += len(block[1])
        joined = np.concatenate(parts)
        self._rest = joined[frames:]
        return joined[:frames, None]

    def _decoded(self) -> Iterator[Any]:
        """The frames of the track, as PyAV gives them."""
        for packet in _packets(self._container, self._stream):
            if packet.is_corrupt:
                raise AudioError(f"{self._name}: truncated or damaged: a part of its sound is cut; copy it again")
            yield from packet.decode()

    def _in_place(self, first: Any, at: int | None) -> Iterator[tuple[int, np.ndarray]]:
        """Consecutive blocks from the position `at`, or from where the first frame stands, each with its position."""
        frame = first
        while frame is not None:
            following = next(self._frames, None)
            mono, begin = self._mono(frame), self._position(frame)
            at = begin or 0 if at is None else at
            if begin is not None and GAP_S < (begin - at) / self.samplerate < LONGEST_GAP_S and begin < self.frames:
                for start in range(at, begin, self.samplerate):
                    yield start, np.zeros(min(self.samplerate, begin - start), np.float32)
                at = begin
            yield at, mono if following is not None else self._without_padding(at, mono)
            at += len(mono)
            frame = following

    def _without_padding(self, at: int, last: np.ndarray) -> np.ndarray:
        """The last block as far as the sound goes; what is more than one block beyond is no padding."""
        kept = len(last) if self._end is None else self._end - at
        return last[:kept] if 0 < kept < len(last) else last

    def _position(self, frame: Any) -> int | None:
        """Where a frame stands in the sound, as its time stamp says."""
        if frame.pts is None or frame.time_base is None:
            return None
        return max(0, round((frame.pts * frame.time_base - self._begin_s) * self.samplerate))

    def _mono(self, frame: Any) -> np.ndarray:
        """The mean of the channels at full scale 1, float32 `(samples,)`."""
        if frame.sample_rate != self.samplerate:
            raise AudioError(
                f"{self._name}: changes from {self.samplerate} to {frame.sample_rate} samples per second on its way; "
                "convert it first: ffmpeg -i INPUT OUTPUT.wav"
            )
        array = frame.to_ndarray()
        channels = array if frame.format.is_planar else array.reshape(frame.samples, -1).T
        return _full_scale_one(channels).mean(axis=0, dtype=np.float32)


@contextlib.contextmanager
def open_track(stream: BinaryIO, kind: ContainerFormat, name: str) -> Iterator[PyavReader]:
    """The sound of a file, at its first sample; what goes wrong while it is open and decoded is an `AudioError`.

    Args:
        stream: the file, seekable, at its start.
        kind: what it is.
        name: what it is called, for messages.

    Raises:
        AudioError: PyAV is not installed; or damaged, protected, of an unknown codec, or without sound.
    """
    av = _pyav(kind, name)
    try:
        with contextlib.ExitStack() as stack:
            container, chosen = stack.enter_context(_opened(av, stream, kind, name))
            counted_s = None
            if not kind.timed or container.duration is None:
                counted_s = _counted_s(container, chosen)
                stack.close()
                container, chosen = stack.enter_context(_opened(av, stream, kind, name))
            yield PyavReader(container, chosen, kind, name, counted_s)
    except av.FFmpegError as error:
        reason = error.strerror or "unknown reason"
        raise AudioError(
            f"{name}: {kind.words} that is damaged, protected or cannot be read ({reason}); copy it again, or try: "
            "ffmpeg -i INPUT OUTPUT.wav"
        ) from error


@contextlib.contextmanager
def _opened(av: ModuleType, stream: BinaryIO, kind: ContainerFormat, name: str) -> Iterator[tuple[Any, Any]]:
    """The container and the track that is chosen of it."""
    stream.seek(0)
    # The demuxer is named and pictures have no decoder: what a file pretends to be gets no other code to run.
    options = {"codec_whitelist": _sound_decoders()}
    with av.open(
        stream, format=kind.demuxer, buffer_size=BUFFER_BYTES, metadata_errors="replace", container_options=options
    ) as container:
        tracks = container.streams.audio
        if not tracks:
            raise AudioError(f"{name}: {kind.words} without a track of sound")
        chosen = next((one for one in tracks if one.disposition & av.stream.Disposition.default), tracks[0])
        codec = chosen.codec_context
        if codec is None:
            raise AudioError(f"{name}: its sound is of a kind that FFmpeg does not know; convert it with what made it")
        if codec.codec_tag.lower() in PROTECTED:
            raise AudioError(f"{name}: its sound is protected against copying and cannot be read")
        codec.thread_count = 1
        for other in container.streams:
            if other is not chosen:
                other.discard = av.stream.Discard.all
        yield container, chosen


def _counted_s(container: Any, stream: Any) -> Fraction:
    """How long the sound is, without decoding it: to the end of its last packet."""
    ends = (packet.pts + (packet.duration or 0) for packet in _packets(container, stream) if packet.pts is not None)
    return max(ends, default=0) * stream.time_base - _begin_s(container, stream)


def _packets(container: Any, stream: Any) -> Iterator[Any]:
    """The packets of a track."""
    with contextlib.suppress(IndexError):  # after the last one PyAV stumbles over tracks that were not there at first
        yield from container.demux(stream)


def _begin_s(container: Any, stream: Any) -> Fraction:
    """The time stamp with which the film begins."""
    if container.start_time is not None:
        return container.start_time * MICROSECOND
    return stream.start_time * stream.time_base if stream.start_time is not None else Fraction(0)


def _is_alone(container: Any) -> bool:
    """Whether there is but one track of sound, and no film that may be longer; a cover is none."""
    covers = [bool(one.disposition & one.disposition.attached_pic) for one in container.streams.video]
    return len(container.streams.audio) == 1 and all(covers)


def _told_s(container: Any, stream: Any, begin_s: Fraction) -> Fraction:
    """How long the sound is, as its header tells it."""
    if stream.duration:
        late_s = stream.start_time * stream.time_base - begin_s if stream.start_time is not None else 0
        return stream.duration * stream.time_base + max(0, late_s)
    return (container.duration or 0) * MICROSECOND


def _from(blocks: Iterator[tuple[int, np.ndarray]], start: int) -> Iterator[tuple[int, np.ndarray]]:
    """The blocks without what stands before `start`."""
    for at, block in blocks:
        if at + len(block) > start:
            kept = block[max(0, start - at) :]
            yield max(at, start), kept


def _full_scale_one(samples: np.ndarray) -> np.ndarray:
    """Floats as they are, integers divided by their full scale."""
    if samples.dtype.kind == "f":
        return samples
    span = np.iinfo(samples.dtype)
    middle = (span.max + 1 + span.min) / 2  # 128 where bytes have no sign, else 0
    return (samples - middle) / (middle - span.min)


@functools.cache
def _sound_decoders() -> str:
    """The names of all decoders of sound, separated by commas."""
    import av

    names = []
    for name in sorted(av.codecs_available):
        with contextlib.suppress(ValueError):  # it encodes only
            if av.Codec(name, "r").type == "audio":
                names.append(name)
    return ",".join(names)


def _pyav(kind: ContainerFormat, name: str) -> ModuleType:
    try:
        import av
    except ImportError as error:
        raise AudioError(f"{name}: {kind.words} needs PyAV, which is not installed: {INSTALL}") from error
    if int(av.__version__.partition(".")[0]) < OLDEST_PYAV:
        raise AudioError(f"{name}: {kind.words} needs PyAV {OLDEST_PYAV}, and {av.__version__} is installed: {INSTALL}")
    return av
