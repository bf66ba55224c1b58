"""Sound file seen from outside, before it is decoded: is it whole, and of a kind that is read here.

libsndfile mends a header that promises more sound than there is, and reads what is left without a word. A cut recording
would then be answered as if it were the whole one, so the promise is checked here first. What each kind gives away:

    WAV, AIFF, RF64     length of the data chunk: a promise past the end of the file is an error
    W64, CAF            the same, with chunks of their own; CAF may leave the length open
    AU                  place and length of the sound in its header; it may leave the length open
    Ogg Vorbis, Opus    length and flags of the last page: it must be whole, and the last indeed if bytes follow
    FLAC                nothing here: the decoder itself stumbles over the cut
    MP3                 nothing here: `read` compares with the length in its tag, which `mp3` adds where it lacks
    M4A, WebM, ...      what `foreign` can tell
"""

import io
import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from overtone.audio.ffmpeg_formats import ContainerFormat, detect_format
from overtone.errors import AudioError

HEAD_BYTES = 12
CHUNK_LIMIT = 10_000  # a file with more chunks before its sound was not written by a recorder
OGG_PAGE_HEAD_BYTES = 27
OGG_PAGE_LIMIT_BYTES = OGG_PAGE_HEAD_BYTES + 255 + 255 * 255
OGG_LAST_PAGE = 0x04
UNKNOWN_32 = 0xFFFFFFFF


@dataclass(frozen=True)
class ChunkLayout:
    """How a kind of file lays out its chunks: each a name and a length, then its content.

    Attributes:
        first: position of the first chunk.
        head: name and length, as `struct` packs them.
        sound: name of the chunk that holds the sound.
        align: chunks begin at multiples of this many bytes.
        counts_head: whether the length is that of the whole chunk, not of its content.
    """

    first: int
    head: str
    sound: bytes
    align: int = 2
    counts_head: bool = False


CHUNK_LAYOUTS: dict[bytes, ChunkLayout] = {
    b"RIFF": ChunkLayout(HEAD_BYTES, "<4sI", b"data"),
    b"RIFX": ChunkLayout(HEAD_BYTES, ">4sI", b"data"),
    b"RF64": ChunkLayout(HEAD_BYTES, "<4sI", b"data"),
    b"FORM": ChunkLayout(HEAD_BYTES, ">4sI", b"SSND"),
    b"riff": ChunkLayout(40, "<16sQ", b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a", 8, counts_head=True),
    b"caff": ChunkLayout(8, ">4sq", b"data", 1),
}
AU_ORDERS = {b".snd": ">", b"dns.": "<"}


class NamedBytesIO(io.BytesIO):
    """Bytes as a stream that never raises: libsndfile seeks where damaged headers tell it to, through a C callback."""

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """The new position; the old one where no such position exists."""
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return self.tell()


def check_complete(stream: BinaryIO, source: str) -> ContainerFormat | None:
    """What kind of file it is where libsndfile does not read it, else None; the stream is at its start again.

    Args:
        stream: the file, seekable, opened in binary mode.
        source: its name, for messages.

    Raises:
        AudioError: empty, of a kind that is not read here, or shorter than its header promises.
    """
    size = stream.seek(0, os.SEEK_END)
    if size == 0:
        raise AudioError(f"{source}: the file is empty (0 bytes); record or copy it again")
    stream.seek(0)
    head = stream.read(HEAD_BYTES)
    kind = detect_format(stream, size, source)
    if kind is None:
        _check_complete_native(head, stream, size, source)
    stream.seek(0)
    return kind


def _check_complete_native(head: bytes, stream: BinaryIO, size: int, source: str) -> None:
    if head[:4] in CHUNK_LAYOUTS:
        _check_complete_chunks(stream, CHUNK_LAYOUTS[head[:4]], size, source)
    elif head[:4] in AU_ORDERS:
        _check_complete_au(head, size, source)
    elif head[:4] == b"OggS":
        _check_complete_pages(stream, size, source)


def _check_complete_chunks(stream: BinaryIO, chunks: ChunkLayout, size: int, source: str) -> None:
    """The chunk with the sound ends within the file.

    Source: Microsoft and IBM, Multimedia Programming Interface 1.0 (RIFF); EBU Tech 3306 (RF64); Apple AIFF 1.3; Sony
    Wave64 (W64); Apple Core Audio Format 1.0 (CAF).
    """
    head_bytes = struct.calcsize(chunks.head)
    position, long_data_bytes = chunks.first, None
    for _ in range(CHUNK_LIMIT):
        stream.seek(position)
        head = stream.read(head_bytes)
        if len(head) < head_bytes:
            return  # no sound at all: the decoder says so
        name, length = struct.unpack(chunks.head, head)
        length -= head_bytes if chunks.counts_head else 0
        if name == b"ds64":
            sizes = stream.read(16)
            long_data_bytes = struct.unpack("<Q", sizes[8:])[0] if len(sizes) == 16 else None
        if name == chunks.sound:
            if length == UNKNOWN_32 and long_data_bytes is not None:
                length = long_data_bytes
            _check_bytes(length, size - position - head_bytes, source)
            return
        if length < 0:
            raise AudioError(f"{source}: damaged: a chunk of impossible length before its sound; copy it again")
        position += head_bytes + length
        position += -position % chunks.align
    raise AudioError(f"{source}: damaged: more than {CHUNK_LIMIT} chunks and no sound; copy it again")


def _check_complete_au(head: bytes, size: int, source: str) -> None:
    """Source: the manual page audio(5) of SunOS 4, or of any system with AU files."""
    if len(head) == HEAD_BYTES:
        start, length = struct.unpack(AU_ORDERS[head[:4]] + "II", head[4:])
        _check_bytes(0 if length == UNKNOWN_32 else length, size - start, source)


def _check_bytes(promised: int, found: int, source: str) -> None:
    if promised > found:
        raise AudioError(
            f"{source}: truncated, or its header lies: it promises {promised} bytes of sound "
            f"and holds {max(0, found)}; copy it again, or mend it: ffmpeg -i INPUT OUTPUT.wav"
        )


def _check_complete_pages(stream: BinaryIO, size: int, source: str) -> None:
    """Source: RFC 3533, section 6. A live recording may lack the mark of the last page, but no part of a page."""
    stream.seek(max(0, size - OGG_PAGE_LIMIT_BYTES))
    tail = stream.read()
    page = tail.rfind(b"OggS")
    segments = page + OGG_PAGE_HEAD_BYTES
    whole = page >= 0 and segments <= len(tail)
    if whole:
        count = tail[segments - 1]
        end = segments + count + sum(tail[segments : segments + count])
        is_last = bool(tail[page + 5] & OGG_LAST_PAGE)
        whole = end == len(tail) or (end < len(tail) and is_last)
    if not whole:
        raise AudioError(f"{source}: truncated: its last Ogg page is cut; copy or record it again")
