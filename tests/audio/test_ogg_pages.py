"""Ogg files with several logical streams: the first one with audio is decoded, wherever its first page is."""

import struct

import numpy as np
import pytest
from ogg_files import FIRST, LAST, make_page, split_pages, with_serial
from test_consecutive import check_whole, encoded

from overtone.audio.decode import read

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
