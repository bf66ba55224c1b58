"""Finds the recordings in an audio file and checks that it is complete and of a supported format, before it is decoded.

libsndfile silently repairs a header that declares more audio than the file contains, decodes the rest, and stops at the
end of the first of several recordings. The prediction for a truncated recording would then pass for one of the complete
recording, so the declared length is checked here first. What each format declares:

    WAV, AIFF, RF64, BW64, W64, CAF, AU    see `chunks`
    Ogg Vorbis, Opus    see `ogg_pages`
    FLAC                see `flac`; the decoder itself fails at a truncation
    MP3                 nothing here: `decode.read` compares with the length in its tag, which `mp3` adds if missing
    MPEG layer II       see `mpeg_layer_2`
    M4A, WebM, ...      see `ffmpeg_formats`
"""

import os
from dataclasses import dataclass
from typing import BinaryIO, cast

from overtone.audio.byte_streams import ID3_BYTES, SplicedStream, after_id3, has_id3_footer
from overtone.audio.chunks import find_data, find_extent
from overtone.audio.ffmpeg_formats import ContainerFormat, detect_format, find_second_start
from overtone.audio.flac import FLAC_MARKER, find_flac
from overtone.audio.mp3 import find_mp3
from overtone.audio.mpeg_layer_2 import find_layer_2
from overtone.audio.wav_format import MP3_IN_WAV, PROBED_BYTES, check_no_padding, parse_wav_format
from overtone.errors import AudioError

MAX_RECORDINGS = 1_000
OGG_MARKER = b"OggS"
FRAME_SYNC = b"\xff"


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
        rest = _from(stream, start)
        tag_bytes = _tag_bytes(rest, rest.seek(0, os.SEEK_END))
        recording, following = _first_recording(_from(rest, tag_bytes), source)
        recordings.append(recording)
        recording.stream.seek(0)
        if following is None:
            return recordings
        start += tag_bytes + following
        if len(recordings) == MAX_RECORDINGS:
            raise AudioError(f"{source}: contains more than {MAX_RECORDINGS} recordings; split it")


def _first_recording(stream: BinaryIO, source: str) -> tuple[Recording, int | None]:
    """Return the first recording of a file, and the position of the next one; None if there is none."""
    size = stream.seek(0, os.SEEK_END)
    container_format = detect_format(stream, size, source)
    if container_format is not None:
        following = find_second_start(stream, container_format, size, source)
        return Recording(_up_to(stream, following), container_format), following
    extent, whole = find_extent(stream, size, source), stream
    if extent is not None:
        if extent.header or extent.end < size:
            stream = cast(BinaryIO, SplicedStream(extent.header, stream, extent.data_start, extent.end))
        return Recording(_checked_wav(whole, stream, source), None), extent.following
    stream.seek(0)
    marker = stream.read(len(FLAC_MARKER))
    if marker == FLAC_MARKER:
        decoded, following = find_flac(stream, source)
    elif marker == OGG_MARKER:
        from overtone.audio.ogg_pages import find_ogg  # most files are no Ogg

        decoded, following = find_ogg(stream, source)
    else:
        decoded, following = find_layer_2(stream, source) or find_mp3(stream, source)
    return Recording(decoded, None), following


def _checked_wav(stream: BinaryIO, recording: BinaryIO, source: str) -> BinaryIO:
    """Return a WAV as the decoder reads it right: of MP3, the frames alone, as it only estimates their number in a WAV.

    Args:
        stream: the file.
        recording: the recording, whose header declares the right length; one that is no WAV is returned as it is.
        source: the name of the file, for messages.

    Raises:
        AudioError: the WAV has padding that its header does not declare, or the MP3 is incomplete.
    """
    recording.seek(0)
    header = recording.read(PROBED_BYTES)
    found = parse_wav_format(header)
    if found is None:
        return recording
    check_no_padding(header, found, source)
    start, end = (find_data(recording, source) or (0, 0)) if found.codec == MP3_IN_WAV else (0, 0)
    if start >= end:
        return recording
    return find_mp3(cast(BinaryIO, SplicedStream(b"", stream, start, end)), source)[0]


def _tag_bytes(stream: BinaryIO, size: int) -> int:
    """Return the length of the ID3 tags in front of a recording; 0 if the decoder skips them, as in MP3 and AAC."""
    position, has_footer = 0, False
    while True:
        stream.seek(position)
        header = stream.read(ID3_BYTES)
        length = after_id3(header)
        if not length or position + length >= size:
            break
        has_footer |= has_id3_footer(header)
        position += length
    return 0 if header.startswith(FRAME_SYNC) and not has_footer else position


def _from(stream: BinaryIO, start: int) -> BinaryIO:
    return stream if start == 0 else cast(BinaryIO, SplicedStream(b"", stream, start))


def _up_to(stream: BinaryIO, end: int | None) -> BinaryIO:
    return stream if end is None else cast(BinaryIO, SplicedStream(b"", stream, 0, end))
