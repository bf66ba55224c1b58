"""Takes Ogg files apart and puts them together, page by page, for decoding tests."""

import struct
from collections.abc import Iterator

HEADER = "<4sBBqIIIB"  # "OggS", version, flags, position, serial number, page number, checksum, number of segments
HEADER_BYTES = struct.calcsize(HEADER)
FIRST, LAST = 2, 4


def split_pages(content: bytes) -> Iterator[bytes]:
    """Yield the pages of a file."""
    position = 0
    while position < len(content):
        segments = content[position + HEADER_BYTES :][: content[position + HEADER_BYTES - 1]]
        length = HEADER_BYTES + len(segments) + sum(segments)
        yield content[position : position + length]
        position += length


def with_serial(page: bytes, serial: int) -> bytes:
    """Return a page of another logical stream."""
    return with_checksum(page[:14] + struct.pack("<I", serial) + page[18:])


def make_page(data: bytes, serial: int, number: int, flags: int) -> bytes:
    """Return a page with one packet of less than 255 bytes."""
    header = struct.pack(HEADER, b"OggS", 0, flags, 0, serial, number, 0, 1)
    return with_checksum(header + bytes([len(data)]) + data)


def with_checksum(page: bytes) -> bytes:
    """Return a page with its right checksum: RFC 3533, section 6."""
    crc = 0
    for byte in page[:22] + bytes(4) + page[26:]:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04C11DB7 if crc & 0x80000000 else 0)) & 0xFFFFFFFF
    return page[:22] + struct.pack("<I", crc) + page[26:]
