"""Seekable streams over bytes: content in memory, and a stream that is part of another one, with a replaced header."""

import contextlib
import io
import mmap
import os
from collections.abc import Iterator
from typing import BinaryIO

from overtone.errors import AudioError

Content = bytes | mmap.mmap
MAX_REST_BYTES = 1_024  # behind the audio, that may be anything: less sound than a syllable
BLOCK_BYTES = 2**20
ID3_BYTES = 10  # of the header of an ID3v2 tag
ID3_FOOTER = 0x10
TAGS = (b"TAG", b"APETAGEX", b"LYRICSBEGIN", b"LIST", b"id3 ", b"bext", b"iXML", b"info", b"NAME", b"ANNO")


class SafeBytesIO(io.BytesIO):
    """Bytes as a stream whose `seek` never raises: damaged headers make libsndfile seek anywhere, from a C callback."""

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Return the new position; the old one if the requested position is invalid."""
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return self.tell()


class SplicedStream(io.RawIOBase):
    """A stream that consists of a header and the bytes of another stream, which must stay open.

    Its `seek` never raises: libsndfile calls it from C.

    Args:
        header: the first bytes.
        stream: the other stream, seekable; if it is a spliced one too, its header is empty.
        start: position of its first byte that is part of this stream.
        end: position after its last one; None for its end.
    """

    def __init__(self, header: bytes, stream: "BinaryIO | SplicedStream", start: int, end: int | None = None) -> None:
        if isinstance(stream, SplicedStream):  # read from its stream: without a chain of calls
            end = stream._end if end is None else stream._start + end
            start, stream = stream._start + start, stream._stream
        self._header: bytes = header
        self._start: int = start
        self._stream: BinaryIO = stream
        self._end: int = stream.seek(0, os.SEEK_END) if end is None else end
        self._length = len(header) + self._end - start
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
        """Fill the buffer up to the end of the stream; return the number of bytes."""
        wanted = max(0, min(len(buffer), self._length - self._position))
        part = self._header[self._position : self._position + wanted]
        if len(part) < wanted:  # libsndfile takes a short read for the end
            self._stream.seek(self._start + self._position + len(part) - len(self._header))
            part += self._stream.read(wanted - len(part))
        buffer[: len(part)] = part
        self._position += len(part)
        return len(part)

    @contextlib.contextmanager
    def mapped(self) -> Iterator[tuple[Content, int, int]]:
        """Return what `mapped` returns; the header, which is not in the content, must be empty."""
        with mapped(self._stream) as (content, _, _):
            yield content, self._start, self._end


@contextlib.contextmanager
def mapped(stream: BinaryIO | SplicedStream) -> Iterator[tuple[Content, int, int]]:
    """Yield content that includes the bytes of a stream, their start in it and their end.

    A file is memory-mapped, as a long recording may be larger than the memory.
    """
    if isinstance(stream, SplicedStream):
        with stream.mapped() as part:
            yield part
    elif isinstance(stream, io.BytesIO):
        content = stream.getvalue()
        yield content, 0, len(content)
    else:
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as file:
            yield file, 0, len(file)


def after_zeros(content: Content, position: int, end: int) -> int:
    """Return the position of the first byte that is not zero, `end` if there is none."""
    while position < end:
        block = content[position : min(end, position + BLOCK_BYTES)]
        padding = len(block) - len(block.lstrip(b"\0"))
        position += padding
        if padding < len(block):
            return position
    return end


def after_id3(header: bytes) -> int:
    """Return the position after an ID3v2 tag at the start (its length has 7 bits per byte), 0 without one."""
    if header[:3] != b"ID3" or len(header) < 10:
        return 0
    a, b, c, d = (byte & 0x7F for byte in header[6:10])
    footer_bytes = ID3_BYTES if has_id3_footer(header) else 0
    return ID3_BYTES + (a << 21 | b << 14 | c << 7 | d) + footer_bytes


def has_id3_footer(header: bytes) -> bool:
    """Return whether an ID3v2 tag, of which this is the header, ends with a copy of it, which libsndfile does not know.

    Source: ID3 tag version 2.4.0, section 3.1.
    """
    return bool(header[5] & ID3_FOOTER)


def after_tags(content: Content, position: int, end: int) -> int:
    """Return the position behind zeros and ID3v2 tags; beyond `end` if a tag is incomplete."""
    start = after_zeros(content, position, end)
    while start < end and (tag_bytes := after_id3(content[start : start + ID3_BYTES])):
        start = after_zeros(content, start + tag_bytes, end)
    return start


def check_rest(content: Content, position: int, end: int, source: str) -> None:
    """Check that nothing but zeros, the tags of a player or a few bytes follow the audio.

    Args:
        content: of the file.
        position: position behind the audio.
        end: the end of the file in the content.
        source: its name, for messages.

    Raises:
        AudioError: there is more, which may be sound.
    """
    if not is_harmless(content, position, end):
        is_wav = content[:4] == b"RIFF"
        remedy = "if they are its sound: ffmpeg -ignore_length 1 -i INPUT OUTPUT.wav; " if is_wav else ""
        raise AudioError(
            f"{source}: {end - position} bytes follow the end of its audio; {remedy}if they are another recording, "
            "split the file; else remove them"
        )


def is_harmless(content: Content, position: int, end: int) -> bool:
    """Return whether nothing but zeros, the tags of a player or a few bytes are between two positions."""
    start = after_tags(content, position, end)
    return end - start <= MAX_REST_BYTES or content[start : start + 12].startswith(TAGS)
