"""Finds the end of streams that declare no length, so that whatever follows them is noticed.

The decoders stop silently at other content, or skip it. Each function walks from element to element (frame, packet,
chunk), and returns the position behind the last one that belongs to the stream; it is beyond the end of the file if
this one is incomplete.

Source: ISO/IEC 13818-7, section 6.2 (ADTS); ISO/IEC 13818-1, sections 2.4.3 (transport stream) and 2.5.3 (program
stream); RFC 9559, section 5 (Matroska); Microsoft, AVI RIFF File Reference.
"""

import struct

from overtone.audio.byte_streams import Content, after_id3, after_zeros
from overtone.audio.chunks import match_start

MIN_RUN = 3  # as many packets in a row are not sync bytes by chance
MAX_DAMAGE_BYTES = 2**20  # in the middle of a broadcast
SYNC = 0x47
PACK = b"\0\0\1\xba"
PROGRAM_END = b"\0\0\1\xb9"
FIRST_STREAM_CODE = 0xBB
RIFF_HEADER_BYTES = 12
ID_BYTES = 4  # of the header and the segment of Matroska
CLUSTER = b"\x1f\x43\xb6\x75"
MATROSKA_ELEMENTS = tuple(  # of a segment and of a cluster, which may declare no length
    map(
        bytes.fromhex,
        (
            *("114d9b74", "1549a966", "1654ae6b", "1f43b675", "1c53bb6b", "1941a469", "1043a770", "1254c367"),
            *("ec", "bf", "e7", "a3", "a0", "ab", "a7", "5854", "af"),
        ),
    )
)


def adts_end(content: Content, position: int, end: int) -> int:
    """Return the end of AAC in ADTS frames, with ID3 tags between them."""
    while position < end:
        position += after_id3(content[position : position + 10])
        head = content[position : position + 6]
        if len(head) < 6 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
            return position
        length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
        if length < 7:
            return position
        position += length
    return position


def transport_end(content: Content, position: int, end: int) -> int:
    """Return the end of an MPEG transport stream; damaged parts in the middle belong to it."""
    step, first = (188, 0) if content[position] == SYNC else (192, 4)
    while position + first < end:
        if content[position + first] == SYNC:
            position += step
            continue
        found = _find_after_damage(content, position + first, end, bytes([SYNC]), step)
        if found is None:
            return position
        position = found - first
    return position


def program_end(content: Content, position: int, end: int) -> int:
    """Return the end of an MPEG program stream; damaged parts in the middle belong to it."""
    while position < end:
        length = _program_element_bytes(content, position)
        if length:
            position += length
            continue
        found = _find_after_damage(content, position, end, PACK)
        if found is None:
            return position
        position = found
    return position


def _program_element_bytes(content: Content, position: int) -> int:
    """Return the length of a pack header, a packet or an end code; 0 if there is none."""
    head = content[position : position + 14].ljust(14, b"\0")
    if head[:4] == PACK:
        return 14 + (head[13] & 7) if head[4] & 0xC0 == 0x40 else 12
    if head[:4] == PROGRAM_END:
        return 4
    return 6 + int.from_bytes(head[4:6], "big") if head[:3] == b"\0\0\1" and head[3] >= FIRST_STREAM_CODE else 0


def _find_after_damage(content: Content, position: int, end: int, magic: bytes, step: int = 0) -> int | None:
    """Return where a stream continues; None if another recording or nothing does.

    Args:
        content: of the file.
        position: where its next element should be.
        end: the end of the file in the content.
        magic: the start of every element.
        step: length of an element; 0 if it varies.
    """
    if match_start(content, after_zeros(content, position, end), end):
        return None
    limit = min(end, position + MAX_DAMAGE_BYTES)
    while (position := content.find(magic, position + 1, limit)) >= 0:
        following = range(position, position + MIN_RUN * step, step) if step else (position,)
        if all(content[start : start + len(magic)] == magic for start in following):
            return position
    return None


def matroska_end(content: Content, position: int, end: int) -> int:
    """Return the end of a Matroska file whose segment declares no length."""
    header_bytes, position = _ebml_number(content, position + ID_BYTES)
    _, position = _ebml_number(content, position + (header_bytes or 0) + ID_BYTES)  # of the segment
    while position < end:
        name = content[position : position + _ebml_bytes(content, position)]
        if name not in MATROSKA_ELEMENTS:
            return position
        length, position = _ebml_number(content, position + len(name))
        if length is None and name != CLUSTER:
            return end
        position += length or 0
    return position


def _ebml_bytes(content: Content, position: int) -> int:
    """Return the length of the id or the number at a position, 1 to 9."""
    first = content[position : position + 1]
    return 9 - first[0].bit_length() if first else 1


def _ebml_number(content: Content, position: int) -> tuple[int | None, int]:
    """Return a length, None if it is unknown, and the position behind it."""
    size = _ebml_bytes(content, position)
    mask = (1 << 7 * size) - 1
    number = int.from_bytes(content[position : position + size], "big") & mask
    return (None if number == mask else number), position + size


def avi_end(content: Content, position: int, end: int) -> int:
    """Return the end of an AVI whose header declares no length."""
    position += RIFF_HEADER_BYTES
    while position + 12 <= end:
        name, length, kind = struct.unpack_from("<4sI4s", content, position)
        if not all(32 <= byte < 127 for byte in name) or match_start(content, position, end):
            return position
        is_open = name == b"LIST" and kind in (b"movi", b"rec ")
        position += 12 if is_open else 8 + length + length % 2
    return position
