"""Codecs that libsndfile does not decode, in containers that it knows: all of the sound, or an error."""

import io

import numpy as np
import pytest
import soundfile
from test_consecutive import noise
from video_files import encode_video

from overtone.audio import source
from overtone.audio.decode import read
from overtone.audio.fallback_formats import fallback_format
from overtone.errors import AudioError

SLACK_S = 0.09  # encoder delay, padding and the block length of codecs
SECONDS = 2.0
FORMATS = [
    ("wav", "g722", 16_000),
    ("wav", "adpcm_yamaha", 16_000),
    ("wav", "pcm_s64le", 16_000),
    ("wav", "eac3", 48_000),
    ("wav", "libopencore_amrnb", 8_000),
    ("w64", "g722", 16_000),
    ("w64", "flac", 16_000),
    ("caf", "alac", 16_000),
    ("caf", "adpcm_ima_wav", 16_000),
    ("caf", "flac", 16_000),
    ("au", "g722", 16_000),
    ("ogg", "flac", 48_000),
]
formats = pytest.mark.parametrize(("container", "codec", "rate_hz"), FORMATS)


def encode(container: str, codec: str, rate_hz: int) -> bytes:
    return encode_video(container, codec, [noise(SECONDS, rate_hz)], rate_hz)


@formats
def test_the_whole_recording_is_decoded(container: str, codec: str, rate_hz: int) -> None:
    content = encode(container, codec, rate_hz)
    with pytest.raises(soundfile.SoundFileError):
        soundfile.SoundFile(io.BytesIO(content))
    samples = read(content).samples
    assert len(samples) / 16_000 == pytest.approx(SECONDS, abs=SLACK_S)
    loudness = np.sqrt(np.mean(np.square(samples)))
    assert loudness == pytest.approx(np.sqrt(np.mean(np.square(read(wav(rate_hz)).samples))), rel=0.5)


def wav(rate_hz: int) -> bytes:
    return encode_video("wav", "pcm_s16le", [noise(SECONDS, rate_hz)], rate_hz)


@pytest.mark.parametrize("seconds", [2.0, 7.3])
@pytest.mark.parametrize(("container", "codec"), [("caf", "alac"), ("caf", "flac"), ("ogg", "flac"), ("w64", "flac")])
def test_lossless_codecs_keep_every_sample(container: str, codec: str, seconds: float) -> None:
    """The last frame is shorter than the others, and the padding that CAF declares is not in it."""
    samples = noise(seconds)
    decoded = read(encode_video(container, codec, [samples], 16_000)).samples
    np.testing.assert_allclose(decoded, samples, atol=2**-15)


@formats
@pytest.mark.parametrize("tenths", [3, 8])
def test_truncated_files_are_an_error(container: str, codec: str, rate_hz: int, tenths: int) -> None:
    content = encode(container, codec, rate_hz)
    with pytest.raises(AudioError):
        read(content[: len(content) * tenths // 10])


@formats
def test_without_pyav_there_is_an_error(
    container: str, codec: str, rate_hz: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "has_pyav", lambda: False)
    with pytest.raises(AudioError, match="try: ffmpeg"):
        read(encode(container, codec, rate_hz))


@pytest.mark.parametrize("container", ["WAV", "WAVEX", "W64", "RF64", "AIFF", "AU"])
@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"])
def test_the_codecs_of_libsndfile_are_left_to_it(container: str, subtype: str) -> None:
    """It refuses only damaged files with them, which FFmpeg would decode in part."""
    content = io.BytesIO()
    soundfile.write(content, noise(0.1), 16_000, format=container, subtype=subtype)
    assert fallback_format(content) is None


@pytest.mark.parametrize(("container", "subtype"), [("OGG", "VORBIS"), ("OGG", "OPUS"), ("CAF", "PCM_16")])
def test_other_containers_of_libsndfile_are_left_to_it(container: str, subtype: str) -> None:
    content = io.BytesIO()
    soundfile.write(content, noise(0.1), 16_000, format=container, subtype=subtype)
    assert fallback_format(content) is None


@pytest.mark.parametrize(
    ("codec", "rate_hz"),
    [
        ("g722", 16_000),
        ("adpcm_ima_wav", 16_000),
        ("adpcm_ms", 16_000),
        ("pcm_alaw", 8_000),
        ("pcm_u8", 16_000),
        ("libopencore_amrnb", 8_000),
        ("eac3", 48_000),
        ("aac", 16_000),
    ],
)
def test_an_avi_stores_no_times(codec: str, rate_hz: int) -> None:
    """FFmpeg derives them from lengths whose unit programs disagree on: they show no gap and no truncation."""
    content = encode("avi", codec, rate_hz)
    assert len(read(content).samples) / 16_000 == pytest.approx(SECONDS, abs=0.15)
    with pytest.raises(AudioError, match="truncated"):
        read(content[:-1])
