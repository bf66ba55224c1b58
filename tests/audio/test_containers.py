import io
import struct

import numpy as np
import pytest
import soundfile

from overtone.audio.containers import check_complete
from overtone.audio.decode import read
from overtone.errors import AudioError


def encoded(form: str, depth: str = "PCM_16", endian: str = "FILE") -> bytes:
    stream = io.BytesIO()
    samples = 0.3 * np.sin(np.arange(40_000) / 9)
    soundfile.write(stream, samples, 16_000, format=form, subtype=depth, endian=endian)
    return stream.getvalue()


CHECKED = [
    *[(form, "PCM_16") for form in ("WAV", "RF64", "AIFF", "AU", "W64", "CAF")],
    *[(form, "ULAW") for form in ("WAV", "AU", "W64", "CAF")],
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
]


@pytest.mark.parametrize(("form", "depth"), [*CHECKED, ("FLAC", "PCM_16"), ("MP3", "MPEG_LAYER_III")])
def test_whole_files_pass_and_the_stream_is_back_at_its_start(form: str, depth: str) -> None:
    stream = io.BytesIO(encoded(form, depth))
    assert check_complete(stream, "clip") is None
    assert stream.tell() == 0


@pytest.mark.parametrize(("form", "depth"), CHECKED)
def test_one_missing_byte_is_seen(form: str, depth: str) -> None:
    with pytest.raises(AudioError, match=r"^clip: truncated"):
        check_complete(io.BytesIO(encoded(form, depth)[:-1]), "clip")


@pytest.mark.parametrize(("form", "endian"), [("AU", "LITTLE"), ("CAF", "LITTLE")])
def test_the_other_byte_order(form: str, endian: str) -> None:
    content = encoded(form, endian=endian)
    check_complete(io.BytesIO(content), "clip")
    with pytest.raises(AudioError, match="truncated"):
        check_complete(io.BytesIO(content[: len(content) // 2]), "clip")


@pytest.mark.parametrize(
    ("form", "depth"), [("AU", "PCM_16"), ("W64", "PCM_16"), ("CAF", "PCM_16"), ("CAF", "ALAC_16")]
)
@pytest.mark.parametrize("tenths", range(1, 10))
def test_files_that_are_cut_anywhere_are_no_sound(form: str, depth: str, tenths: int) -> None:
    content = encoded(form, depth)
    assert len(read(content).samples) == 40_000
    with pytest.raises(AudioError, match=r"^sound in memory: "):
        read(content[: len(content) * tenths // 10])


def test_an_au_that_leaves_its_length_open() -> None:
    content = bytearray(encoded("AU")[:50_000])
    content[8:12] = b"\xff" * 4
    assert len(read(bytes(content)).samples) == (50_000 - 24) // 2


def test_a_caf_that_leaves_its_length_open() -> None:
    content = bytearray(encoded("CAF"))
    position = content.index(b"data") + 4
    content[position : position + 8] = struct.pack(">q", -1)
    check_complete(io.BytesIO(content), "clip")


@pytest.mark.parametrize(
    "content",
    [
        b"caff\0\1\0\0" + b"free" + struct.pack(">q", -12) + bytes(40),
        b"riff" + bytes(36) + b"junk" + bytes(12) + struct.pack("<Q", 3) + bytes(40),
    ],
)
def test_chunks_of_impossible_length(content: bytes) -> None:
    with pytest.raises(AudioError, match=r"^clip: damaged: a chunk of impossible length"):
        check_complete(io.BytesIO(content), "clip")


def test_a_w64_with_a_chunk_before_the_sound() -> None:
    content = encoded("W64")
    odd = b"junk" + bytes(12) + struct.pack("<Q", 24 + 3) + b"abc" + bytes(5)
    check_complete(io.BytesIO(content[:40] + odd + content[40:]), "clip")
    with pytest.raises(AudioError, match="promises 80000 bytes of sound and holds 79999"):
        check_complete(io.BytesIO(content[:40] + odd + content[40:-1]), "clip")


def test_big_endian_wav() -> None:
    content = encoded("WAV", endian="BIG")
    assert content[:4] == b"RIFX"
    check_complete(io.BytesIO(content), "clip")
    with pytest.raises(AudioError, match="truncated"):
        check_complete(io.BytesIO(content[:-2]), "clip")


@pytest.mark.parametrize("claim", [0xFFFFFFFF, 4_000_000_000, 2_000])
def test_a_header_that_promises_more_than_there_is(claim: int) -> None:
    content = bytearray(encoded("WAV")[:1_000])
    content[40:44] = struct.pack("<I", claim)
    with pytest.raises(AudioError, match=rf"promises {claim} bytes of sound and holds 956"):
        check_complete(io.BytesIO(content), "clip")


def test_chunks_around_the_sound_are_allowed() -> None:
    content = encoded("WAV")
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    check_complete(io.BytesIO(content[:12] + odd + content[12:] + odd), "clip")
    with pytest.raises(AudioError, match="truncated"):
        check_complete(io.BytesIO(content[:12] + odd + content[12:-1]), "clip")


def test_endless_chunks_end() -> None:
    with pytest.raises(AudioError, match="damaged"):
        check_complete(io.BytesIO(b"RIFF\0\0\0\0WAVE" + (b"junk" + bytes(4)) * 20_000), "clip")


def test_an_ogg_may_end_on_a_page_that_is_not_the_last_but_not_within_one() -> None:
    content = encoded("OGG", "OPUS")
    last = content.rindex(b"OggS")
    check_complete(io.BytesIO(content[:last]), "clip")
    check_complete(io.BytesIO(content + b"TAG of some tool"), "clip")
    for cut in (1, 20, 27, 30):
        with pytest.raises(AudioError, match="Ogg page is cut"):
            check_complete(io.BytesIO(content[: last + cut]), "clip")


def test_an_empty_file() -> None:
    with pytest.raises(AudioError, match="empty"):
        check_complete(io.BytesIO(b""), "clip")
