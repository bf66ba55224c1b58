"""Adds the missing length to an MP3, so that the decoder reads it to its end.

An MP3 is a sequence of frames. Most encoders first write a frame with a "Xing" tag that contains their number. Where it
is missing, the decoder guesses the number from the size of the first frame and stops there: with a variable bit rate
most of the audio would be lost silently. So the frames are counted here, and a tag with the right number is put before
them.

Source: ISO/IEC 11172-3, section 2.4.2.3 (frame header); the Xing tag as described by its author, GB Xing VBR header.
"""

import contextlib
import io
import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from overtone.errors import AudioError

KILOBITS_MPEG1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
KILOBITS_MPEG2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
MPEG1 = 3
LAYER_3 = 1
MONO = 3
TAG_KILOBITS_INDEX = 9  # large enough for a frame that holds the tag at every sampling rate
TAG_HAS_COUNT = 1
TAG_HAS_BYTES = 2
MAX_FRAME_BYTES = 2_881  # 320 kbit/s in MPEG 2.5 at 8 kHz


@dataclass(frozen=True)
class Frame:
    """Header of one frame: MPEG version (3, 2, or 0 for 2.5), rate in Hz, channel mode, length in bytes."""

    version: int
    rate_hz: int
    mode: int
    length_bytes: int

    @property
    def side_bytes(self) -> int:
        """Length of the side information, which a Xing tag follows."""
        if self.version == MPEG1:
            return 17 if self.mode == MONO else 32
        return 9 if self.mode == MONO else 17


def frame_at(content: bytes | mmap.mmap, position: int) -> Frame | None:
    """Return the layer III frame whose header is at `position`, or None."""
    header = content[position : position + 4]
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    kilobits, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version not in RATES_HZ or layer != LAYER_3 or kilobits in (0, 15) or rate == 3:
        return None
    rate_hz = RATES_HZ[version][rate]
    per_kilobit, table = (144_000, KILOBITS_MPEG1) if version == MPEG1 else (72_000, KILOBITS_MPEG2)
    return Frame(version, rate_hz, header[3] >> 6, per_kilobit * table[kilobits] // rate_hz + padding)


class TaggedStream(io.RawIOBase):
    """A stream that consists of a tag and the bytes of another stream from `start`; the other one must stay open.

    Its `seek` never raises: libsndfile calls it from C.
    """

    def __init__(self, tag: bytes, stream: BinaryIO, start: int) -> None:
        self._tag, self._stream, self._start = tag, stream, start
        self._length = len(tag) + stream.seek(0, os.SEEK_END) - start
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Return the new position; the old one if the requested position is invalid."""
        position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position}.get(whence, self._length)
        self._position = position if position >= 0 else self._position
        return self._position

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Fill the buffer up to the end of the tag or of the stream; return the number of bytes."""
        if self._position < len(self._tag):
            part = self._tag[self._position : self._position + len(buffer)]
        else:
            self._stream.seek(self._start + self._position - len(self._tag))
            part = self._stream.read(len(buffer))
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)


def with_xing_header(stream: BinaryIO, source: str) -> BinaryIO:
    """Return the stream itself or, for an MP3 without a Xing tag, a stream over it that has one.

    Args:
        stream: any audio file, seekable; it is rewound if it is returned itself.
        source: its name, for messages.

    Raises:
        AudioError: an MP3 is shorter than its tag declares, or the last frame of one without a tag is incomplete.
    """
    stream.seek(0)
    start = after_id3(stream.read(10))
    stream.seek(start)
    header = stream.read(MAX_FRAME_BYTES)
    first = frame_at(header, 0)
    tag = 0 if first is None else _tag_position(header[: first.length_bytes])
    if first is not None and tag == 0:
        with _content(stream) as content:
            count = _count_frames(content, start, first, source)
        if count > 1:  # a single one is a sync word by chance, in a file that is not an MP3
            return cast(BinaryIO, TaggedStream(_tag_frame(header, first, count), stream, start))
    elif first is not None:
        _check_bytes(header[tag:], stream.seek(0, os.SEEK_END) - start, source)
    stream.seek(0)
    return stream


def after_id3(header: bytes) -> int:
    """Return the position after an ID3v2 tag at the start (its length has 7 bits per byte), 0 without one."""
    if header[:3] != b"ID3" or len(header) < 10:
        return 0
    a, b, c, d = (byte & 0x7F for byte in header[6:10])
    return 10 + (a << 21 | b << 14 | c << 7 | d)


def _tag_position(frame: bytes) -> int:
    return max(frame.find(b"Xing"), frame.find(b"Info"), 0)


def _check_bytes(tag: bytes, actual: int, source: str) -> None:
    """Check the declared length: the decoder would detect a truncation too, but print a warning to stderr."""
    flags = tag[7] if len(tag) >= 16 else 0
    if flags & TAG_HAS_BYTES:
        declared = struct.unpack(">I", tag[12:16] if flags & TAG_HAS_COUNT else tag[8:12])[0]
        if declared > actual:
            raise AudioError(f"{source}: truncated: {declared} bytes of MP3 declared, {actual} found; copy it again")


@contextlib.contextmanager
def _content(stream: BinaryIO) -> Iterator[bytes | mmap.mmap]:
    """Return all bytes of a stream; a file is memory-mapped, as a long recording may be larger than the memory."""
    if isinstance(stream, io.BytesIO):
        yield stream.getvalue()
    else:
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield mapped


def _count_frames(content: bytes | mmap.mmap, start: int, first: Frame, source: str) -> int:
    """Return the number of frames from `start`, ignoring bytes between them."""
    position, count = start, 0
    while 0 <= position <= len(content) - 4:
        frame = frame_at(content, position)
        if frame is None or (frame.version, frame.rate_hz) != (first.version, first.rate_hz):
            position = content.find(b"\xff", position + 1)
            continue
        position += frame.length_bytes
        count += 1
        if position > len(content) and count > 1:
            raise AudioError(f"{source}: truncated: its last MP3 frame is incomplete; copy it again")
    return count


def _tag_frame(header: bytes, first: Frame, count: int) -> bytes:
    """Return a silent frame with a tag that contains the number of following frames."""
    tag_header = bytes([0xFF, header[1] | 1, TAG_KILOBITS_INDEX << 4 | header[2] & 0x0C, header[3]])
    frame = frame_at(tag_header, 0)
    length_bytes = frame.length_bytes if frame else 0
    tag = tag_header + bytes(first.side_bytes) + b"Xing" + struct.pack(">II", TAG_HAS_COUNT, count)
    return tag + bytes(length_bytes - len(tag))
