"""Truncated files of every format are detected before decoding, and complete ones pass."""

import io
import struct

import numpy as np
import pytest
import soundfile

from overtone.audio.containers import find_recordings
from overtone.audio.decode import read
from overtone.errors import AudioError


def encoded(container: str, subtype: str = "PCM_16", endian: str = "FILE") -> bytes:
    stream = io.BytesIO()
    samples = 0.3 * np.sin(np.arange(40_000) / 9)
    soundfile.write(stream, samples, 16_000, format=container, subtype=subtype, endian=endian)
    return stream.getvalue()


CHECKED = [
    *[(container, "PCM_16") for container in ("WAV", "RF64", "AIFF", "AU", "W64", "CAF")],
    *[(container, "ULAW") for container in ("WAV", "AU", "W64", "CAF")],
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
]


@pytest.mark.parametrize(("container", "subtype"), [*CHECKED, ("FLAC", "PCM_16"), ("MP3", "MPEG_LAYER_III")])
def test_complete_files_pass_and_the_stream_is_rewound(container: str, subtype: str) -> None:
    stream = io.BytesIO(encoded(container, subtype))
    (recording,) = find_recordings(stream, "clip")
    assert recording.stream is stream and recording.container_format is None
    assert stream.tell() == 0


@pytest.mark.parametrize(("container", "subtype"), CHECKED)
def test_one_missing_byte_is_detected(container: str, subtype: str) -> None:
    with pytest.raises(AudioError, match=r"^clip: truncated"):
        find_recordings(io.BytesIO(encoded(container, subtype)[:-1]), "clip")


@pytest.mark.parametrize(("container", "endian"), [("AU", "LITTLE"), ("CAF", "LITTLE")])
def test_both_byte_orders(container: str, endian: str) -> None:
    content = encoded(container, endian=endian)
    find_recordings(io.BytesIO(content), "clip")
    with pytest.raises(AudioError, match="truncated"):
        find_recordings(io.BytesIO(content[: len(content) // 2]), "clip")


@pytest.mark.parametrize(
    ("container", "subtype"), [("AU", "PCM_16"), ("W64", "PCM_16"), ("CAF", "PCM_16"), ("CAF", "ALAC_16")]
)
@pytest.mark.parametrize("tenths", range(1, 10))
def test_truncated_files_are_an_error(container: str, subtype: str, tenths: int) -> None:
    content = encoded(container, subtype)
    assert len(read(content).samples) == 40_000
    with pytest.raises(AudioError, match=r"^audio in memory: "):
        read(content[: len(content) * tenths // 10])


def test_an_au_without_a_declared_length() -> None:
    content = bytearray(encoded("AU")[:50_000])
    content[8:12] = b"\xff" * 4
    assert len(read(bytes(content)).samples) == (50_000 - 24) // 2


def test_a_caf_without_a_declared_length() -> None:
    content = bytearray(encoded("CAF"))
    position = content.index(b"data") + 4
    content[position : position + 8] = struct.pack(">q", -1)
    find_recordings(io.BytesIO(content), "clip")


@pytest.mark.parametrize(
    "content",
    [
        b"caff\0\1\0\0" + b"free" + struct.pack(">q", -12) + bytes(40),
        b"riff" + bytes(36) + b"junk" + bytes(12) + struct.pack("<Q", 3) + bytes(40),
    ],
)
def test_chunks_of_invalid_length(content: bytes) -> None:
    with pytest.raises(AudioError, match=r"^clip: damaged: a chunk of invalid length"):
        find_recordings(io.BytesIO(content), "clip")


def test_a_w64_with_a_chunk_before_the_audio_data() -> None:
    content = encoded("W64")
    chunk = b"junk" + bytes(12) + struct.pack("<Q", 24 + 3) + b"abc" + bytes(5)
    find_recordings(io.BytesIO(content[:40] + chunk + content[40:]), "clip")
    with pytest.raises(AudioError, match="declares 80000 bytes of audio and has 79999"):
        find_recordings(io.BytesIO(content[:40] + chunk + content[40:-1]), "clip")


def test_big_endian_wav() -> None:
    content = encoded("WAV", endian="BIG")
    assert content[:4] == b"RIFX"
    find_recordings(io.BytesIO(content), "clip")
    with pytest.raises(AudioError, match="truncated"):
        find_recordings(io.BytesIO(content[:-2]), "clip")


@pytest.mark.parametrize("declared", [3_000_000_000, 4_000_000_000, 2_000])
def test_a_header_that_declares_too_many_bytes(declared: int) -> None:
    content = bytearray(encoded("WAV")[:1_000])
    content[40:44] = struct.pack("<I", declared)
    with pytest.raises(AudioError, match=rf"declares {declared} bytes of audio and has 956"):
        find_recordings(io.BytesIO(content), "clip")


def test_chunks_around_the_audio_data_are_allowed() -> None:
    content = encoded("WAV")
    chunk = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    find_recordings(io.BytesIO(content[:12] + chunk + content[12:] + chunk), "clip")
    with pytest.raises(AudioError, match="truncated"):
        find_recordings(io.BytesIO(content[:12] + chunk + content[12:-1]), "clip")


def test_the_number_of_chunks_is_limited() -> None:
    with pytest.raises(AudioError, match="damaged"):
        find_recordings(io.BytesIO(b"RIFF\0\0\0\0WAVE" + (b"junk" + bytes(4)) * 20_000), "clip")


def test_an_ogg_may_end_on_a_page_that_is_not_the_last_but_not_within_one() -> None:
    content = encoded("OGG", "OPUS")
    last = content.rindex(b"OggS")
    find_recordings(io.BytesIO(content[:last]), "clip")
    find_recordings(io.BytesIO(content + b"TAG of some tool"), "clip")
    for cut in (1, 20, 27, 30):
        with pytest.raises(AudioError, match="Ogg page is incomplete"):
            find_recordings(io.BytesIO(content[: last + cut]), "clip")


def test_an_empty_file() -> None:
    with pytest.raises(AudioError, match="empty"):
        find_recordings(io.BytesIO(b""), "clip")
