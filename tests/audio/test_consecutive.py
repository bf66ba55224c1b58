"""Matrix of containers and lengths: all of the sound is decoded, or there is an error; never silently a part of it."""

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
import soundfile
from video_files import FORMATS as VIDEO_FORMATS
from video_files import encode_video

from overtone.audio.blocks import blocks, count_channels
from overtone.audio.decode import read
from overtone.errors import AudioError

RATE_HZ = 16_000
SLACK_S = 0.09  # encoder delay, padding and the block length of ADPCM
VIDEO_SLACK_S = 0.09  # the same of one AAC or MP3 recording, at 48 kHz
CONTAINERS = [
    *[("WAV", subtype, "FILE") for subtype in ("PCM_16", "PCM_24", "FLOAT", "ULAW", "IMA_ADPCM", "MS_ADPCM")],
    ("WAV", "PCM_16", "BIG"),
    ("WAVEX", "PCM_16", "FILE"),
    ("RF64", "PCM_16", "FILE"),
    ("W64", "PCM_16", "FILE"),
    ("AIFF", "PCM_16", "FILE"),
    ("AIFF", "ULAW", "FILE"),
    ("AU", "PCM_16", "FILE"),
    ("AU", "PCM_16", "LITTLE"),
    ("CAF", "PCM_16", "FILE"),
    ("CAF", "ALAC_16", "FILE"),
    ("FLAC", "PCM_16", "FILE"),
    ("FLAC", "PCM_24", "FILE"),
    ("OGG", "VORBIS", "FILE"),
    ("OGG", "OPUS", "FILE"),
    ("MP3", "MPEG_LAYER_III", "FILE"),
]
# Where the header of a format declares the length of the audio, and the values that mean that it is not known.
LENGTH_FIELDS: dict[str, tuple[Callable[[bytes], int], str, tuple[int, ...]]] = {
    "WAV": (lambda c: c.index(b"data") + 4, "I", (0, 2**31 - 1, 2**31 - 45, 2**31, 0x7FFFF000, 2**32 - 1, 2**32 - 37)),
    "WAVEX": (lambda c: c.index(b"data") + 4, "I", (0, 2**31 - 1, 2**32 - 1)),
    "RF64": (lambda c: c.index(b"ds64") + 16, "Q", (0, 2**63 - 1, 2**64 - 1)),
    "W64": (lambda c: c.index(b"data", 40) + 16, "Q", (0, 24, 2**63 - 1, 2**64 - 1)),
    "AIFF": (lambda c: c.index(b"SSND") + 4, "I", (0, 8, 2**31 - 1, 2**32 - 1)),
    "AU": (lambda c: 8, "I", (0, 2**31 - 1, 2**32 - 1)),
    "CAF": (lambda c: c.index(b"data") + 4, "Q", (0, 4, 2**63 - 1, 2**64 - 1)),
}
WITH_LENGTH_FIELD = [row for row in CONTAINERS if row[0] in LENGTH_FIELDS]


def noise(seconds: float, rate_hz: int = RATE_HZ, channels: int = 1) -> np.ndarray:
    """Return noise that fades in and out: silence at an end would hide what is missing."""
    samples = round(seconds * rate_hz)
    faded = np.random.default_rng(1).normal(0, 0.2, (samples, channels)) * np.hanning(samples)[:, None]
    return (faded[:, 0] if channels == 1 else faded).clip(-1, 1).astype(np.float32)


def encoded(
    container: str, subtype: str, endian: str = "FILE", seconds: float = 1.0, rate_hz: int = RATE_HZ, channels: int = 1
) -> bytes:
    stream = io.BytesIO()
    samples = noise(seconds, rate_hz, channels)
    soundfile.write(stream, samples, rate_hz, format=container, subtype=subtype, endian=endian)
    return stream.getvalue()


def with_length(content: bytes, container: str, length: int) -> bytes:
    """Return the file with another declared length of the audio."""
    position, size, _ = LENGTH_FIELDS[container]
    order = ">" if content[:4] in (b"RIFX", b"FORM", b".snd", b"caff") else "<"
    patched = bytearray(content)
    struct.pack_into(order + size, patched, position(content), length)
    return bytes(patched)


def check_whole(content: bytes, seconds: float, slack_s: float = SLACK_S) -> None:
    """Check that the file decodes to its end, at once and block by block."""
    samples = read(content).samples
    assert len(samples) / 16_000 == pytest.approx(seconds, abs=slack_s)
    np.testing.assert_array_equal(np.concatenate(list(blocks(content))), samples)


def check_whole_or_error(content: bytes, seconds: float, slack_s: float = SLACK_S) -> None:
    try:
        duration_s = read(content).duration_s
    except AudioError:
        return
    assert duration_s >= seconds - slack_s


@pytest.mark.parametrize(("container", "subtype", "endian"), CONTAINERS)
def test_recordings_in_a_row(container: str, subtype: str, endian: str) -> None:
    first, second = (encoded(container, subtype, endian, seconds) for seconds in (1, 0.5))
    check_whole(first, 1)
    check_whole(first + second, 1.5)
    check_whole(first + second + first, 2.5)
    check_whole(first + encoded("WAV", "PCM_16", seconds=0.5), 1.5) if container not in ("OGG", "MP3", "FLAC") else None
    with pytest.raises(AudioError, match="2 recordings of different sampling rates, 8000 to 16000 Hz; split"):
        read(first + encoded(container, subtype, endian, rate_hz=8_000))


@pytest.mark.parametrize(("container", "subtype", "endian"), CONTAINERS)
def test_intervals_across_recordings(container: str, subtype: str, endian: str) -> None:
    first, second = (encoded(container, subtype, endian, seconds) for seconds in (1, 0.5))
    whole, interval = read(first + second).samples, read(first + second, start_s=0.75, end_s=1.25).samples
    assert len(interval) == 8_000
    np.testing.assert_allclose(interval, whole[12_000:20_000], atol=2e-4)
    first_s = read(first).duration_s
    later = read(first + second, start_s=first_s).samples
    assert np.corrcoef(later[2_000:6_000], read(second).samples[2_000:6_000])[0, 1] > 0.99


@pytest.mark.parametrize(("container", "subtype", "endian"), CONTAINERS)
@pytest.mark.parametrize("rest", ["sound", "zeros", "tag", "another format", "tagged MP3"])
def test_what_follows_a_recording(container: str, subtype: str, endian: str, rest: str) -> None:
    first, second = (encoded(container, subtype, endian, seconds) for seconds in (1, 0.5))
    if rest == "zeros":
        check_whole(first + bytes(3_000), 1)
    elif rest == "tag":
        check_whole(first + b"TAG" + bytes(range(125)), 1)
    elif rest == "tagged MP3":
        id3 = b"ID3\x04\0\0\0\0\0\x20" + bytes(32)
        check_whole_or_error(first + id3 + encoded("MP3", "MPEG_LAYER_III", seconds=0.5), 1.5)
        check_whole(first + id3, 1)
    elif rest == "sound":
        check_whole_or_error(first + second[len(second) // 2 :], 1.2)
    else:
        check_whole_or_error(first + encoded("FLAC" if container != "FLAC" else "AIFF", "PCM_16", seconds=0.5), 1.5)


@pytest.mark.parametrize(("container", "subtype", "endian"), WITH_LENGTH_FIELD)
def test_an_unknown_length_is_that_of_the_file(container: str, subtype: str, endian: str) -> None:
    first, second = (encoded(container, subtype, endian, seconds) for seconds in (1, 0.5))
    expected = read(first).samples
    for length in LENGTH_FIELDS[container][2]:
        unknown = with_length(first, container, length)
        np.testing.assert_array_equal(read(unknown).samples, expected)
        check_whole(unknown + with_length(second, container, length), 1.5)


@pytest.mark.parametrize(("container", "subtype", "endian"), WITH_LENGTH_FIELD)
def test_a_wrong_length(container: str, subtype: str, endian: str) -> None:
    content = encoded(container, subtype, endian)
    for length in (len(content) // 4 * 2, len(content) + 200, 2 * len(content), 3_000_000_000):
        with pytest.raises(AudioError):
            read(with_length(content, container, length))


@pytest.mark.parametrize("container", ["WAV", "AIFF", "AU", "CAF", "RF64"])
@pytest.mark.parametrize("less", [0, 8])
def test_a_length_that_counts_the_header(container: str, less: int) -> None:
    content = encoded(container, "PCM_16")
    counted = with_length(content, container, len(content) - less)
    np.testing.assert_array_equal(read(counted).samples, read(content).samples)


@pytest.mark.parametrize(("container", "codec", "_"), VIDEO_FORMATS)
def test_recordings_in_a_row_in_other_containers(container: str, codec: str, _: int) -> None:
    first, second = (encode_video(container, codec, [noise(seconds, 48_000)]) for seconds in (1.0, 0.5))
    check_whole(first + second, 1.5, VIDEO_SLACK_S)
    check_whole_or_error(first + second[len(second) // 2 :], 1.2)


def test_channels_of_recordings_in_a_row() -> None:
    stereo, mono = encoded("WAV", "PCM_16", channels=2), encoded("WAV", "PCM_16")
    assert count_channels(stereo + stereo) == 2
    right = read(stereo, channel="right").samples
    np.testing.assert_array_equal(read(stereo + stereo, channel="right").samples, np.concatenate([right, right]))
    check_whole(stereo + mono, 2)
    with pytest.raises(AudioError, match="different numbers of channels; split it, or choose mix"):
        read(stereo + mono, channel="right")


def test_a_damaged_recording_behind_another_one() -> None:
    first = encoded("WAV", "PCM_16")
    with pytest.raises(AudioError, match="truncated"):
        read(first + first[:-100])


def test_too_many_recordings() -> None:
    with pytest.raises(AudioError, match="contains more than 1000 recordings; split it"):
        read(encoded("AU", "PCM_16", seconds=0.001) * 1_001)
