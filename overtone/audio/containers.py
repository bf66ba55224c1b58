"""Checks that an audio file is complete and of a supported format, before it is decoded.

libsndfile silently repairs a header that declares more audio than the file contains, and decodes the rest. The
prediction for a truncated recording would then pass for one of the complete recording, so the declared length is
checked here first. What each format declares:

    WAV, AIFF, RF64     length of the data chunk: a length past the end of the file is an error
    W64, CAF            the same, with their own chunk layouts; CAF may leave the length open
    AU                  position and length of the audio in its header; it may leave the length open
    Ogg Vorbis, Opus    length and flags of the last page: it must be complete, and the last one if bytes follow
    FLAC                nothing here: the decoder itself fails at the truncation
    MP3                 nothing here: `decode.read` compares with the length in its tag, which `mp3` adds if missing
    M4A, WebM, ...      see `ffmpeg_formats`
"""

import io
import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

from overtone.audio.ffmpeg_formats import ContainerFormat, detect_format
from overtone.errors import AudioError

HEADER_BYTES = 12
MAX_CHUNKS = 10_000  # a file with more chunks before its audio data was not written by a recorder
OGG_PAGE_HEADER_BYTES = 27
MAX_OGG_PAGE_BYTES = OGG_PAGE_HEADER_BYTES + 255 + 255 * 255
OGG_LAST_PAGE = 0x04
UNKNOWN_32 = 0xFFFFFFFF


@dataclass(frozen=True)
class ChunkLayout:
    """The layout of a format whose files consist of chunks: each a name and a length, then its content.

    Attributes:
        first: position of the first chunk.
        header: name and length, as a `struct` format.
        data: name of the chunk with the audio data.
        align: chunks start at multiples of this many bytes.
        counts_header: whether the length is that of the whole chunk, not of its content.
    """

    first: int
    header: str
    data: bytes
    align: int = 2
    counts_header: bool = False


CHUNK_LAYOUTS: dict[bytes, ChunkLayout] = {
    b"RIFF": ChunkLayout(HEADER_BYTES, "<4sI", b"data"),
    b"RIFX": ChunkLayout(HEADER_BYTES, ">4sI", b"data"),
    b"RF64": ChunkLayout(HEADER_BYTES, "<4sI", b"data"),
    b"FORM": ChunkLayout(HEADER_BYTES, ">4sI", b"SSND"),
    b"riff": ChunkLayout(40, "<16sQ", b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a", 8, counts_header=True),
    b"caff": ChunkLayout(8, ">4sq", b"data", 1),
}
AU_BYTE_ORDERS = {b".snd": ">", b"dns.": "<"}


class SafeBytesIO(io.BytesIO):
    """Bytes as a stream whose `seek` never raises: damaged headers make libsndfile seek anywhere, from a C callback."""

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Return the new position; the old one if the requested position is invalid."""
        try:
            return super().seek(offset, whence)
        except (ValueError, OverflowError):
            return self.tell()


def check_complete(stream: BinaryIO, source: str) -> ContainerFormat | None:
    """Return the container format of a file, or None if libsndfile decodes it; the stream is rewound.

    Args:
        stream: the file, seekable, opened in binary mode.
        source: its name, for messages.

    Raises:
        AudioError: empty, of an unsupported format, or shorter than its header declares.
    """
    size = stream.seek(0, os.SEEK_END)
    if size == 0:
        raise AudioError(f"{source}: the file is empty (0 bytes); record or copy it again")
    stream.seek(0)
    header = stream.read(HEADER_BYTES)
    container_format = detect_format(stream, size, source)
    if container_format is None:
        _check_native(header, stream, size, source)
    stream.seek(0)
    return container_format


def _check_native(header: bytes, stream: BinaryIO, size: int, source: str) -> None:
    """Check that a file of a format for libsndfile is complete."""
    if header[:4] in CHUNK_LAYOUTS:
        _check_chunks(stream, CHUNK_LAYOUTS[header[:4]], size, source)
    elif header[:4] in AU_BYTE_ORDERS:
        _check_au(header, size, source)
    elif header[:4] == b"OggS":
        _check_ogg_pages(stream, size, source)


def _check_chunks(stream: BinaryIO, layout: ChunkLayout, size: int, source: str) -> None:
    """Check that the chunk with the audio data ends within the file.

    Source: Microsoft and IBM, Multimedia Programming Interface 1.0 (RIFF); EBU Tech 3306 (RF64); Apple AIFF 1.3; Sony
    Wave64 (W64); Apple Core Audio Format 1.0 (CAF).
    """
    header_bytes = struct.calcsize(layout.header)
    position, long_data_bytes = layout.first, None
    for _ in range(MAX_CHUNKS):
        stream.seek(position)
        header = stream.read(header_bytes)
        if len(header) < header_bytes:
            return  # no audio data: the decoder reports it
        name, length = struct.unpack(layout.header, header)
        length -= header_bytes if layout.counts_header else 0
        if name == b"ds64":
            sizes = stream.read(16)
            long_data_bytes = struct.unpack("<Q", sizes[8:])[0] if len(sizes) == 16 else None
        if name == layout.data:
            if length == UNKNOWN_32 and long_data_bytes is not None:
                length = long_data_bytes
            _check_bytes(length, size - position - header_bytes, source)
            return
        if length < 0:
            raise AudioError(f"{source}: damaged: a chunk of invalid length before its audio data; copy it again")
        position += header_bytes + length
        position += -position % layout.align
    raise AudioError(f"{source}: damaged: more than {MAX_CHUNKS} chunks and no audio data; copy it again")


def _check_au(header: bytes, size: int, source: str) -> None:
    """Source: the manual page audio(5) of SunOS 4, or of any system with AU files."""
    if len(header) == HEADER_BYTES:
        start, length = struct.unpack(AU_BYTE_ORDERS[header[:4]] + "II", header[4:])
        _check_bytes(0 if length == UNKNOWN_32 else length, size - start, source)


def _check_bytes(declared: int, actual: int, source: str) -> None:
    if declared > actual:
        raise AudioError(
            f"{source}: truncated, or its header is wrong: it declares {declared} bytes of audio "
            f"and has {max(0, actual)}; copy it again, or repair it: ffmpeg -i INPUT OUTPUT.wav"
        )


def _check_ogg_pages(stream: BinaryIO, size: int, source: str) -> None:
    """Source: RFC 3533, section 6. A live recording may lack the flag of the last page, but no part of a page."""
    stream.seek(max(0, size - MAX_OGG_PAGE_BYTES))
    tail = stream.read()
    page = tail.rfind(b"OggS")
    segments = page + OGG_PAGE_HEADER_BYTES
    complete = page >= 0 and segments <= len(tail)
    if complete:
        count = tail[segments - 1]
        end = segments + count + sum(tail[segments : segments + count])
        is_last = bool(tail[page + 5] & OGG_LAST_PAGE)
        complete = end == len(tail) or (end < len(tail) and is_last)
    if not complete:
        raise AudioError(f"{source}: truncated: its last Ogg page is incomplete; copy or record it again")
