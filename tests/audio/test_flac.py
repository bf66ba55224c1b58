"""The length of a FLAC is that of its last frame."""

import io
import struct

import numpy as np
import pytest
import soundfile

from overtone.audio.decode import read
from overtone.errors import AudioError


def flac(seconds: float = 2.0, channels: int = 1, subtype: str = "PCM_16") -> bytes:
    stream = io.BytesIO()
    samples = np.random.default_rng(1).normal(0, 0.2, (round(16_000 * seconds), channels)).clip(-1, 1)
    soundfile.write(stream, samples, 16_000, format="FLAC", subtype=subtype)
    return stream.getvalue()


def with_count(content: bytes, samples: int) -> bytes:
    """Return the file with another declared number of samples, 36 bits."""
    patched = bytearray(content)
    patched[21] = patched[21] & 0xF0 | samples >> 32
    patched[22:26] = struct.pack(">I", samples & 0xFFFFFFFF)
    return bytes(patched)


@pytest.mark.parametrize("seconds", [0.01, 0.256, 2.0, 40.0])
@pytest.mark.parametrize(("channels", "subtype"), [(1, "PCM_16"), (2, "PCM_24"), (1, "PCM_S8")])
@pytest.mark.parametrize("declared", [0, 100])
def test_a_length_that_is_missing_or_too_short(seconds: float, channels: int, subtype: str, declared: int) -> None:
    content = flac(seconds, channels, subtype)
    found = read(with_count(content, declared)).samples
    np.testing.assert_array_equal(found, read(content).samples)
    tagged = with_count(content, declared) + b"TAG" + bytes(range(125))
    np.testing.assert_array_equal(read(tagged).samples, found)


@pytest.mark.parametrize("missing_bytes", [1, 100, 5_000])
def test_a_truncated_file_without_a_length(missing_bytes: int) -> None:
    with pytest.raises(AudioError, match=r"^audio in memory: truncated: its last FLAC frame is incomplete; copy"):
        read(with_count(flac(), 0)[:-missing_bytes])


def test_a_length_that_is_too_long() -> None:
    with pytest.raises(AudioError, match=r"32001 samples declared, and its last frame ends after 32000"):
        read(with_count(flac(), 32_001))


def test_frames_of_another_recording_at_the_end() -> None:
    with pytest.raises(AudioError, match=r"split the file|last frame ends"):
        read(flac() + flac(1.0)[8_000:])
