"""Ogg files with several logical streams: the first one with audio is decoded, wherever its first page is."""

import struct

import numpy as np
import pytest
from ogg_files import FIRST, LAST, make_page, split_pages, with_checksum, with_serial
from test_consecutive import check_whole, encoded

from overtone.audio.decode import read
from overtone.errors import AudioError

SKELETON = make_page(b"fishead\0" + struct.pack("<HH", 3, 0) + bytes(52), 99, 0, FIRST)
SKELETON_END = make_page(b"", 99, 1, LAST)
codecs = pytest.mark.parametrize("codec", ["VORBIS", "OPUS"])


@codecs
def test_an_index_in_front_of_the_audio(codec: str) -> None:
    content = encoded("OGG", codec)
    first, *rest = split_pages(content)
    for head in (SKELETON + first + SKELETON_END, first + SKELETON + SKELETON_END):
        indexed = head + b"".join(rest)
        np.testing.assert_array_equal(read(indexed).samples, read(content).samples)
        check_whole(indexed + content, 2)
        check_whole(content + indexed, 2)


@codecs
@pytest.mark.parametrize("other", ["VORBIS", "OPUS"])
def test_of_two_streams_of_audio_the_first_one_is_decoded(codec: str, other: str) -> None:
    first, *rest = split_pages(encoded("OGG", codec, seconds=1))
    second, *others = (with_serial(page, 77) for page in split_pages(encoded("OGG", other, seconds=2)))
    for heads in ((first + second, 1), (second + first, 2)):
        for body in (rest + others, others + rest):
            check_whole(heads[0] + b"".join(body), heads[1])


@codecs
@pytest.mark.parametrize("damage", ["missing", "repeated", "changed", "exchanged"])
def test_damage_in_the_middle_is_an_error(codec: str, damage: str) -> None:
    """The decoder would leave the page out: the rest would be earlier, and the declared length hide it."""
    pages = list(split_pages(encoded("OGG", codec, seconds=30)))
    middle = len(pages) // 2
    assert middle > 3
    kept, page = [pages[:middle], pages[middle + 1 :]], pages[middle]
    between = {
        "missing": [],
        "repeated": [page, page],
        "changed": [page[:-10] + bytes([page[-10] ^ 1]) + page[-9:]],
        "exchanged": [kept[1].pop(0), page],
    }[damage]
    with pytest.raises(AudioError, match=r"damaged: .*Ogg page"):
        read(b"".join([*kept[0], *between, *kept[1]]))


@codecs
def test_a_page_is_missing_behind_one_on_which_no_packet_ends(codec: str) -> None:
    pages = list(split_pages(encoded("OGG", codec, seconds=30)))
    middle = len(pages) // 2
    page = pages[middle]
    pages[middle] = with_checksum(page[:6] + struct.pack("<q", -1) + page[14:])
    assert read(b"".join(pages)).duration_s == pytest.approx(30, abs=0.1)
    with pytest.raises(AudioError, match=r"damaged: .*Ogg page"):
        read(b"".join(pages[: middle + 1] + pages[middle + 2 :]))


@codecs
def test_a_live_stream_that_was_joined_late_is_not_damaged(codec: str) -> None:
    pages = list(split_pages(encoded("OGG", codec, seconds=30)))
    headers = next(number for number, page in enumerate(pages) if struct.unpack_from("<q", page, 6)[0] > 0)
    joined = b"".join(pages[:headers] + pages[headers + 2 :])
    assert 0 < read(joined).duration_s < 30
