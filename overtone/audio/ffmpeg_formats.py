"""Detects the audio and video formats that libsndfile does not support, and checks that such files are complete.

FFmpeg silently decodes a truncated file up to the truncation, so the length that a header declares is checked here
first, as in `containers`:

    MP4, AVI            boxes or chunks in sequence, the last of which ends with the file
    Matroska, WebM      length of the segment; a live recording may leave it open
    WMA, WMV            length of the file; a live recording may leave it open
    FLV                 length of the last tag, which is stored before and after it
    AAC, AMR            nothing here: the decoder fails at an incomplete frame
    MPEG                nothing at all: a broadcast may end anywhere

What follows the end of such a file is found with `stream_ends`.
"""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO

from overtone.audio.byte_streams import Content, after_id3, after_tags, check_rest, mapped
from overtone.audio.chunks import match_start
from overtone.audio.stream_ends import adts_end, avi_end, matroska_end, program_end, transport_end
from overtone.errors import AudioError

PROBED_BYTES = 512  # enough for three packets of a transport stream
MAX_BOXES = 1_000_000  # the decoder checks the rest of a file with more


@dataclass(frozen=True)
class ContainerFormat:
    """A file format that libsndfile does not support.

    Attributes:
        label: its common name, for messages.
        demuxer: FFmpeg's name of it, for `pyav_reader`; "" if it is not supported.
        has_duration: whether its header declares the duration of the audio.
    """

    label: str
    demuxer: str = ""
    has_duration: bool = False


MP4 = ContainerFormat("MP4, M4A or MOV", "mov", has_duration=True)
MATROSKA = ContainerFormat("WebM or Matroska", "matroska", has_duration=True)
ASF = ContainerFormat("WMA or WMV", "asf", has_duration=True)
AVI = ContainerFormat("AVI", "avi")  # the unit of its durations differs between programs
AAC = ContainerFormat("AAC", "aac")
FLV = ContainerFormat("FLV", "flv")
PROGRAM = ContainerFormat("MPEG video", "mpeg")
TRANSPORT = ContainerFormat("MPEG transport stream", "mpegts")
SIGNATURES: tuple[tuple[int, bytes, ContainerFormat], ...] = (
    *((4, name, MP4) for name in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")),
    (0, b"\x1aE\xdf\xa3", MATROSKA),
    (0, b"0&\xb2u\x8ef\xcf\x11", ASF),
    (8, b"AVI ", AVI),
    (0, b"#!AMR", ContainerFormat("AMR", "amr")),
    (0, b"FLV\x01", FLV),
    (0, b"\x00\x00\x01\xba", PROGRAM),
    (0, b"PK\x03\x04", ContainerFormat("ZIP")),
    *((0, magic, ContainerFormat("DSD")) for magic in (b"DSD \x1c\0\0\0", b"FRM8")),
    (0, b"wvpk", ContainerFormat("WavPack")),
    (0, b"MAC ", ContainerFormat("Monkey's Audio")),
    (0, b"TTA1", ContainerFormat("True Audio")),
    *((0, magic, ContainerFormat("Musepack")) for magic in (b"MPCK", b"MP+")),
    *((0, magic, ContainerFormat("RealMedia")) for magic in (b".RMF", b".ra\xfd")),
    (0, b"\x0b\x77", ContainerFormat("AC-3")),
    (0, b"\x7f\xfe\x80\x01", ContainerFormat("DTS")),
    (0, b"\xf0\x7e", ContainerFormat("MIDI sample dump")),  # libsndfile prints to stdout over damaged ones
)
TRANSPORT_SYNC = 0x47
TRANSPORT_PACKETS = ((0, 188), (4, 192))  # position of the first sync byte, length of a packet
# A folder search includes these even where PyAV is not installed: such files are then reported by name.
MATROSKA_SEGMENT = b"\x18\x53\x80\x67"
ASF_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
FLV_SIGNATURE = b"FLV\x01"
FLV_HEADER_BYTES = 13  # with the length of a tag before the first one, 0
FLV_TAG_BYTES = 15  # header, and length behind it
MAX_ASF_OBJECTS = 1_000
ASF_BROADCAST = 1


def detect_format(stream: BinaryIO, size: int, source: str) -> ContainerFormat | None:
    """Return the format of a file, after checking its declared length; None if libsndfile decodes it.

    Args:
        stream: the file, seekable, opened in binary mode; its position changes.
        size: its length in bytes.
        source: its name, for messages.

    Raises:
        AudioError: an unsupported format, or shorter than its header declares.
    """
    stream.seek(0)
    container_format = _match_signature(stream.read(PROBED_BYTES), stream)
    if container_format is None:
        return None
    if not container_format.demuxer:
        raise AudioError(
            f"{source}: {container_format.label} is not supported; convert it first: ffmpeg -i INPUT OUTPUT.wav"
        )
    if container_format is MP4 and any(name == b"moof" for name, _ in _boxes(stream, size, source)):
        return replace(container_format, has_duration=False)  # a fragmented file declares only its first fragment
    if container_format is FLV and not _has_complete_flv_tags(stream):
        raise AudioError(f"{source}: truncated: an FLV tag is incomplete; copy it again")
    if container_format in DECLARED_SIZES:
        declared = DECLARED_SIZES[container_format](stream, size)
        if declared > size:
            raise AudioError(f"{source}: truncated: {declared} bytes declared, {size} found; copy it again")
    return container_format


def _match_signature(probed: bytes, stream: BinaryIO) -> ContainerFormat | None:
    for offset, magic, container_format in SIGNATURES:
        if probed[offset : offset + len(magic)] == magic:
            return container_format
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


def find_second_start(stream: BinaryIO, container_format: ContainerFormat, size: int, source: str) -> int | None:
    """Return the position of a second recording in the file; None if there is none.

    FFmpeg stops at the end of the first one, or decodes the header of the second as audio. AAC and MPEG streams in a
    row are one: they have no header.

    Args:
        stream: the file, which `detect_format` has checked; its position changes.
        container_format: its format.
        size: its length in bytes.
        source: its name, for messages.

    Raises:
        AudioError: other content follows, which may be sound.
    """
    if container_format.demuxer == MP4.demuxer:
        names_and_positions = _boxes(stream, size, source)
        movie = next((position for name, position in names_and_positions if name == b"moov"), size)
        return next((position for name, position in names_and_positions if name == b"ftyp" and position > movie), None)
    declared = DECLARED_SIZES[container_format](stream, size) if container_format in DECLARED_SIZES else 0
    pattern, end_of = STARTS.get(container_format.demuxer), ENDS.get(container_format)
    with mapped(stream) as (content, begin, end):
        found = re.compile(pattern).search(content, begin + max(declared, 1), end) if pattern else None
        limit = found.start() if found else end
        if end_of:
            stop = begin + declared if declared else end_of(content, begin, limit)
            start = after_tags(content, stop, limit)
            if start < limit and match_start(content, start, limit):
                return start - begin
            check_rest(content, stop, limit, source)
        return None if found is None else limit - begin


def _boxes(stream: BinaryIO, size: int, source: str) -> list[tuple[bytes, int]]:
    """Return names and positions of the top-level boxes, after checking that the last one ends with the file.

    Source: ISO/IEC 14496-12, section 4.2.
    """
    position, boxes = 0, list[tuple[bytes, int]]()
    for _ in range(MAX_BOXES):
        if position + 8 > size:
            break
        stream.seek(position)
        length, name, long_length = struct.unpack(">I4sQ", stream.read(16).ljust(16, b"\0"))
        boxes.append((name, position))
        length = {0: size - position, 1: long_length}.get(length, length)
        if length < 8 or position + length > size:
            raise AudioError(f"{source}: truncated or damaged: it ends inside its box {name!r}; copy it again")
        position += length
    stream.seek(position)
    if position < size < position + 8 and stream.read(8).strip(b"\0"):
        raise AudioError(f"{source}: truncated or damaged: its last box is incomplete; copy it again")
    return boxes


def _riffs_end(stream: BinaryIO, size: int) -> int:
    """Return the end of the last RIFF chunk of an AVI: long videos consist of several in sequence.

    Source: OpenDML AVI File Format Extensions 1.02.
    """
    end = 0
    while end + 8 <= size:
        stream.seek(end + end % 2)
        name, length, kind = struct.unpack("<4sI4s", stream.read(12).ljust(12))
        if name != b"RIFF" or not length:  # other data after the video, or a recording that was interrupted
            break
        if end and kind != b"AVIX":  # another recording
            break
        end += end % 2 + 8 + length
    return end


def _segment_end(stream: BinaryIO, _: int) -> int:
    """Return the end of the segment of a Matroska file, 0 if it is unknown.

    Source: RFC 8794, section 4 (variable-size integers), and RFC 9559, section 5.1.
    """
    stream.seek(4)
    header_bytes = _ebml_number(stream)
    stream.seek(stream.tell() + max(0, header_bytes))
    if stream.read(4) != MATROSKA_SEGMENT:
        return 0
    length = _ebml_number(stream)
    return 0 if length < 0 else length + stream.tell()


def _ebml_number(stream: BinaryIO) -> int:
    """Return a length; -1 (unknown) if all its bits are set."""
    first = stream.read(1)
    more_bytes = 8 - first[0].bit_length() if first else 8
    if more_bytes == 8:
        return -1
    mask = (1 << 7 * (more_bytes + 1)) - 1
    number = int.from_bytes(first + stream.read(more_bytes), "big") & mask
    return -1 if number == mask else number


def _has_complete_flv_tags(stream: BinaryIO) -> bool:
    """Source: Adobe Flash Video File Format Specification 10.1, annex E: each tag is followed by its length."""
    with mapped(stream) as (content, position, end):
        while position < end:
            if content[position : position + 4] == FLV_SIGNATURE:
                position += FLV_HEADER_BYTES
            else:
                position += FLV_TAG_BYTES + int.from_bytes(content[position + 1 : position + 4], "big")
        return position == end


def _asf_size(stream: BinaryIO, size: int) -> int:
    """Return the declared length of an ASF file, 0 if it is unknown.

    Source: Microsoft, Advanced Systems Format Specification 01.20, sections 3.1 and 3.2.
    """
    position = 30  # after the fixed part of the header object
    for _ in range(MAX_ASF_OBJECTS):
        if position > size:
            break
        stream.seek(position)
        name, length, declared = struct.unpack("<16sQ16xQ", stream.read(48).ljust(48, b"\0"))
        if name == ASF_FILE_PROPERTIES:
            flags = stream.read(44)[40:41]
            return 0 if flags and flags[0] & ASF_BROADCAST else declared
        position += max(length, 24)
    return 0


# How a recording starts, by demuxer; compiled when it is used.
STARTS: dict[str, bytes] = {
    "matroska": rb"(?s)\x1aE\xdf\xa3.{0,48}(?:webm|matroska)",
    "asf": rb"0&\xb2u\x8ef\xcf\x11\xa6\xd9\x00\xaa\x00b\xcel",
    "avi": rb"(?s)RIFF.{4}AVI LIST",
    "flv": rb"FLV\x01[\x00-\x05]\x00\x00\x00\x09",
    "amr": rb"#!AMR(?:-WB)?\n",
}
DECLARED_SIZES: dict[ContainerFormat, Callable[[BinaryIO, int], int]] = {
    MATROSKA: _segment_end,
    ASF: _asf_size,
    AVI: _riffs_end,
}
# The end of a stream that declares no length, by its start and the end of the file.
ENDS: dict[ContainerFormat, Callable[[Content, int, int], int]] = {
    AAC: adts_end,
    PROGRAM: program_end,
    TRANSPORT: transport_end,
    MATROSKA: matroska_end,
    AVI: avi_end,
}
