"""Checks MPEG audio layer II (`.mp2`), which broadcasters record, as it declares no length.

libsndfile guesses the length from the size of the first frame, and skips other content silently.

Source: ISO/IEC 11172-3, section 2.4.2.3 (frame header), and ISO/IEC 13818-3, section 2.4.2.3 (low sampling rates).
"""

from typing import BinaryIO, cast

from overtone.audio.byte_streams import Content, SplicedStream, after_id3, after_tags, check_rest, mapped
from overtone.audio.chunks import match_start
from overtone.errors import AudioError

KILOBITS = {
    3: (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
RATES_HZ = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000)}
HAS_PADDING = 0x02
PADDING_BYTES = 1
MIN_RUN = 3  # as many frames in a row are not sync words by chance


def find_layer_2(stream: BinaryIO, source: str) -> tuple[BinaryIO, int | None] | None:
    """Return the recording and the position of the next one, None if there is none; or None if it is not layer II.

    Args:
        stream: any audio file, seekable.
        source: its name, for messages.

    Raises:
        AudioError: the last frame is incomplete, the bit rate changes, or other content follows.
    """
    with mapped(stream) as (content, begin, end):
        first = begin + after_id3(content[begin : begin + 10])
        lengths, stop, count = set[int](), first, 0
        while stop < end and (frame := _frame_at(content, stop)):
            lengths.add(frame[0])
            stop, count = stop + sum(frame), count + 1
        if count < MIN_RUN:
            return None
        if len(lengths) > 1:
            raise AudioError(f"{source}: MPEG layer II of a variable bit rate; convert it: ffmpeg -i INPUT OUTPUT.wav")
        if stop > end:
            raise AudioError(f"{source}: truncated: its last MPEG frame is incomplete; copy it again")
        start = after_tags(content, stop, end)
        following = start - begin if start < end and match_start(content, start, end) else None
        if following is None:
            check_rest(content, stop, end, source)
        header = _without_padding(content, first)
    start = first - begin + (len(header) + PADDING_BYTES if header else 0)
    return cast(BinaryIO, SplicedStream(header, stream, start, stop - begin)), following


def _without_padding(content: Content, position: int) -> bytes:
    """Return a frame without its padding byte; b"" if it has none.

    The decoder would take all frames to be padded as the first one is, hence their number to be lower than it is, and
    stop before the end. The last byte of a frame contains no audio: the encoder fills it up.
    """
    length, padding = _frame_at(content, position) or (0, 0)
    if not padding:
        return b""
    frame = bytearray(content[position : position + length])
    frame[2] &= ~HAS_PADDING
    return bytes(frame)


def _frame_at(content: Content, position: int) -> tuple[int, int] | None:
    """Return the length of a frame in bytes, without its padding, and that of the padding; None if there is none."""
    head = content[position : position + 3]
    if len(head) < 3 or head[0] != 0xFF or head[1] & 0xF6 != 0xF4:
        return None
    version, kilobits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version not in KILOBITS or kilobits in (0, 15) or rate == 3:
        return None
    return 144_000 * KILOBITS[version][kilobits] // RATES_HZ[version][rate], (head[2] & HAS_PADDING) >> 1
