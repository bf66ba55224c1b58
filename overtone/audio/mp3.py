"""Adds the missing length to an MP3, so that the decoder reads it to its end.

An MP3 is a sequence of frames. Most encoders first write a frame with a "Xing" tag that contains their number. Where it
is missing, the decoder guesses the number from the size of the first frame and stops there: with a variable bit rate
most of the audio would be lost silently. So the frames are counted here, and a tag with the right number is put before
them. Where the tag counts only the first of several recordings in a row (`cat a.mp3 b.mp3`), the next one is found.
Bytes before the first frame are skipped: zeros, or the rest of a frame in the middle of a broadcast.

Source: ISO/IEC 11172-3, section 2.4.2.3 (frame header); the Xing tag as described by its author, GB Xing VBR header.
"""

import struct
from dataclasses import dataclass
from typing import BinaryIO, cast

from overtone.audio.byte_streams import (
    MAX_REST_BYTES,
    Content,
    SplicedStream,
    after_id3,
    after_zeros,
    check_rest,
    mapped,
)
from overtone.errors import AudioError

KILOBITS_MPEG1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
KILOBITS_MPEG2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
MPEG1 = 3
LAYER_3 = 1
MONO = 3
TAG_KILOBITS_INDEX = 9  # large enough for a frame that holds the tag at every sampling rate
TAG_HAS_COUNT = 1
TAG_HAS_BYTES = 2
MIN_RUN = 3  # as many frames in a row are not sync words by chance
TAG_POSITION_BYTES = 48  # a tag starts before
MAX_ZERO_BYTES = 2**20  # before the first frame
MAX_FRAME_BYTES = 1_441


@dataclass(frozen=True)
class Frame:
    """Header of one frame: MPEG version (3, 2, or 0 for 2.5), rate in Hz, channel mode, length in bytes."""

    version: int
    rate_hz: int
    mode: int
    length_bytes: int

    @property
    def stream(self) -> tuple[int, int]:
        """What is the same in all frames of a recording."""
        return self.version, self.rate_hz

    @property
    def side_bytes(self) -> int:
        """Length of the side information, which a Xing tag follows."""
        if self.version == MPEG1:
            return 17 if self.mode == MONO else 32
        return 9 if self.mode == MONO else 17


def frame_at(content: Content, position: int) -> Frame | None:
    """Return the layer III frame whose header is at `position`, or None."""
    header = content[position : position + 4]
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    kilobits, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if version not in RATES_HZ or layer != LAYER_3 or kilobits in (0, 15) or rate == 3:
        return None
    rate_hz = RATES_HZ[version][rate]
    per_kilobit, table = (144_000, KILOBITS_MPEG1) if version == MPEG1 else (72_000, KILOBITS_MPEG2)
    return Frame(version, rate_hz, header[3] >> 6, per_kilobit * table[kilobits] // rate_hz + padding)


def find_mp3(stream: BinaryIO, source: str) -> tuple[BinaryIO, int | None]:
    """Return the first recording of an MP3, with a right Xing tag, and the position of the next; None if there is none.

    Args:
        stream: any audio file, seekable; it is returned itself if it is not an MP3, or needs no correction.
        source: its name, for messages.

    Raises:
        AudioError: an MP3 is shorter than its tag declares, or the last frame of one without a tag is incomplete.
    """
    with mapped(stream) as (content, begin, end):
        start, is_first = _first_frame(content, begin, end)
        first = frame_at(content, start)
        if first is None:
            return stream, None
        header = content[start : start + first.length_bytes]
        tag = header[_tag_position(header) or len(header) :]
        declared_count, declared_bytes = _declared(tag)
        if declared_bytes > end - start:
            raise AudioError(
                f"{source}: truncated: {declared_bytes} bytes of MP3 declared, {end - start} found; copy it again"
            )
        if declared_count and declared_bytes:
            count, stop = declared_count, start + declared_bytes
        else:
            counted_from = start + first.length_bytes if tag else start
            count, stop = _count_frames(content, counted_from, end, first, source)
        following = _find_run(content, stop, end)
        if following is None and tag:
            check_rest(content, stop, end, source)
    length = None if following is None and end - stop <= MAX_REST_BYTES else stop - begin
    following = None if following is None else following - begin
    if tag and declared_count >= count:
        is_whole = is_first and length is None
        return (stream if is_whole else cast(BinaryIO, SplicedStream(b"", stream, start - begin, length))), following
    if count <= 1:  # a single one is a sync word by chance, in a file that is not an MP3
        return stream, None
    start += first.length_bytes if tag else 0
    corrected = SplicedStream(_tag_frame(header, first, count), stream, start - begin, length)
    return cast(BinaryIO, corrected), following


def _tag_position(frame: bytes) -> int:
    return max(frame.find(b"Xing"), frame.find(b"Info"), 0)


def _declared(tag: bytes) -> tuple[int, int]:
    """Return the number of frames and of bytes that a tag declares, 0 if it does not.

    The decoder would detect a truncation by the bytes too, but print a warning to stderr.
    """
    flags, numbers = (tag[7] if len(tag) >= 16 else 0), iter(struct.unpack(">II", tag[8:16].ljust(8, b"\0")))
    count = next(numbers) if flags & TAG_HAS_COUNT else 0
    return count, next(numbers) if flags & TAG_HAS_BYTES else 0


def _first_frame(content: Content, begin: int, end: int) -> tuple[int, bool]:
    """Return the position of the first frame, and whether it is where decoders expect it.

    If there is none, it is a position without a frame.
    """
    start = begin
    while tag_bytes := after_id3(content[start : start + 10]):
        start += tag_bytes
    if _is_run(content, start, end) or _tag_position(content[start : start + TAG_POSITION_BYTES]):
        return start, True
    first = after_zeros(content, start, min(end, start + MAX_ZERO_BYTES))
    found = _find_run(content, first, min(end, first + MAX_FRAME_BYTES + MIN_RUN * MAX_FRAME_BYTES))
    found = found if found is not None and found - first <= MAX_FRAME_BYTES else None
    return (start, True) if found is None else (found, False)


def _find_run(content: Content, position: int, end: int) -> int | None:
    """Return the position of the next frames of at least `MIN_RUN` in a row; None if there are none."""
    while 0 <= (position := content.find(b"\xff", position, end)) <= end - 4:
        if _is_run(content, position, end):
            return position
        position += 1
    return None


def _is_run(content: Content, position: int, end: int) -> bool:
    first = frame_at(content, position)
    for _ in range(MIN_RUN):
        frame = frame_at(content, position)
        if first is None or frame is None or frame.stream != first.stream:
            return False
        position += frame.length_bytes
    return position <= end


def _count_frames(content: Content, start: int, end: int, first: Frame, source: str) -> tuple[int, int]:
    """Return the number of frames from `start` and the position after them, ignoring bytes between them.

    They end before another recording: a frame with a tag, or frames with another sampling rate.
    """
    position, stop, count = start, start, 0
    while 0 <= position <= end - 4:
        frame = frame_at(content, position)
        if frame is None or frame.stream != first.stream:
            if frame is not None and _is_run(content, position, end):
                break
            position = content.find(b"\xff", position + 1, end)
            continue
        tag = content[position + 4 + frame.side_bytes : position + 10 + frame.side_bytes]
        if count and (b"Xing" in tag or b"Info" in tag):
            break
        position += frame.length_bytes
        stop = position
        count += 1
        if position > end and count > 1:
            raise AudioError(f"{source}: truncated: its last MP3 frame is incomplete; copy it again")
    return count, stop


def _tag_frame(header: bytes, first: Frame, count: int) -> bytes:
    """Return a silent frame with a tag that contains the number of following frames."""
    tag_header = bytes([0xFF, header[1] | 1, TAG_KILOBITS_INDEX << 4 | header[2] & 0x0C, header[3]])
    frame = frame_at(tag_header, 0)
    length_bytes = frame.length_bytes if frame else 0
    tag = tag_header + bytes(first.side_bytes) + b"Xing" + struct.pack(">II", TAG_HAS_COUNT, count)
    return tag + bytes(length_bytes - len(tag))
