"""Files that libsndfile does not read, from outside: of which kind, and whole as far as they can tell."""

import io
import os
import struct

import numpy as np
import pytest
from films import film

from overtone.audio.ffmpeg_formats import FFMPEG_SUFFIXES, ContainerFormat, detect_format
from overtone.errors import AudioError

SOUND = 0.1 * np.sin(np.arange(24_000) / 20).astype(np.float32)
WHOLE = {
    "mov": ("mp4", "aac"),
    "matroska": ("webm", "libopus"),
    "asf": ("asf", "wmav2"),
    "avi": ("avi", "mp3"),
    "flv": ("flv", "aac"),
    "aac": ("adts", "aac"),
    "mpegts": ("mpegts", "aac"),
    "mpeg": ("vob", "mp2"),
}


def looked_at(content: bytes) -> ContainerFormat | None:
    stream = io.BytesIO(content)
    return detect_format(stream, stream.seek(0, os.SEEK_END), "clip")


def made(demuxer: str) -> bytes:
    form, codec = WHOLE[demuxer]
    return film(form, codec, [SOUND], pictures=3 * (form == "vob"))


@pytest.mark.parametrize("demuxer", WHOLE)
def test_every_kind_is_known_by_its_content(demuxer: str) -> None:
    kind = looked_at(made(demuxer))
    assert kind is not None and kind.demuxer == demuxer


@pytest.mark.parametrize("demuxer", ["mov", "matroska", "asf", "avi", "flv"])
def test_one_missing_byte_is_seen(demuxer: str) -> None:
    content = made(demuxer)
    for missing in (1, 2, 100, len(content) // 2):
        with pytest.raises(AudioError, match=r"^clip: truncated"):
            looked_at(content[:-missing])


@pytest.mark.parametrize(
    "head", [b"RIFF\x10\0\0\0WAVEfmt ", b"fLaC", b"OggS", b"FORM\0\0\0\0AIFF", b"\xff\xfb\x90\0", b"text"]
)
def test_what_is_for_libsndfile(head: bytes) -> None:
    assert looked_at(head + bytes(600)) is None


@pytest.mark.parametrize(("head", "words"), [(b"PK\x03\x04", "ZIP"), (b"\xf0\x7e", "MIDI sample dump")])
def test_what_nothing_reads_says_what_to_do(head: bytes, words: str) -> None:
    with pytest.raises(
        AudioError, match=rf"^clip: {words} is not read; convert it first: ffmpeg -i INPUT OUTPUT\.wav$"
    ):
        looked_at(head + bytes(600))


def test_a_film_in_fragments_has_no_length_in_its_header() -> None:
    whole, parts = made("mov"), film("mp4", "aac", [SOUND], options={"movflags": "empty_moov+frag_every_frame"})
    assert [getattr(looked_at(content), "timed", None) for content in (whole, parts)] == [True, False]


def test_boxes_with_long_lengths_and_to_the_end_of_the_file() -> None:
    head = struct.pack(">I4s4s4x", 16, b"ftyp", b"M4A ")
    long = struct.pack(">I4sQ", 1, b"mdat", 116) + bytes(100)
    for content in (head + long, head + struct.pack(">I4s", 0, b"mdat") + bytes(77), head + long + b"\0" * 7):
        assert looked_at(content)
    for content in (head + long[:-1], head + struct.pack(">I4s", 7, b"mdat") + bytes(77)):
        with pytest.raises(AudioError, match="it ends within its box b'mdat'"):
            looked_at(content)


def test_quicktime_without_a_type() -> None:
    content = made("mov")
    kind = looked_at(content[struct.unpack(">I", content[:4])[0] :])
    assert kind is not None and kind.demuxer == "mov"


def test_lengths_that_are_left_open() -> None:
    """A recorder that writes as it goes does not know how long it will go on."""
    webm = film("webm", "libopus", [SOUND], options={"live": "1"})
    assert looked_at(webm) == looked_at(webm[:-10]) == looked_at(made("matroska"))
    asf = bytearray(made("asf"))
    flags = asf.index(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")) + 88
    asf[flags] |= 1
    assert looked_at(bytes(asf[:-10])) is not None
    avi = bytearray(made("avi"))
    avi[4:8] = bytes(4)
    assert looked_at(bytes(avi[:-10])) is not None


def test_a_long_avi_is_several_in_a_row() -> None:
    first = made("avi")
    assert len(first) % 2 == 0
    second = struct.pack("<4sI4s", b"RIFF", 104, b"AVIX") + bytes(100)
    assert looked_at(first + second) and looked_at(first + second + b"JUNK" + bytes(20))
    with pytest.raises(AudioError, match="truncated"):
        looked_at(first + second[:-1])


def test_headers_that_ask_for_all_there_is() -> None:
    asf = bytearray(made("asf"))
    asf[46:54] = b"\xff" * 8  # length of the first object of the header
    looked_at(bytes(asf))
    looked_at(b"\x1aE\xdf\xa3\x01" + b"\xff" * 7 + bytes(50))
    looked_at(b"\x1aE\xdf\xa3\x00" + bytes(50))
    with pytest.raises(AudioError, match="truncated"):
        looked_at(b"\0\0\0\1ftyp" + b"\xff" * 8 + bytes(50))


def test_source_code_is_no_film() -> None:
    assert not {".ts", ".mts"} & FFMPEG_SUFFIXES, "TypeScript, more often than not"
