"""Files that are cut, damaged or lie about themselves end in an `AudioError`, never in anything else."""

import struct

import numpy as np
import pytest
from audio_files import FORMS, encoded, tone

from overtone.audio.decode import read
from overtone.errors import AudioError


def test_a_flac_that_does_not_say_its_length() -> None:
    content = bytearray(encoded(tone(16_000), 16_000, "FLAC"))
    content[21] &= 0xF0  # STREAMINFO: the low 4 of the 36 bits that count the samples, then the other 32
    content[22:26] = bytes(4)
    with pytest.raises(AudioError, match="gives no length"):
        read(bytes(content))


@pytest.mark.parametrize(("form", "depth"), FORMS)
@pytest.mark.parametrize("tenths", range(10))
def test_truncated_files(form: str, depth: str, tenths: int) -> None:
    content = encoded(tone(48_000, 1, channels=2), 48_000, form, depth)
    with pytest.raises(AudioError):
        read(content[: len(content) * tenths // 10])


@pytest.mark.parametrize("form", ["NIST", "VOC", "PAF", "IRCAM"])
def test_kinds_whose_truncation_nobody_would_notice(form: str) -> None:
    with pytest.raises(AudioError, match=rf"{form} is not read yet; convert it first: ffmpeg"):
        read(encoded(tone(16_000), 16_000, form))


def test_random_bytes(rng: np.random.Generator) -> None:
    heads = [b"", b"RIFF", b"OggS", b"fLaC", b"ID3", b"\xff\xfb", b"FORM", b".snd", b"RF64", b"caff", b"NIST"]
    for trial in range(220):
        content = heads[trial % len(heads)] + rng.bytes(int(rng.integers(0, 3_000)))
        with pytest.raises(AudioError):
            read(content)


@pytest.mark.parametrize(("form", "depth"), FORMS)
def test_flipped_bytes_end_in_sound_or_an_audio_error(form: str, depth: str, rng: np.random.Generator) -> None:
    original = encoded(tone(16_000, 0.3), 16_000, form, depth)
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


def test_a_header_that_asks_for_all_memory() -> None:
    """Files that claim 2**60 bytes or 2**36 samples: nothing of that size may be asked of the machine."""
    content = bytearray(encoded(np.zeros(500), 16_000, "W64"))
    position = content.index(b"data", 40) + 16
    content[position : position + 8] = struct.pack("<Q", 2**60)
    with pytest.raises(AudioError, match=f"promises {2**60 - 24} bytes of sound and holds 1000"):
        read(bytes(content))
    content = bytearray(encoded(tone(16_000), 16_000, "FLAC"))
    content[21] |= 0x0F  # STREAMINFO: the low 4 of the 36 bits that count the samples, then the other 32
    content[22:26] = b"\xff" * 4
    with pytest.raises(AudioError):
        read(bytes(content))
