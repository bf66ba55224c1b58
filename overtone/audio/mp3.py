"""MP3 -> the same MP3 with its length in front, so that the decoder reads it to its end.

An MP3 is a row of frames. Most encoders put a frame with a "Xing" tag first that counts them. Where it lacks, the
decoder guesses the count from the size of the first frame and stops there: with a varying bit rate most of the sound
would be lost without a word. So the frames are counted here, and a tag with the true count is put before them.

Source: ISO/IEC 11172-3, section 2.4.2.3 (frame header); the Xing tag as described by its maker, GB Xing VBR header.
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
FRAME_LIMIT_BYTES = 2_881  # 320 kbit/s in MPEG 2.5 at 8 kHz


@dataclass(frozen=True)
class Frame:
    """Header of one frame: MPEG version (3, 2, or 0 for 2.5), rate in Hz, channel mode, length in bytes."""

    version: int
    rate_hz: int
    mode: int
    length_bytes: int

    @property
    def side_bytes(self) -> int:
        """Length of the side information, after which a Xing tag stands."""
        if self.version == MPEG1:
            return 17 if self.mode == MONO else 32
        return 9 if self.mode == MONO else 17


def frame_at(content: bytes | mmap.mmap, position: int) -> Frame | None:
    """The layer III frame whose header stands at `position`, or None where none stands."""
    head = content[position : position + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    kilobits, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version not in RATES_HZ or layer != LAYER_3 or kilobits in (0, 15) or rate == 3:
        return None
    rate_hz = RATES_HZ[version][rate]
    per_kilobit, table = (144_000, KILOBITS_MPEG1) if version == MPEG1 else (72_000, KILOBITS_MPEG2)
    return Frame(version, rate_hz, head[3] >> 6, per_kilobit * table[kilobits] // rate_hz + padding)


class TaggedStream(io.RawIOBase):
    """A stream that reads as a tag and then what stands in another one from `start`; that one must stay open.

    Its `seek` never raises: libsndfile calls it from C.
    """

    def __init__(self, tag: bytes, stream: BinaryIO, start: int) -> None:
        self._tag, self._stream, self._start = tag, stream, start
        self._length = len(tag) + stream.seek(0, os.SEEK_END) - start
        self._position = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """The new position; the old one where no such position exists."""
        position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position}.get(whence, self._length)
        self._position = position if position >= 0 else self._position
        return self._position

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Fills the buffer as far as one of both parts reaches; the number of bytes."""
        if self._position < len(self._tag):
            part = self._tag[self._position : self._position + len(buffer)]
        else:
            self._stream.seek(self._start + self._position - len(self._tag))
            part = self._stream.read(len(buffer))
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)


def with_xing_header(stream: BinaryIO, source: str) -> BinaryIO:
    """The stream itself, or, for an MP3 without a Xing tag, a stream over it that has one.

    Args:
        stream: any sound file, seekable; it is at its start again afterwards where it is returned.
        source: its name, for messages.

    Raises:
        AudioError: an MP3 is shorter than its tag says, or the last frame of one without a tag is cut.
    """
    stream.seek(0)
    start = after_id3(stream.read(10))
    stream.seek(start)
    head = stream.read(FRAME_LIMIT_BYTES)
    first = frame_at(head, 0)
    tag = 0 if first is None else _tag_position(head[: first.length_bytes])
    if first is not None and tag == 0:
        with _content(stream) as content:
            count = _counted(content, start, first, source)
        if count > 1:  # a single one is a sync word by chance, in something that is no MP3
            return cast(BinaryIO, TaggedStream(_tag_frame(head, first, count), stream, start))
    elif first is not None:
        _check_bytes(head[tag:], stream.seek(0, os.SEEK_END) - start, source)
    stream.seek(0)
    return stream


def after_id3(head: bytes) -> int:
    """Position after an ID3v2 tag at the start (whose length has 7 bits in each byte), 0 without one."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    a, b, c, d = (byte & 0x7F for byte in head[6:10])
    return 10 + (a << 21 | b << 14 | c << 7 | d)


def _tag_position(frame: bytes) -> int:
    return max(frame.find(b"Xing"), frame.find(b"Info"), 0)


def _check_bytes(tag: bytes, found: int, source: str) -> None:
    """The decoder would notice too, but with a warning of its own on stderr."""
    flags = tag[7] if len(tag) >= 16 else 0
    if flags & TAG_HAS_BYTES:
        promised = struct.unpack(">I", tag[12:16] if flags & TAG_HAS_COUNT else tag[8:12])[0]
        if promised > found:
            raise AudioError(f"{source}: truncated: {promised} bytes of MP3 promised, {found} found; copy it again")


@contextlib.contextmanager
def _content(stream: BinaryIO) -> Iterator[bytes | mmap.mmap]:
    """All bytes of a stream, of a file without loading them: a long recording may be larger than the memory."""
    if isinstance(stream, io.BytesIO):
        yield stream.getvalue()
    else:
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield mapped


def _counted(content: bytes | mmap.mmap, start: int, first: Frame, source: str) -> int:
    """Number of frames from `start`, stepping over what is not a frame."""
    position, count = start, 0
    while 0 <= position <= len(content) - 4:
        frame = frame_at(content, position)
        if frame is None or (frame.version, frame.rate_hz) != (first.version, first.rate_hz):
            position = content.find(b"\xff", position + 1)
            continue
        position += frame.length_bytes
        count += 1
        if position > len(content) and count > 1:
            raise AudioError(f"{source}: truncated: its last MP3 frame is cut; copy it again")
    return count


def _tag_frame(head: bytes, first: Frame, count: int) -> bytes:
    """A frame of silence that says how many frames follow."""
    tag_head = bytes([0xFF, head[1] | 1, TAG_KILOBITS_INDEX << 4 | head[2] & 0x0C, head[3]])
    frame = frame_at(tag_head, 0)
    length_bytes = frame.length_bytes if frame else 0
    tag = tag_head + bytes(first.side_bytes) + b"Xing" + struct.pack(">II", TAG_HAS_COUNT, count)
    return tag + bytes(length_bytes - len(tag))
