"""Finds the recordings in a FLAC file, and corrects their declared length from their last frame.

The decoder stops at the declared number of samples, and cannot read a file that declares none. A recorder that was
killed, or wrote to a pipe, declares none; the last frame says how many there are.

Source: RFC 9639, sections 8.2 (stream info) and 9 (frames).
"""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

from overtone.audio.byte_streams import Content, SplicedStream, check_rest, is_harmless, mapped
from overtone.errors import AudioError

FLAC_MARKER = b"fLaC"
STREAM_INFO_HEADERS = (b"\0\0\0\x22", b"\x80\0\0\x22")
COUNT_POSITION = 21  # of the byte with the upper 4 of the 36 bits that count the samples
HEADER_BYTES = 26
MAX_FRAME_BYTES = 2**18  # searched for the last frame: 65 535 samples, stereo, 16 bit
MAX_FRAME_HEADER_BYTES = 16
BLOCK_SAMPLES = {1: 192, 2: 576, 3: 1_152, 4: 2_304, 5: 4_608, **{8 + n: 256 << n for n in range(8)}}
EXTRA_SIZE_BYTES = {6: 1, 7: 2}  # codes of block sizes that are written at the end of the frame header
EXTRA_RATE_BYTES = {12: 1, 13: 2, 14: 2}
ID3V1_BYTES = 128


class _Frame(NamedTuple):
    """A frame: its position, and the number of samples up to its end."""

    position: int
    end_sample: int


def find_flac(stream: BinaryIO, source: str) -> tuple[BinaryIO, int | None]:
    """Return the first recording, with the right declared length, and the position of the next; None if there is none.

    Args:
        stream: the file, seekable, which starts with its marker.
        source: its name, for messages.

    Raises:
        AudioError: the last frame is incomplete, or not the last one that is declared.
    """
    with mapped(stream) as (content, begin, file_end):
        first, end = begin, _next_marker(content, begin + 4, file_end)
        header = content[first : first + HEADER_BYTES]
        following = None if end == file_end else end - begin
        if len(header) < HEADER_BYTES:
            return stream, None  # the decoder reports it
        if end == file_end and content[max(first, end - ID3V1_BYTES) :].startswith(b"TAG"):
            end -= ID3V1_BYTES
        count = _count_samples(content, first, end, header, source)
        length = end - begin if following is not None or count is not None else None
    if count is not None:
        info = bytearray(header)
        info[COUNT_POSITION] = info[COUNT_POSITION] & 0xF0 | count >> 32
        struct.pack_into(">I", info, COUNT_POSITION + 1, count & 0xFFFFFFFF)
        return cast(BinaryIO, SplicedStream(bytes(info), stream, HEADER_BYTES, length)), following
    if following is not None:
        return cast(BinaryIO, SplicedStream(b"", stream, 0, length)), following
    stream.seek(0, os.SEEK_SET)
    return stream, None


def _next_marker(content: Content, position: int, end: int) -> int:
    """Return the position of the next FLAC stream, `end` if there is none."""
    while (position := content.find(FLAC_MARKER, position, end)) >= 0:
        if content[position + 4 : position + 8] in STREAM_INFO_HEADERS:
            return position
        position += 1
    return end


def _count_samples(content: Content, first: int, end: int, header: bytes, source: str) -> int | None:
    """Return the number of samples if it is not the declared one."""
    declared = (header[COUNT_POSITION] & 0x0F) << 32 | struct.unpack_from(">I", header, COUNT_POSITION + 1)[0]
    max_frame_bytes = int.from_bytes(header[15:18], "big") or MAX_FRAME_BYTES
    min_block, max_block = struct.unpack_from(">HH", header, 8)
    tail_start = max(first + HEADER_BYTES, end - MAX_FRAME_BYTES)
    tail = content[tail_start:end].rstrip(b"\0") if declared else content[tail_start:end]
    for frame in _frames_backwards(tail, min_block if min_block == max_block else 0):
        if frame.end_sample == declared:
            ends = list(_frame_ends(tail, frame.position, max_frame_bytes))
            if not any(is_harmless(tail, frame_end, len(tail)) for frame_end in ends):
                check_rest(tail, ends[0] if ends else frame.position, len(tail), source)
            return None
        if _crc16(tail[frame.position : -2]) == struct.unpack(">H", tail[-2:])[0]:
            if frame.end_sample < declared:
                raise AudioError(
                    f"{source}: truncated or damaged: {declared} samples declared, and its last frame ends after "
                    f"{frame.end_sample}; copy it again"
                )
            return frame.end_sample
    if declared == 0:
        raise AudioError(f"{source}: truncated: its last FLAC frame is incomplete; copy or record it again")
    return None


def _frames_backwards(tail: bytes, block_samples: int) -> Iterator[_Frame]:
    """Yield what has a valid frame header, from the last one on.

    Args:
        tail: the end of a stream.
        block_samples: number of samples of all frames but the last one; 0 if it varies.
    """
    position = len(tail)
    while (position := tail.rfind(b"\xff", 0, position)) >= 0:
        header = tail[position : position + MAX_FRAME_HEADER_BYTES]
        if len(header) > 5 and header[1] & 0xFE == 0xF8:
            end_sample = _end_sample(header, block_samples)
            if end_sample is not None:
                yield _Frame(position, end_sample)


def _end_sample(header: bytes, block_samples: int) -> int | None:
    """Return the number of samples up to the end of a frame; None if its header is not valid."""
    size_code, rate_code, length = header[2] >> 4, header[2] & 0x0F, 4
    number_bytes = max(1, 8 - (header[4] ^ 0xFF).bit_length())  # coded as in UTF-8
    length += number_bytes
    size_bytes, rate_bytes = EXTRA_SIZE_BYTES.get(size_code, 0), EXTRA_RATE_BYTES.get(rate_code, 0)
    check = length + size_bytes + rate_bytes
    if size_code == 0 or rate_code == 15 or check >= len(header) or _crc8(header[:check]) != header[check]:
        return None
    number = header[4] & (0x7F if number_bytes == 1 else 0x7F >> number_bytes)
    for byte in header[5 : 4 + number_bytes]:
        number = number << 6 | byte & 0x3F
    samples = BLOCK_SAMPLES.get(size_code) or int.from_bytes(header[length : length + size_bytes], "big") + 1
    is_sample_number = header[1] & 1
    return (number if is_sample_number else number * (block_samples or samples)) + samples


def _frame_ends(content: bytes, position: int, max_frame_bytes: int) -> Iterator[int]:
    """Yield the positions at which a frame may end: behind a checksum of all bytes before. Rarely, one is by chance."""
    crc = 0
    for end, byte in enumerate(content[position : position + max_frame_bytes], start=position + 1):
        crc = (crc << 8 & 0xFFFF) ^ CRC16[crc >> 8 ^ byte]
        if crc == 0:
            yield end


def _crc8(content: bytes) -> int:
    crc = 0
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = crc << 1 ^ (0x107 if crc & 0x80 else 0)
    return crc


def _crc16(content: bytes) -> int:
    crc = 0
    for byte in content:
        crc = (crc << 8 & 0xFFFF) ^ CRC16[crc >> 8 ^ byte]
    return crc


def _crc16_of_byte(byte: int) -> int:
    crc = byte << 8
    for _ in range(8):
        crc = crc << 1 ^ (0x18005 if crc & 0x8000 else 0)
    return crc


CRC16 = tuple(map(_crc16_of_byte, range(256)))
