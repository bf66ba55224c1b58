"""Truncated and damaged files, and files with wrong headers, give an `AudioError` and no other exception."""

import struct

import numpy as np
import pytest
from audio_files import FORMATS, encoded, tone

from overtone.audio.decode import read
from overtone.errors import AudioError


@pytest.mark.parametrize(("container", "subtype"), FORMATS)
@pytest.mark.parametrize("tenths", range(10))
def test_truncated_files(container: str, subtype: str, tenths: int) -> None:
    content = encoded(tone(48_000, 1, channels=2), 48_000, container, subtype)
    with pytest.raises(AudioError):
        read(content[: len(content) * tenths // 10])


@pytest.mark.parametrize("container", ["NIST", "VOC", "PAF", "IRCAM"])
def test_formats_whose_truncation_cannot_be_detected_are_refused(container: str) -> None:
    with pytest.raises(AudioError, match=rf"{container} is not supported; convert it first: ffmpeg"):
        read(encoded(tone(16_000), 16_000, container))


def test_random_bytes(rng: np.random.Generator) -> None:
    headers = [b"", b"RIFF", b"OggS", b"fLaC", b"ID3", b"\xff\xfb", b"FORM", b".snd", b"RF64", b"caff", b"NIST"]
    for trial in range(220):
        content = headers[trial % len(headers)] + rng.bytes(int(rng.integers(0, 3_000)))
        with pytest.raises(AudioError):
            read(content)


@pytest.mark.parametrize(("container", "subtype"), FORMATS)
def test_flipped_bytes_give_audio_or_an_audio_error(container: str, subtype: str, rng: np.random.Generator) -> None:
    original = encoded(tone(16_000, 0.3), 16_000, container, subtype)
    refused = 0
    for _ in range(60):
        content = bytearray(original)
        for position in rng.integers(0, min(len(content), 120), 3):
            content[position] = rng.integers(256)
        try:
            assert np.isfinite(read(bytes(content)).samples).all()
        except AudioError:
            refused += 1
    assert refused > 0


def test_huge_declared_lengths_allocate_no_memory() -> None:
    """Files that declare 2**60 bytes or 2**36 samples: no memory of that size may be allocated."""
    content = bytearray(encoded(np.zeros(500), 16_000, "W64"))
    position = content.index(b"data", 40) + 16
    content[position : position + 8] = struct.pack("<Q", 2**60)
    with pytest.raises(AudioError, match=f"declares {2**60 - 24} bytes of audio and has 1000"):
        read(bytes(content))
    content = bytearray(encoded(tone(16_000), 16_000, "FLAC"))
    content[21] |= 0x0F  # STREAMINFO: the low 4 of the 36 bits that count the samples, then the other 32
    content[22:26] = b"\xff" * 4
    with pytest.raises(AudioError):
        read(bytes(content))
