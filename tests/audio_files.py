"""Encodes audio files in memory in every supported format, for decoding tests."""

import io

import numpy as np
import soundfile

TONE_HZ = 440.0
FORMATS = [
    *[("WAV", depth) for depth in ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW")],
    ("FLAC", "PCM_S8"),
    ("FLAC", "PCM_16"),
    ("FLAC", "PCM_24"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
    ("AIFF", "PCM_16"),
]


def tone(rate_hz: float, seconds: float = 0.5, hz: float = TONE_HZ, channels: int = 1) -> np.ndarray:
    """Return a sine at half of full scale, `(samples,)` or `(samples, channels)`."""
    mono = 0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate_hz)) / rate_hz)
    return mono if channels == 1 else np.repeat(mono[:, None], channels, axis=1)


def encoded(samples: np.ndarray, rate_hz: int, container: str = "WAV", subtype: str = "PCM_16") -> bytes:
    """Return the content of a file with these samples."""
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate_hz, format=container, subtype=subtype)
    return stream.getvalue()
