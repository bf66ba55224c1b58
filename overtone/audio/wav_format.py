"""Reads the format chunk of a WAV: its codec, and whether its samples are those that libsndfile takes them for.

Source: Microsoft and IBM, Multimedia Programming Interface 1.0, "Waveform Audio File Format"; Sony, W64 1.0 (GUIDs).
"""

import struct
from typing import NamedTuple

import numpy as np

from overtone.errors import AudioError

PROBED_BYTES = 2**16  # the format chunk may be behind the description of a broadcast recording
PCM, MP3_IN_WAV = 0x01, 0x55
W64_FORMAT_CHUNK = b"fmt \xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a"
MIN_PADDED_SAMPLES = 100  # that are not 0: fewer may have the same bytes by chance, as in near silence


class WavFormat(NamedTuple):
    """The format chunk of a WAV; `identifier` is the rest of it, which contains that of the codec if extensible."""

    codec: int
    channels: int
    rate_hz: int
    bytes_per_s: int
    frame_bytes: int
    bits: int
    identifier: bytes


def parse_wav_format(header: bytes) -> WavFormat | None:
    """Return the format chunk of a WAV, RF64 or W64; None without one, and for any other file.

    Args:
        header: the first bytes of the file.
    """
    if header[:4] not in (b"RIFF", b"RF64", b"riff"):
        return None
    name, skipped = (W64_FORMAT_CHUNK, 24) if header[:4] == b"riff" else (b"fmt ", 8)
    position = header.find(name, 12)
    content = header[position + skipped : position + skipped + 40]
    if position < 0 or len(content) < 16:
        return None
    codec, channels, rate_hz, bytes_per_s, frame_bytes, bits = struct.unpack_from("<HHIIHH", content)
    return WavFormat(codec, channels, rate_hz, bytes_per_s, frame_bytes, bits, content[24:])


def check_no_padding(header: bytes, found: WavFormat, source: str) -> None:
    """Check that there is no padding between the samples of a WAV, such as 16 bits in four bytes.

    libsndfile goes by the bits, as players do, and takes padding for samples; it knows 24 bits in four bytes. Larger
    frames alone are no sign of padding: web pages record mono with the frame size of stereo (Recorder.js).

    Args:
        header: the first bytes of the file.
        found: its format.
        source: its name, for messages.

    Raises:
        AudioError: there is padding.
    """
    sample_bytes = (found.bits + 7) // 8
    if found.codec != PCM or not sample_bytes or not found.channels:
        return
    padded_bytes = found.frame_bytes // found.channels
    if (found.bits == 24 and padded_bytes == 4) or padded_bytes <= sample_bytes:
        return
    start = header.find(b"data", 12) + 8
    content = np.frombuffer(header, np.uint8)[start:]
    samples = content[: len(content) // padded_bytes * padded_bytes].reshape(-1, padded_bytes)
    samples = samples[samples.any(axis=1)]
    if len(samples) >= MIN_PADDED_SAMPLES and _is_padded(samples, sample_bytes):
        raise AudioError(
            f"{source}: has samples of {found.bits} bits in {padded_bytes} bytes each, which its header does not "
            "declare as such; convert it with the program that made it"
        )


def _is_padded(samples: np.ndarray, sample_bytes: int) -> bool:
    """Return whether samples `(samples, bytes)`, in little-endian order, are extended by zeros or their sign."""
    if not samples[:, :-sample_bytes].any():
        return True
    is_signed = sample_bytes > 1  # 8 bits are not
    sign = np.where(samples[:, sample_bytes - 1] >= 128, 255, 0) if is_signed else np.zeros(len(samples))
    return bool((samples[:, sample_bytes:] == sign[:, None]).all())
