"""Any bytes give finite mono audio at 16 kHz or an `AudioError` of one line, and no other exception."""

import io

import hypothesis
import numpy as np
import soundfile
from hypothesis import strategies as st

from overtone.audio.decode import from_array, read
from overtone.errors import AudioError

bounded = hypothesis.settings(max_examples=150, deadline=None, derandomize=True, database=None)

SUBTYPES = {"WAV": "PCM_16", "FLAC": "PCM_16", "OGG": "VORBIS", "MP3": "MPEG_LAYER_III", "AIFF": "PCM_24", "AU": "ULAW"}


def _encode(container: str) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, 0.4 * np.sin(np.arange(4_000) / 6), 16_000, format=container, subtype=SUBTYPES[container])
    return stream.getvalue()


FILES = {container: _encode(container) for container in SUBTYPES}


def check_audio_or_audio_error(content: bytes) -> None:
    try:
        waveform = read(content)
    except AudioError as error:
        assert "\n" not in str(error)
        assert str(error).startswith("audio in memory: ")
    else:
        assert waveform.samples.dtype == np.float32
        assert len(waveform.samples) > 0
        assert np.isfinite(waveform.samples).all()


@bounded
@hypothesis.given(
    st.sampled_from([b"", b"RIFF\0\0\0\0WAVE", b"OggS", b"fLaC", b"\xff\xfb", b"FORM"]), st.binary(max_size=999)
)
def test_any_bytes(header: bytes, rest: bytes) -> None:
    check_audio_or_audio_error(header + rest)


@bounded
@hypothesis.given(
    st.sampled_from(sorted(SUBTYPES)),
    st.lists(st.tuples(st.integers(0, 200), st.integers(0, 255)), max_size=6),
    st.integers(0, 2_000),
)
def test_any_damage(container: str, changes: list[tuple[int, int]], cut_bytes: int) -> None:
    content = bytearray(FILES[container])
    for position, value in changes:
        content[position] = value
    check_audio_or_audio_error(bytes(content[: len(content) - cut_bytes]))


@bounded
@hypothesis.given(
    st.sampled_from(["int8", "uint8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64", "bool"]),
    st.lists(st.integers(0, 9), min_size=0, max_size=3),
    st.binary(min_size=64, max_size=64),
    st.floats(allow_nan=True, allow_infinity=True),
)
def test_any_array(dtype: str, shape: list[int], content: bytes, rate_hz: float) -> None:
    samples = np.resize(np.frombuffer(content, dtype), shape)
    for rate in (rate_hz, 16_000, 44_100):
        try:
            assert np.isfinite(from_array(samples, rate).samples).all()
        except AudioError as error:
            assert str(error).startswith("array: ")
