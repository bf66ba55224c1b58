"""Sound and films that libsndfile does not read, seen from outside: which kind is it, and is it whole.

FFmpeg reads a cut file to the cut without a word, so what a header promises is checked here first, as `container` does:

    MP4, AVI            boxes or chunks one after the other, the last of which ends with the file
    Matroska, WebM      length of the segment; what was written live may leave it open
    WMA, WMV            length of the file; what was written live may leave it open
    FLV                 length of the last tag, which stands before and behind it
    AAC, AMR            nothing here: the decoder stumbles over a frame that is cut
    MPEG                nothing at all: a broadcast may end anywhere
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO

from overtone.audio.mp3 import after_id3
from overtone.errors import AudioError

PROBED_BYTES = 512  # enough for three packets of a transport stream
PART_LIMIT = 1_000_000  # of a file in more parts, the rest is left to the decoder


@dataclass(frozen=True)
class ContainerFormat:
    """A kind of file that libsndfile does not read.

    Attributes:
        words: what people call it.
        demuxer: what FFmpeg calls it, for `track`; "" where it is refused.
        timed: whether its header tells how long its sound is.
    """

    words: str
    demuxer: str = ""
    timed: bool = False


MP4 = ContainerFormat("MP4, M4A or MOV", "mov", timed=True)
MATROSKA = ContainerFormat("WebM or Matroska", "matroska", timed=True)
ASF = ContainerFormat("WMA or WMV", "asf", timed=True)
AVI = ContainerFormat("AVI", "avi", timed=True)
AAC = ContainerFormat("AAC", "aac")
FLV = ContainerFormat("FLV", "flv")
SIGNATURES: tuple[tuple[int, bytes, ContainerFormat], ...] = (
    *((4, name, MP4) for name in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")),
    (0, b"\x1aE\xdf\xa3", MATROSKA),
    (0, b"0&\xb2u\x8ef\xcf\x11", ASF),
    (8, b"AVI ", AVI),
    (0, b"#!AMR", ContainerFormat("AMR", "amr")),
    (0, b"FLV\x01", FLV),
    (0, b"\x00\x00\x01\xba", ContainerFormat("MPEG video", "mpeg")),
    (0, b"PK\x03\x04", ContainerFormat("ZIP")),
    (0, b"\xf0\x7e", ContainerFormat("MIDI sample dump")),  # libsndfile prints to stdout over damaged ones
)
TRANSPORT = ContainerFormat("MPEG transport stream", "mpegts")
TRANSPORT_SYNC = 0x47
TRANSPORT_PACKETS = ((0, 188), (4, 192))  # place of the first sync byte, length of a packet
# Who looks for sound files in a folder takes these too, even where they cannot be read: they are then refused by name.
FFMPEG_SUFFIXES = frozenset(
    {".m4a", ".m4b", ".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".webm", ".mka", ".mkv", ".wma", ".wmv", ".asf", ".avi"}
    | {".aac", ".amr", ".flv", ".mpg", ".mpeg", ".vob", ".m2ts"}
)
MATROSKA_SEGMENT = b"\x18\x53\x80\x67"
ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
FLV_TAG_HEAD_BYTES = 11
ASF_OBJECT_LIMIT = 1_000
ASF_BROADCAST = 1


def detect_format(stream: BinaryIO, size: int, source: str) -> ContainerFormat | None:
    """What kind of file it is, whole as far as its header can tell; None where it is for libsndfile.

    Args:
        stream: the file, seekable, opened in binary mode; its position changes.
        size: its length in bytes.
        source: its name, for messages.

    Raises:
        AudioError: of a kind that nothing here reads, or shorter than its header promises.
    """
    stream.seek(0)
    kind = _kind(stream.read(PROBED_BYTES), stream)
    if kind is None:
        return None
    if not kind.demuxer:
        raise AudioError(f"{source}: {kind.words} is not read; convert it first: ffmpeg -i INPUT OUTPUT.wav")
    if kind is MP4 and b"moof" in _whole_boxes(stream, size, source):
        return replace(kind, timed=False)  # the header of a film in fragments tells the length of the first one
    if kind is FLV and not _last_tag_is_whole(stream, size):
        raise AudioError(f"{source}: truncated: its last FLV tag is cut; copy it again")
    if kind in DECLARED_SIZES:
        promised = DECLARED_SIZES[kind](stream, size)
        if promised > size:
            raise AudioError(f"{source}: truncated: {promised} bytes promised, {size} found; copy it again")
    return kind


def _kind(probed: bytes, stream: BinaryIO) -> ContainerFormat | None:
    for offset, magic, kind in SIGNATURES:
        if probed[offset : offset + len(magic)] == magic:
            return kind
    for first, step in TRANSPORT_PACKETS:
        syncs = probed[first : first + 2 * step + 1 : step]
        if len(syncs) == 3 and set(syncs) == {TRANSPORT_SYNC}:
            return TRANSPORT
    if start := after_id3(probed):
        stream.seek(start)
        probed = stream.read(2)
    if len(probed) > 1 and probed[0] == 0xFF and probed[1] & 0xF6 == 0xF0:  # ADTS: 12 bits of sync, layer 00
        return AAC
    return None


def _whole_boxes(stream: BinaryIO, size: int, source: str) -> set[bytes]:
    """The names of the outermost boxes, the last of which ends with the file.

    Source: ISO/IEC 14496-12, section 4.2.
    """
    position, names = 0, set[bytes]()
    for _ in range(PART_LIMIT):
        if position + 8 > size:
            break
        stream.seek(position)
        length, name, long_length = struct.unpack(">I4sQ", stream.read(16).ljust(16, b"\0"))
        names.add(name)
        length = {0: size - position, 1: long_length}.get(length, length)
        if length < 8 or position + length > size:
            raise AudioError(f"{source}: truncated or damaged: it ends within its box {name!r}; copy it again")
        position += length
    return names


def _riffs_end(stream: BinaryIO, size: int) -> int:
    """Where the last RIFF chunk of an AVI ends: long films are several of them in a row.

    Source: OpenDML AVI File Format Extensions 1.02.
    """
    end = 0
    while end + 8 <= size:
        stream.seek(end + end % 2)
        name, length = struct.unpack("<4sI", stream.read(8).ljust(8))
        if name != b"RIFF" or not length:  # something after the film, or a recorder that was switched off
            break
        end += end % 2 + 8 + length
    return end


def _segment_end(stream: BinaryIO, _: int) -> int:
    """Where the segment of a Matroska file ends, 0 where it does not say.

    Source: RFC 8794, section 4 (numbers of variable length), and RFC 9559, section 5.1.
    """
    stream.seek(4)
    head_bytes = _ebml_number(stream)
    stream.seek(stream.tell() + max(0, head_bytes))
    if stream.read(4) != MATROSKA_SEGMENT:
        return 0
    length = _ebml_number(stream)
    return 0 if length < 0 else length + stream.tell()


def _ebml_number(stream: BinaryIO) -> int:
    """A length, -1 where all its bits are set: unknown."""
    first = stream.read(1)
    more_bytes = 8 - first[0].bit_length() if first else 8
    if more_bytes == 8:
        return -1
    mask = (1 << 7 * (more_bytes + 1)) - 1
    number = int.from_bytes(first + stream.read(more_bytes), "big") & mask
    return -1 if number == mask else number


def _last_tag_is_whole(stream: BinaryIO, size: int) -> bool:
    """Source: Adobe Flash Video File Format Specification 10.1, annex E: each tag is followed by its length."""
    stream.seek(max(0, size - 4))
    tag_bytes = int.from_bytes(stream.read(4), "big")
    stream.seek(max(0, size - 4 - tag_bytes))
    return tag_bytes == FLV_TAG_HEAD_BYTES + int.from_bytes(stream.read(4)[1:], "big")


def _asf_size(stream: BinaryIO, size: int) -> int:
    """How long an ASF file says it is, 0 where it does not say.

    Source: Microsoft, Advanced Systems Format Specification 01.20, sections 3.1 and 3.2.
    """
    position = 30  # after the head of the header object
    for _ in range(ASF_OBJECT_LIMIT):
        if position > size:
            break
        stream.seek(position)
        name, length, promised = struct.unpack("<16sQ16xQ", stream.read(48).ljust(48, b"\0"))
        if name == ASF_FILE_PROPERTIES:
            flags = stream.read(44)[40:41]
            return 0 if flags and flags[0] & ASF_BROADCAST else promised
        position += max(length, 24)
    return 0


DECLARED_SIZES: dict[ContainerFormat, Callable[[BinaryIO, int], int]] = {
    MATROSKA: _segment_end,
    ASF: _asf_size,
    AVI: _riffs_end,
}
