"""Finds the recordings in an audio file and checks that it is complete and of a supported format, before it is decoded.

libsndfile silently repairs a header that declares more audio than the file contains, decodes the rest, and stops at the
end of the first of several recordings. The prediction for a truncated recording would then pass for one of the complete
recording, so the declared length is checked here first. What each format declares:

    WAV, AIFF, RF64, W64, CAF, AU    see `chunks`
    Ogg Vorbis, Opus    length and flags of the last page: it must be complete, and the last one if bytes follow
    FLAC                see `flac`; the decoder itself fails at a truncation
    MP3                 nothing here: `decode.read` compares with the length in its tag, which `mp3` adds if missing
    M4A, WebM, ...      see `ffmpeg_formats`
"""

import os
from dataclasses import dataclass
from typing import BinaryIO, cast

from overtone.audio.byte_streams import SplicedStream, after_id3, check_rest, mapped
from overtone.audio.chunks import find_extent
from overtone.audio.ffmpeg_formats import ContainerFormat, detect_format, find_second_start
from overtone.audio.flac import FLAC_MARKER, find_flac
from overtone.audio.mp3 import find_mp3
from overtone.errors import AudioError

MAX_RECORDINGS = 1_000
OGG_PAGE_HEADER_BYTES = 27
OGG_LAST_PAGE = 0x04
OGG_FIRST_PAGE = b"OggS\0\2"
ID3_HEADER_BYTES = 10


@dataclass(frozen=True)
class Recording:
    """One recording in a file.

    Attributes:
        stream: its bytes, for the decoder; the file itself if it is the only one and needs no correction.
        container_format: its format; None if libsndfile decodes it.
    """

    stream: BinaryIO
    container_format: ContainerFormat | None


def find_recordings(stream: BinaryIO, source: str) -> list[Recording]:
    """Return the recordings in a file, in order; nearly every file has one. Their streams are at their start.

    Args:
        stream: the file, seekable, opened in binary mode.
        source: its name, for messages.

    Raises:
        AudioError: empty, of an unsupported format, shorter than its header declares, or with too many recordings.
    """
    if stream.seek(0, os.SEEK_END) == 0:
        raise AudioError(f"{source}: the file is empty (0 bytes); record or copy it again")
    recordings: list[Recording] = []
    start = 0
    while True:
        rest = stream if start == 0 else cast(BinaryIO, SplicedStream(b"", stream, start))
        recording, following = _first_recording(rest, source)
        recordings.append(recording)
        recording.stream.seek(0)
        if following is None:
            return recordings
        start += following
        if len(recordings) == MAX_RECORDINGS:
            raise AudioError(f"{source}: contains more than {MAX_RECORDINGS} recordings; split it")


def _first_recording(stream: BinaryIO, source: str) -> tuple[Recording, int | None]:
    """Return the first recording of a file, and the position of the next one; None if there is none."""
    size = stream.seek(0, os.SEEK_END)
    container_format = detect_format(stream, size, source)
    if container_format is not None:
        following = find_second_start(stream, container_format, size, source)
        return Recording(_up_to(stream, following), container_format), following
    extent = find_extent(stream, size, source)
    if extent is not None:
        if extent.header or extent.end < size:
            stream = cast(BinaryIO, SplicedStream(extent.header, stream, extent.data_start, extent.end))
        return Recording(stream, None), extent.following
    stream.seek(0)
    header = stream.read(ID3_HEADER_BYTES)
    stream.seek(after_id3(header))
    marker = stream.read(len(FLAC_MARKER))
    if marker == FLAC_MARKER:
        decoded, following = find_flac(stream, after_id3(header), source)
    elif header.startswith(b"OggS"):
        following = _find_second_chain_link(stream)
        decoded = _check_ogg_pages(_up_to(stream, following), source)
    else:
        decoded, following = find_mp3(stream, source)
    return Recording(decoded, None), following


def _up_to(stream: BinaryIO, end: int | None) -> BinaryIO:
    return stream if end is None else cast(BinaryIO, SplicedStream(b"", stream, 0, end))


def _find_second_chain_link(stream: BinaryIO) -> int | None:
    """Return the position of the second link of a chained Ogg stream; None if it is not chained.

    A link starts with the first pages of all its streams, one after the other.

    Source: RFC 3533, section 4.
    """
    with mapped(stream) as (content, begin, end):
        expected = begin
        while True:
            found = content.find(OGG_FIRST_PAGE, expected, end)
            if found != expected:
                return None if found < 0 else found - begin
            segments = found + OGG_PAGE_HEADER_BYTES
            counts = content[segments : segments + content[segments - 1]] if segments <= end else b""
            expected = segments + len(counts) + sum(counts)


def _check_ogg_pages(stream: BinaryIO, source: str) -> BinaryIO:
    """Return the stream up to the end of its last page, after checking that this is complete.

    A live recording may lack the flag of the last page, but no part of a page.

    Source: RFC 3533, section 6.
    """
    with mapped(stream) as (content, begin, end):
        page = content.rfind(b"OggS", begin, end)
        segments = page + OGG_PAGE_HEADER_BYTES
        page_end, is_last = end + 1, False
        if page >= begin and segments <= end:
            count = content[segments - 1]
            page_end = segments + count + sum(content[segments : segments + count])
            is_last = bool(content[page + 5] & OGG_LAST_PAGE)
        if page_end > end or (page_end < end and not is_last):
            raise AudioError(f"{source}: truncated: its last Ogg page is incomplete; copy or record it again")
        if content.find(OGG_FIRST_PAGE + bytes(8) + content[page + 14 : page + 18], begin, end) < 0:
            raise AudioError(
                f"{source}: damaged: its last Ogg page belongs to another stream; split or record it again"
            )
        check_rest(content, page_end, end, source)
    return _up_to(stream, page_end - begin if page_end < end else None)
