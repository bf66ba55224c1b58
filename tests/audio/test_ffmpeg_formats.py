"""Files that libsndfile does not support: their format is detected, and truncated ones are refused."""

import io
import os
import struct

import numpy as np
import pytest
import soundfile
from video_files import encode_video

from overtone._internal.audio_suffixes import FFMPEG_SUFFIXES
from overtone.audio.decode import read
from overtone.audio.ffmpeg_formats import ContainerFormat, detect_format
from overtone.errors import AudioError

AUDIO = 0.1 * np.sin(np.arange(24_000) / 20).astype(np.float32)
ENCODINGS = {
    "mov": ("mp4", "aac"),
    "matroska": ("webm", "libopus"),
    "asf": ("asf", "wmav2"),
    "avi": ("avi", "mp3"),
    "flv": ("flv", "aac"),
    "aac": ("adts", "aac"),
    "mpegts": ("mpegts", "aac"),
    "mpeg": ("vob", "mp2"),
}


def detect(content: bytes) -> ContainerFormat | None:
    stream = io.BytesIO(content)
    return detect_format(stream, stream.seek(0, os.SEEK_END), "clip")


def make_file(demuxer: str) -> bytes:
    container, codec = ENCODINGS[demuxer]
    return encode_video(container, codec, [AUDIO], video_frames=3 * (container == "vob"))


@pytest.mark.parametrize("demuxer", ENCODINGS)
def test_every_format_is_detected_by_its_content(demuxer: str) -> None:
    detected = detect(make_file(demuxer))
    assert detected is not None and detected.demuxer == demuxer


@pytest.mark.parametrize("demuxer", ["mov", "matroska", "asf", "avi", "flv"])
def test_one_missing_byte_is_detected(demuxer: str) -> None:
    content = make_file(demuxer)
    for missing in (1, 2, 100, len(content) // 2):
        with pytest.raises(AudioError, match=r"^clip: truncated"):
            detect(content[:-missing])


@pytest.mark.parametrize(
    "header", [b"RIFF\x10\0\0\0WAVEfmt ", b"fLaC", b"OggS", b"FORM\0\0\0\0AIFF", b"\xff\xfb\x90\0", b"text"]
)
def test_formats_for_libsndfile_are_not_detected(header: bytes) -> None:
    assert detect(header + bytes(600)) is None


@pytest.mark.parametrize(
    ("header", "label"),
    [
        (b"PK\x03\x04", "ZIP"),
        (b"\xf0\x7e", "MIDI sample dump"),
        (b"DSD \x1c\0\0\0", "DSD"),
        (b"FRM8", "DSD"),
        (b"wvpk", "WavPack"),
        (b"\x0b\x77", "AC-3"),
    ],
)
def test_the_error_for_an_unsupported_format_says_what_to_do(header: bytes, label: str) -> None:
    with pytest.raises(
        AudioError, match=rf"^clip: {label} is not supported; convert it first: ffmpeg -i INPUT OUTPUT\.wav$"
    ):
        detect(header + bytes(600))


def test_a_fragmented_mp4_has_no_length_in_its_header() -> None:
    whole, parts = (
        make_file("mov"),
        encode_video("mp4", "aac", [AUDIO], options={"movflags": "empty_moov+frag_every_frame"}),
    )
    assert [getattr(detect(content), "has_duration", None) for content in (whole, parts)] == [True, False]


def test_boxes_with_long_lengths_and_to_the_end_of_the_file() -> None:
    header = struct.pack(">I4s4s4x", 16, b"ftyp", b"M4A ")
    long = struct.pack(">I4sQ", 1, b"mdat", 116) + bytes(100)
    for content in (header + long, header + struct.pack(">I4s", 0, b"mdat") + bytes(77), header + long + b"\0" * 7):
        assert detect(content)
    for content in (header + long[:-1], header + struct.pack(">I4s", 7, b"mdat") + bytes(77)):
        with pytest.raises(AudioError, match="it ends inside its box b'mdat'"):
            detect(content)


def test_quicktime_without_a_type_box() -> None:
    content = make_file("mov")
    detected = detect(content[struct.unpack(">I", content[:4])[0] :])
    assert detected is not None and detected.demuxer == "mov"


def test_files_without_a_declared_length() -> None:
    """A live recording does not declare its length."""
    webm = encode_video("webm", "libopus", [AUDIO], options={"live": "1"})
    assert detect(webm) == detect(webm[:-10]) == detect(make_file("matroska"))
    asf = bytearray(make_file("asf"))
    flags = asf.index(bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")) + 88
    asf[flags] |= 1
    assert detect(bytes(asf[:-10])) is not None
    avi = bytearray(make_file("avi"))
    avi[4:8] = bytes(4)
    assert detect(bytes(avi[:-10])) is not None


def test_a_long_avi_has_several_riff_chunks() -> None:
    first = make_file("avi")
    assert len(first) % 2 == 0
    second = struct.pack("<4sI4s", b"RIFF", 104, b"AVIX") + bytes(100)
    assert detect(first + second) and detect(first + second + b"JUNK" + bytes(20))
    with pytest.raises(AudioError, match="truncated"):
        detect(first + second[:-1])


def test_headers_with_huge_lengths() -> None:
    asf = bytearray(make_file("asf"))
    asf[46:54] = b"\xff" * 8  # length of the first object of the header
    detect(bytes(asf))
    detect(b"\x1aE\xdf\xa3\x01" + b"\xff" * 7 + bytes(50))
    detect(b"\x1aE\xdf\xa3\x00" + bytes(50))
    with pytest.raises(AudioError, match="truncated"):
        detect(b"\0\0\0\1ftyp" + b"\xff" * 8 + bytes(50))


def test_typescript_files_are_not_video() -> None:
    assert not {".ts", ".mts"} & FFMPEG_SUFFIXES, "TypeScript, more often than not"


@pytest.mark.parametrize(("container", "codec"), [("wav", "g722"), ("wav", "ac3")])
def test_codecs_that_libsndfile_refuses_are_decoded_with_pyav(container: str, codec: str) -> None:
    rate_hz = 16_000 if codec == "g722" else 48_000
    audio = (0.3 * np.sin(np.arange(rate_hz) / 20)).astype(np.float32)
    content = encode_video(container, codec, [audio], rate_hz)
    with pytest.raises(soundfile.SoundFileError):
        soundfile.SoundFile(io.BytesIO(content))
    assert read(content).duration_s == pytest.approx(1, abs=0.05)
    assert read(content + content).duration_s == pytest.approx(2, abs=0.1)
    with pytest.raises(AudioError, match="truncated"):
        read(content[:-200])
    with pytest.MonkeyPatch.context() as patch, pytest.raises(AudioError, match="not a readable audio file"):
        patch.setattr("overtone.audio.source.has_pyav", lambda: False)
        read(content)
