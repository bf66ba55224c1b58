"""WAV files whose frame size is not that of their channels and bits: padding is refused, a wrong number is not."""

import io
import struct

import numpy as np
import pytest
import soundfile
from test_consecutive import noise

from overtone.audio.decode import read
from overtone.errors import AudioError

RATE_HZ = 16_000


def wav(samples: np.ndarray) -> bytes:
    content = io.BytesIO()
    soundfile.write(content, samples, RATE_HZ, format="WAV", subtype="PCM_16")
    return content.getvalue()


def with_frame_size(content: bytes, frame_bytes: int, bytes_per_s: int | None = None) -> bytes:
    header = bytearray(content)
    struct.pack_into("<IH", header, 28, RATE_HZ * frame_bytes if bytes_per_s is None else bytes_per_s, frame_bytes)
    return bytes(header)


@pytest.mark.parametrize("frame_bytes", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("bytes_per_s", [None, 0])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("silence_s", [0.0, 2.5])
def test_a_wrong_frame_size(frame_bytes: int, bytes_per_s: int | None, channels: int, silence_s: float) -> None:
    """Recorder.js, with which many web pages record, writes mono with the frame size of stereo."""
    samples = noise(3.0, channels=channels)
    samples[: int(silence_s * RATE_HZ)] = 0
    samples[::2_000] = 2.0**-15  # fewer than a padded recording has
    content = wav(samples)
    np.testing.assert_array_equal(
        read(with_frame_size(content, frame_bytes, bytes_per_s)).samples, read(content).samples
    )


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("shift", [0, 16])
@pytest.mark.parametrize("bits", [8, 16])
def test_padding_is_not_taken_for_samples(channels: int, shift: int, bits: int) -> None:
    samples = np.int16(32_767 * noise(1.0, channels=channels)).reshape(-1).astype("<i4")
    samples = samples if bits == 16 else (samples >> 8) + 128
    content = bytearray(with_frame_size(wav(noise(2.0, channels=channels)), 4 * channels))
    struct.pack_into("<H", content, 34, bits)
    padded = bytes(content[:44]) + (samples << (shift + 16 - bits if shift else 0)).tobytes()
    with pytest.raises(AudioError, match=f"^audio in memory: has samples of {bits} bits in 4 bytes each"):
        read(padded)
