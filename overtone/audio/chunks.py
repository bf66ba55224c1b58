"""Finds the audio data of WAV, RF64, BW64, AIFF, W64, CAF and AU files, and what follows it.

A recorder writes the length of the audio into the header when it stops. Where it was killed, or wrote to a pipe, the
header has a placeholder: such a recording lasts to the end of the file. Every other length past the end of the file is
a truncation. Sound behind the declared end is never dropped: a further recording is found, and anything else is an
error.

Source: Microsoft and IBM, Multimedia Programming Interface 1.0 (RIFF); EBU Tech 3306 (RF64); ITU-R
BS.2088 (BW64); Apple AIFF 1.3; Sony
Wave64 (W64); Apple Core Audio Format 1.0 (CAF); the manual page audio(5) of SunOS 4 (AU).
"""

import re
import struct
import sys
from dataclasses import dataclass, replace
from typing import BinaryIO

from overtone.audio.byte_streams import Content, after_tags, check_rest, mapped
from overtone.errors import AudioError

HEADER_BYTES = 12
MAX_CHUNKS = 10_000  # a file with more chunks before its audio data was not written by a recorder
MAX_HEADER_BYTES = 2**24  # that are copied to correct a length in them
UNKNOWN_32 = 0xFFFFFFFF
# Programs that write to a pipe declare one of these lengths, or the same without the header or an incomplete frame.
PLACEHOLDERS = (0x7FFFF000, 0x7FFFFFFF, 0x80000000, UNKNOWN_32, 2**63 - 1, 2**64 - 1)
RF64, BW64 = b"RF64", b"BW64"
W64_RIFF = b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
RECORDING_START = (  # a regular expression, compiled when it is used
    rb"(?s)(?:RIFF|RIFX|RF64|BW64).{4}WAVE|FORM.{4}AIF[FC]|caff\x00\x01\x00\x00|fLaC[\x00\x80]\x00\x00\x22|OggS\x00\x02"
    rb"|\.snd\x00\x00.{6}\x00\x00\x00[\x01-\x1b]\x00[\x00-\x02]..\x00\x00\x00[\x01-\x40]"
    rb"|dns\...\x00\x00.{4}[\x01-\x1b]\x00\x00\x00..[\x00-\x02]\x00[\x01-\x40]\x00\x00\x00|riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00"
)
MAGIC = (b"RIFF", b"RIFX", RF64, BW64, b"FORM", b"caff", b"fLaC", b"OggS\0\2", b".snd\0\0", b"dns.", W64_RIFF)
START_BYTES = 24  # longest match


@dataclass(frozen=True)
class ChunkLayout:
    """The layout of a format whose files consist of chunks: each a name and a length, then its content.

    Attributes:
        first: position of the first chunk.
        header: name and length, as a `struct` format.
        data: name of the chunk with the audio data.
        align: chunks start at multiples of this many bytes.
        counts_header: whether the length is that of the whole chunk, not of its content.
        data_prefix: number of bytes in the chunk before the audio data.
    """

    first: int
    header: str
    data: bytes
    align: int = 2
    counts_header: bool = False
    data_prefix: int = 0

    @property
    def header_bytes(self) -> int:
        """Length of the name and the length."""
        return struct.calcsize(self.header)


CHUNK_LAYOUTS: dict[bytes, ChunkLayout] = {
    b"RIFF": ChunkLayout(HEADER_BYTES, "<4sI", b"data"),
    b"RIFX": ChunkLayout(HEADER_BYTES, ">4sI", b"data"),
    **dict.fromkeys((RF64, BW64), ChunkLayout(HEADER_BYTES, "<4sI", b"data")),
    b"FORM": ChunkLayout(HEADER_BYTES, ">4sI", b"SSND", data_prefix=8),
    b"riff": ChunkLayout(40, "<16sQ", b"data\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a", 8, counts_header=True),
    b"caff": ChunkLayout(8, ">4sq", b"data", 1, data_prefix=4),
}
AU_BYTE_ORDERS = {b".snd": ">", b"dns.": "<"}


@dataclass(frozen=True)
class Extent:
    """Where a recording is in a file.

    Attributes:
        header: a corrected header, which replaces the first bytes up to `data_start`; b"" if none is needed.
        data_start: position of the bytes behind the header, if it is replaced.
        end: position after the recording.
        following: position of the next recording in the file; None if there is none.
    """

    header: bytes
    data_start: int
    end: int
    following: int | None


@dataclass(frozen=True)
class _AudioData:
    """Audio data as declared: its start and length in bytes, and where and how (`struct` format) the length is."""

    start: int
    length: int
    field: int
    field_format: str
    added: int = 0  # bytes that the field counts in addition
    prefix: int = 0


def find_extent(stream: BinaryIO, size: int, source: str) -> Extent | None:
    """Return where the first recording of a WAV, RF64, BW64, AIFF, W64, CAF or AU is; None for other formats.

    Args:
        stream: the file, seekable; its position changes.
        size: its length in bytes.
        source: its name, for messages.

    Raises:
        AudioError: the file is shorter than its header declares, or has undeclared content behind its audio.
    """
    stream.seek(0)
    header = stream.read(HEADER_BYTES)
    extent = _find_extent(stream, header, size, source)
    if extent is None or header[:4] != BW64:
        return extent
    # A BW64 is an RF64 of another name, which libsndfile does not know.
    return replace(extent, header=RF64 + extent.header[4:], data_start=extent.data_start or len(RF64))


def find_data(stream: BinaryIO, source: str) -> tuple[int, int] | None:
    """Return where the audio data of a file starts and ends, as declared; None if no chunk contains it.

    Args:
        stream: the file, seekable, of a format with chunks; its position changes.
        source: its name, for messages.

    Raises:
        AudioError: a chunk of invalid length.
    """
    stream.seek(0)
    data = _chunk_data(stream, CHUNK_LAYOUTS[stream.read(4)], source)
    return None if data is None else (data.start + data.prefix, data.start + data.length)


def _find_extent(stream: BinaryIO, header: bytes, size: int, source: str) -> Extent | None:
    layout = CHUNK_LAYOUTS.get(header[:4])
    if layout is None and not (header[:4] in AU_BYTE_ORDERS and len(header) == HEADER_BYTES):
        return None
    data = _au_data(header) if layout is None else _chunk_data(stream, layout, source)
    if data is None:
        return Extent(b"", 0, size, None)  # no audio data: the decoder reports it
    if _is_unknown(data, layout, stream, size):
        return _to_the_end(stream, data, size, source)
    _check_bytes(data.length, size - data.start, source)
    end = data.start + data.length
    if end >= size:
        return Extent(b"", 0, size, None)
    following = _find_following(stream, layout, end, size, source)
    # libsndfile takes everything behind the header of a W64 for audio.
    is_w64 = layout is not None and layout.counts_header
    return Extent(b"", 0, end if is_w64 else following or size, following)


def _au_data(header: bytes) -> _AudioData:
    order = AU_BYTE_ORDERS[header[:4]]
    start, length = struct.unpack(order + "II", header[4:])
    return _AudioData(start, length, 8, order + "I")


def _chunk_data(stream: BinaryIO, layout: ChunkLayout, source: str) -> _AudioData | None:
    """Return the audio data; None if no chunk contains it."""
    position, long_data = layout.first, None
    header_bytes, length_format = layout.header_bytes, layout.header[0] + layout.header[-1]
    added = header_bytes if layout.counts_header else 0
    for _ in range(MAX_CHUNKS):
        stream.seek(position)
        header = stream.read(header_bytes)
        if len(header) < header_bytes:
            return None
        name, length = struct.unpack(layout.header, header)
        length -= added
        start = position + header_bytes
        if name == b"ds64":
            sizes = stream.read(16)
            long_data = struct.unpack("<Q", sizes[8:])[0] if len(sizes) == 16 else None
            long_field = start + 8
        if name == layout.data:
            if length == UNKNOWN_32 and long_data is not None:
                return _AudioData(start, long_data, long_field, "<Q")
            field = start - struct.calcsize(length_format)
            return _AudioData(start, length, field, length_format, added, layout.data_prefix)
        if length < 0:
            raise AudioError(f"{source}: damaged: a chunk of invalid length before its audio data; copy it again")
        position = start + length
        position += -position % layout.align
    raise AudioError(f"{source}: damaged: more than {MAX_CHUNKS} chunks and no audio data; copy it again")


def _is_unknown(data: _AudioData, layout: ChunkLayout | None, stream: BinaryIO, size: int) -> bool:
    """Return whether the declared length is a placeholder, or that of the whole file."""
    actual = size - data.start
    if actual <= data.prefix:
        return False  # nothing at all
    if data.length <= data.prefix:
        return layout is None or _skip_chunks(stream, layout, data.start + max(0, data.length), size) < size
    is_placeholder = any(0 <= most - data.length <= max(data.start, 44) for most in PLACEHOLDERS)
    return data.length > actual and (is_placeholder or data.length in (size, size - 8))


def _to_the_end(stream: BinaryIO, data: _AudioData, size: int, source: str) -> Extent:
    """Return the extent of a recording of unknown length, with a header that declares it."""
    with mapped(stream) as (content, begin, end):
        start = _next_start(content, begin + data.start + data.prefix, end)
        following = None if start is None else start - begin
    length = (following or size) - data.start
    if data.start > MAX_HEADER_BYTES or length + data.added >= 256 ** struct.calcsize(data.field_format[1:]):
        _check_bytes(data.length, size - data.start, source)
        raise AudioError(f"{source}: its header declares no length; repair it: ffmpeg -i INPUT OUTPUT.flac")
    stream.seek(0)
    header = bytearray(stream.read(data.start))
    struct.pack_into(data.field_format, header, data.field, length + data.added)
    return Extent(bytes(header), data.start, following or size, following)


def match_start(content: Content, position: int = 0, end: int = sys.maxsize) -> bool:
    """Return whether a recording starts at a position."""
    return re.compile(RECORDING_START).match(content, position, end) is not None


def _next_start(content: Content, position: int, end: int) -> int | None:
    """Return the position of the next recording; None if there is none. Faster than a search for the pattern."""
    starts = []
    for magic in MAGIC:
        found = content.find(magic, position, end)
        while found >= 0 and not match_start(content, found, end):
            found = content.find(magic, found + 1, end)
        starts += [found] if found >= 0 else []
    return min(starts, default=None)


def _find_following(stream: BinaryIO, layout: ChunkLayout | None, end: int, size: int, source: str) -> int | None:
    """Return the position of the next recording behind audio data; None if nothing but chunks and tags follows.

    Raises:
        AudioError: there is something else.
    """
    position = end if layout is None else _skip_chunks(stream, layout, end, size)
    if position >= size:
        return None
    with mapped(stream) as (content, begin, file_end):
        start = after_tags(content, begin + position, file_end)
        if match_start(content, start, file_end):
            return start - begin
        check_rest(content, begin + position, file_end, source)
    return None


def _skip_chunks(stream: BinaryIO, layout: ChunkLayout, position: int, size: int) -> int:
    """Return the position behind the chunks that start at `position`, or of the next recording."""
    for _ in range(MAX_CHUNKS):
        # Some programs do not align the chunk behind audio data of an odd length.
        starts = {position + -position % layout.align: None, position: None}
        lengths = {start: _chunk_bytes(stream, layout, start, size) for start in starts}
        start = next((start for start, length in lengths.items() if length), None)
        if start is None:
            return min(position, size)
        position = start + lengths[start]
    return position


def _chunk_bytes(stream: BinaryIO, layout: ChunkLayout, position: int, size: int) -> int:
    """Return the length of the chunk at a position; 0 if there is none, or a recording."""
    stream.seek(position)
    head = stream.read(max(layout.header_bytes, START_BYTES))
    if len(head) < layout.header_bytes or match_start(head):
        return 0
    name, length = struct.unpack_from(layout.header, head)
    length += 0 if layout.counts_header else layout.header_bytes
    is_name = all(32 <= byte < 127 for byte in name[:4])
    return length if is_name and layout.header_bytes <= length <= size - position else 0


def _check_bytes(declared: int, actual: int, source: str) -> None:
    if declared > actual:
        raise AudioError(
            f"{source}: truncated, or its header is wrong: it declares {declared} bytes of audio "
            f"and has {max(0, actual)}; copy it again, or repair it: ffmpeg -i INPUT OUTPUT.wav"
        )
