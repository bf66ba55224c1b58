"""Finds the links of a chained Ogg stream, checks that no page is missing or damaged, and puts its audio first.

Decoders leave such a page out silently, and everything behind it is earlier than it was.

Source: RFC 3533, section 4 (multiplexing and chaining) and section 6 (pages).
"""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from overtone.audio.byte_streams import Content, SplicedStream, check_rest, mapped
from overtone.errors import AudioError

PAGE_HEADER_BYTES = 27
LAST_PAGE = 0x04
FIRST_PAGE = b"OggS\0\2"
CHECKSUM = slice(22, 26)  # of a page
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
AUDIO_HEADERS = (b"\x01vorbis", b"OpusHead", b"\x7fFLAC", b"Speex   ")


def find_ogg(stream: BinaryIO, source: str) -> tuple[BinaryIO, int | None]:
    """Return the first link of an Ogg stream, and the position of the next one; None if there is none.

    Args:
        stream: the file, seekable.
        source: its name, for messages.

    Raises:
        AudioError: the last page is incomplete, or other content follows it.
    """
    following = _find_second_link(stream)
    link = stream if following is None else cast(BinaryIO, SplicedStream(b"", stream, 0, following))
    return _with_audio_first(_check_last_page(link, source)), following


def _find_second_link(stream: BinaryIO) -> int | None:
    """Return the position of the second link; None if the stream is not chained.

    A link starts with the first pages of all its streams, one after the other.
    """
    with mapped(stream) as (content, begin, end):
        *_, (_, expected) = _first_pages(content, begin, end)
        found = content.find(FIRST_PAGE, expected, end)
        return None if found < 0 else found - begin


def _first_pages(content: Content, position: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of the first pages of all streams, which are in a row."""
    while True:
        start, position = position, min(end, _page_end(content, position, end))
        yield start, position
        if content[position : position + len(FIRST_PAGE)] != FIRST_PAGE:
            return


def _page_end(content: Content, page: int, end: int) -> int:
    """Return the position behind a page; beyond the end if its header is incomplete."""
    segments = page + PAGE_HEADER_BYTES
    if segments > end:
        return end + 1
    count = content[segments - 1]
    return segments + count + sum(content[segments : segments + count])


def _check_last_page(stream: BinaryIO, source: str) -> BinaryIO:
    """Return the stream up to the end of its last page, after checking that this is complete.

    A live recording may lack the flag of the last page, but no part of a page.
    """
    with mapped(stream) as (content, begin, end):
        page = content.rfind(b"OggS", begin, end)
        page_end = _page_end(content, page, end) if page >= begin else end + 1
        is_last = page_end <= end and bool(content[page + 5] & LAST_PAGE)
        if page_end > end or (page_end < end and not is_last):
            raise AudioError(f"{source}: truncated: its last Ogg page is incomplete; copy or record it again")
        if content.find(FIRST_PAGE + bytes(8) + content[page + 14 : page + 18], begin, end) < 0:
            raise AudioError(
                f"{source}: damaged: its last Ogg page belongs to another stream; split or record it again"
            )
        check_rest(content, page_end, end, source)
        _check_pages(content, begin, page_end, source)
    return stream if page_end == end else cast(BinaryIO, SplicedStream(b"", stream, 0, page_end - begin))


def _check_pages(content: Content, position: int, end: int, source: str) -> None:
    """Check the checksums and numbers of all pages.

    The numbers of a live stream that was joined late start anywhere behind its header.
    """
    last = dict[int, tuple[int, int]]()
    while position < end:
        page = content[position : min(end, _page_end(content, position, end))]
        if page[:4] != b"OggS" or _checksum(page) != page[CHECKSUM]:
            raise AudioError(f"{source}: damaged: an invalid Ogg page at byte {position}; copy or record it again")
        samples, serial, number = struct.unpack_from("<qII", page, 6)
        previous_samples, previous = last.get(serial, (0, number - 1))
        if number != previous + 1 and previous_samples > 0:
            raise AudioError(f"{source}: damaged: Ogg page {number} follows page {previous}; copy or record it again")
        last[serial] = max(samples, previous_samples), number  # -1 of a page on which no packet ends
        position += len(page)


def _checksum(page: bytes) -> bytes:
    """Return the CRC-32 of a page, which has another order of bits than that of `zlib`."""
    zeroed = page[: CHECKSUM.start] + bytes(4) + page[CHECKSUM.stop :]
    crc = zlib.crc32(zeroed.translate(REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return crc.to_bytes(4, "big").translate(REVERSED)


def _with_audio_first(stream: BinaryIO) -> BinaryIO:
    """Return the stream with the first page of its audio in front, where the decoder expects it.

    A video and the index of a stream (Ogg Skeleton) have their first pages before it.
    """
    with mapped(stream) as (content, begin, end):
        pages = list(_first_pages(content, begin, end))
        audio = next((page for page in pages if _is_audio(content, page[0])), pages[0])
        if audio == pages[0]:
            return stream
        others = b"".join(content[slice(*page)] for page in pages if page != audio)
        return cast(BinaryIO, SplicedStream(content[slice(*audio)] + others, stream, pages[-1][1] - begin))


def _is_audio(content: Content, page: int) -> bool:
    start = page + PAGE_HEADER_BYTES + content[page + PAGE_HEADER_BYTES - 1]
    return content[start : start + 8].startswith(AUDIO_HEADERS)
