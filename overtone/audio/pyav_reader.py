"""Decodes one audio track of M4A, MP4, WebM, AAC, WMA and video files with PyAV, as libsndfile does not support them.

Of several tracks the first default one is decoded, else the first; video is not decoded at all. Samples that the
container marks as removed are removed: encoder delay, padding of the last frame, and parts cut by an edit list. Where
the track starts later than the video, or has a gap, there is silence, so that times agree with a player. An incomplete
or damaged frame is an error, as in all of this package.

    with open_track(stream, container_format, "talk.m4a") as file:     # the used part of `soundfile.SoundFile`
        file.samplerate, file.frames
        file.seek(48_000)
        file.read(1_000)                                               # (1000, 1)

PyAV (BSD) binds FFmpeg and is used if it is installed. Overtone does not install it: see `docs/audio-formats.md`.
"""

import contextlib
import math
from collections.abc import Iterator
from fractions import Fraction
from types import ModuleType
from typing import Any, BinaryIO

import numpy as np

from overtone.audio.downmix import downmix
from overtone.audio.ffmpeg_formats import AVI, MP4, ContainerFormat
from overtone.audio.pyav_import import audio_decoders, frame_samples, import_pyav
from overtone.errors import AudioError

BUFFER_BYTES = 2**17
MIN_GAP_S = 0.2  # shorter ones are differences between clocks
MAX_GAP_S = 3600.0  # longer ones are clocks that were reset; the audio continues
PREROLL_S = 1.0  # decoded before an interval, for decoders with a state: Opus needs 80 ms
MIN_SEEK_S = 10.0
SEEKABLE = frozenset({"mov", "matroska", "aac"})  # others seek into a frame, or to an unknown position
SLACK_S = 0.25
PROTECTED = frozenset({"enca", "drms"})
SELF_SIZED = frozenset({"alac", "flac"})  # codecs whose last frame is as short as the recording needs
MICROSECOND = Fraction(1, 1_000_000)


class PyavReader:
    """An open audio track.

    Attributes:
        samplerate: samples per second of the decoded audio.
        channels: 1, the mean of the channels in the file, or a selected one.
        source_channels: number of channels in the file.
        frames: number of samples, or an estimate of it.
        declared_frames: number of samples that the header declares, 0 if it declares none.
        slack_frames: how many fewer samples are not a sign of truncation: clocks and frames of containers are coarse.
        format: name of the file format.
    """

    channels = 1

    def __init__(
        self, container: Any, stream: Any, container_format: ContainerFormat, name: str, counted_s: Fraction | None
    ) -> None:
        self._container, self._stream, self._name = container, stream, name
        self._start_s = _start_s(container, stream, container_format)
        self._can_seek = container_format.demuxer in SEEKABLE
        self._has_gaps = container_format != AVI  # it stores no times, and FFmpeg derives wrong ones for some codecs
        self._rest = np.empty(0, np.float32)
        self._frames = self._decode()
        first = next(self._frames, None)
        self.format = container_format.label
        self.samplerate = first.sample_rate if first is not None else 0
        self.source_channels = first.layout.nb_channels if first is not None else 0
        self._channel: int | None = None
        duration_s = counted_s if counted_s is not None else _declared_s(container, stream, self._start_s)
        self.frames = max(1, round(duration_s * self.samplerate)) if first is not None else 0
        # Other formats than MP4 declare the duration of the whole video.
        is_declared = counted_s is None and (container_format == MP4 or _is_only_track(container))
        self.declared_frames = self.frames if is_declared else 0
        self.slack_frames = round(SLACK_S * self.samplerate)
        is_exact = is_declared and stream.duration and stream.time_base * self.samplerate == 1
        self._end = self.frames if is_exact else None
        self._blocks = self._positioned_blocks(first, 0)

    def select_channel(self, index: int | None) -> None:
        """Decode the channel with this index instead of the mean of all, which None selects; before any `read`."""
        self._channel = index

    def seek(self, frame: int) -> None:
        """Make `frame` the next one to be read."""
        if self._can_seek and frame > MIN_SEEK_S * self.samplerate:
            time_s = Fraction(frame, self.samplerate) + self._start_s - Fraction(PREROLL_S)
            self._container.seek(math.floor(time_s / MICROSECOND))
            self._frames = self._decode()
            self._blocks = self._positioned_blocks(next(self._frames, None), None)
        self._rest = np.empty(0, np.float32)
        self._blocks = _drop_before(self._blocks, frame)

    def read(self, frames: int, **_: Any) -> np.ndarray:
        """Return the next samples, float32 `(frames, 1)`; fewer at the end."""
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

    def _decode(self) -> Iterator[Any]:
        """Yield the decoded frames of the track, as PyAV objects."""
        for packet in _packets(self._container, self._stream):
            if packet.is_corrupt:
                raise AudioError(f"{self._name}: truncated or damaged: an audio packet is incomplete; copy it again")
            yield from packet.decode()

    def _positioned_blocks(self, first: Any, position: int | None) -> Iterator[tuple[int, np.ndarray]]:
        """Yield consecutive blocks, each with its position; gaps are filled with silence.

        Args:
            first: the first frame.
            position: its position; None to take it from its time stamp.
        """
        frame = first
        while frame is not None:
            following = next(self._frames, None)
            mono, start = self._mono(frame), self._position(frame)
            position = start or 0 if position is None else position
            if (
                start is not None
                and (self._has_gaps or position == 0)
                and MIN_GAP_S < (start - position) / self.samplerate < MAX_GAP_S
                and start < self.frames
            ):
                for silence in range(position, start, self.samplerate):
                    yield silence, np.zeros(min(self.samplerate, start - silence), np.float32)
                position = start
            yield position, mono if following is not None else self._without_padding(position, mono)
            position += len(mono)
            frame = following

    def _without_padding(self, position: int, last: np.ndarray) -> np.ndarray:
        """Return the last block up to the end of the track; more than one block beyond the end is not padding."""
        length = len(last) if self._end is None else self._end - position
        return last[:length] if 0 < length < len(last) else last

    def _position(self, frame: Any) -> int | None:
        """Return the position of a frame in the track, from its time stamp; None without one."""
        if frame.pts is None or frame.time_base is None:
            return None
        return max(0, round((frame.pts * frame.time_base - self._start_s) * self.samplerate))

    def _mono(self, frame: Any) -> np.ndarray:
        """Return the selected channel, or the mean of all, with full scale 1, float32 `(samples,)`."""
        if frame.sample_rate != self.samplerate:
            raise AudioError(
                f"{self._name}: changes from {self.samplerate} to {frame.sample_rate} samples per second; "
                "convert it first: ffmpeg -i INPUT OUTPUT.wav"
            )
        array = frame_samples(frame)
        channels = array if frame.format.is_planar else array.reshape(frame.samples, -1).T
        if self._channel is not None:
            if len(channels) != self.source_channels:
                raise AudioError(f"{self._name}: its number of channels changes; convert it first, or choose mix")
            channels = channels[self._channel, None]
        return downmix(_scale_to_one(channels).T).astype(np.float32, copy=False)


@contextlib.contextmanager
def open_track(stream: BinaryIO, container_format: ContainerFormat, name: str) -> Iterator[PyavReader]:
    """Open the audio track at its first sample; errors while it is open and decoded are an `AudioError`.

    Args:
        stream: the file, seekable, at its start.
        container_format: its format.
        name: its name, for messages.

    Raises:
        AudioError: PyAV is not installed; or the file is damaged, protected, of an unknown codec, or without audio.
    """
    av = import_pyav(container_format, name)
    try:
        with contextlib.ExitStack() as stack:
            container, track = stack.enter_context(_open_container(av, stream, container_format, name))
            counted_s = None
            is_mp4 = container_format == MP4  # whose duration includes it
            if (
                not container_format.has_duration
                or container.duration is None
                or (not is_mp4 and _starts_late(container))
            ):
                counted_s = _count_duration_s(container, track, container_format)
                stack.close()
                container, track = stack.enter_context(_open_container(av, stream, container_format, name))
            yield PyavReader(container, track, container_format, name, counted_s)
    except av.FFmpegError as error:
        reason = error.strerror or "unknown reason"
        raise AudioError(
            f"{name}: {container_format.label} that is damaged, protected or cannot be decoded ({reason}); copy it "
            "again, or try: ffmpeg -i INPUT OUTPUT.wav"
        ) from error


@contextlib.contextmanager
def _open_container(
    av: ModuleType, stream: BinaryIO, container_format: ContainerFormat, name: str
) -> Iterator[tuple[Any, Any]]:
    """Open the container; yield it and the selected track."""
    stream.seek(0)
    # Security: with a fixed demuxer and audio decoders only, the content of a file cannot select other code to run.
    options = {"codec_whitelist": audio_decoders()}
    with av.open(
        stream,
        format=container_format.demuxer,
        buffer_size=BUFFER_BYTES,
        metadata_errors="replace",
        container_options=options,
    ) as container:
        tracks = container.streams.audio
        if not tracks:
            raise AudioError(f"{name}: {container_format.label} without an audio track; choose another file")
        default = av.stream.Disposition.default
        selected = next((track for track in tracks if track.disposition & default), tracks[0])
        codec = selected.codec_context
        if codec is None:
            raise AudioError(f"{name}: its audio codec is unknown to FFmpeg; convert it with the program that made it")
        if container_format.demuxer == MP4.demuxer and codec.codec_tag.lower() in PROTECTED:  # others are not text
            raise AudioError(f"{name}: its audio is copy-protected and cannot be decoded; choose another file")
        codec.thread_count = 1
        if container_format.demuxer == "caf" and codec.name in SELF_SIZED:
            codec.flags2 |= av.codec.context.Flags2.skip_manual  # FFmpeg would remove samples for a padding they lack
        for other in container.streams:
            if other is not selected:
                other.discard = av.stream.Discard.all
        yield container, selected


def _starts_late(container: Any) -> bool:
    """Return whether the first time stamp is not 0: only some programs count this time to the declared duration."""
    return (container.start_time or 0) * MICROSECOND > SLACK_S


def _count_duration_s(container: Any, stream: Any, container_format: ContainerFormat) -> Fraction:
    """Return the duration of the audio up to the end of its last packet, without decoding it."""
    ends = (packet.pts + (packet.duration or 0) for packet in _packets(container, stream) if packet.pts is not None)
    return max(ends, default=0) * stream.time_base - _start_s(container, stream, container_format)


def _packets(container: Any, stream: Any) -> Iterator[Any]:
    """Yield the packets of a track."""
    with contextlib.suppress(IndexError):  # after the last one, PyAV fails on tracks that appeared within the file
        yield from container.demux(stream)


def _start_s(container: Any, stream: Any, container_format: ContainerFormat) -> Fraction:
    """Return the first time stamp of the container; 0 for an MP4 that starts with a pause, by its edit list."""
    if container.start_time is not None:
        start_s: Fraction = container.start_time * MICROSECOND
        return min(Fraction(0), start_s) if container_format == MP4 else start_s
    return stream.start_time * stream.time_base if stream.start_time is not None else Fraction(0)


def _is_only_track(container: Any) -> bool:
    """Return whether there is one audio track and no video, which may be longer; a cover image is not a video."""
    covers = [bool(video.disposition & video.disposition.attached_pic) for video in container.streams.video]
    return len(container.streams.audio) == 1 and all(covers)


def _declared_s(container: Any, stream: Any, start_s: Fraction) -> Fraction:
    """Return the duration of the audio that the header declares."""
    if stream.duration:
        delay_s = stream.start_time * stream.time_base - start_s if stream.start_time is not None else 0
        return stream.duration * stream.time_base + max(0, delay_s)
    return (container.duration or 0) * MICROSECOND


def _drop_before(blocks: Iterator[tuple[int, np.ndarray]], start: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the blocks without the samples before the position `start`."""
    for position, block in blocks:
        if position + len(block) > start:
            yield max(position, start), block[max(0, start - position) :]


def _scale_to_one(samples: np.ndarray) -> np.ndarray:
    """Return floats unchanged and integers divided by their full scale."""
    if samples.dtype.kind == "f":
        return samples
    limits = np.iinfo(samples.dtype)
    middle = (limits.max + 1 + limits.min) / 2  # 128 for unsigned bytes, else 0
    return (samples - middle) / (middle - limits.min)
