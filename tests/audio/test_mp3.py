"""MP3 files without a Xing tag are decoded to their end, and truncated ones are detected."""

import io
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from video_files import encode_video

from overtone.audio.decode import read
from overtone.audio.mp3 import _tag_frame, find_mp3, frame_at
from overtone.errors import AudioError


def speech_like(rate_hz: int, seconds: float) -> np.ndarray:
    """Return alternating noise and tone, so that a variable bit rate varies."""
    time_s = np.arange(int(rate_hz * seconds)) / rate_hz
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, len(time_s))
    return np.where(time_s % 0.6 < 0.3, noise, 0.3 * np.sin(2 * np.pi * 300 * time_s))


def mp3(rate_hz: int, channels: int = 1, seconds: float = 2.0) -> bytes:
    samples, stream = speech_like(rate_hz, seconds), io.BytesIO()
    frames = samples if channels == 1 else np.stack([samples, -0.5 * samples], axis=1)
    soundfile.write(stream, frames, rate_hz, format="MP3", subtype="MPEG_LAYER_III")
    return stream.getvalue()


def without_tag(content: bytes) -> bytes:
    first = frame_at(content, 0)
    assert first is not None
    assert b"Xing" in content[: first.length_bytes]
    return content[first.length_bytes :]


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_an_mp3_without_a_tag_reads_to_its_end(rate_hz: int, channels: int) -> None:
    content = mp3(rate_hz, channels)
    bare = without_tag(content)
    decoded = read(bare)
    assert decoded.duration_s == pytest.approx(2, abs=0.3)  # the tag also contained the padding to remove
    assert decoded.duration_s >= 2
    expected, found = read(content).samples[6_000:26_000], decoded.samples[6_000:30_000]
    correlation = np.correlate(found, expected, "valid").max() / np.sum(expected**2)
    assert correlation == pytest.approx(1, abs=0.1)  # the tag's padding is not a whole number of samples at 16 kHz


def test_the_decoder_alone_would_lose_audio() -> None:
    """The reason for this module; it can be removed when libsndfile counts frames itself."""
    stream = io.BytesIO()
    soundfile.write(stream, 0.5 * np.sin(np.arange(32_000) / 6), 16_000, format="MP3", subtype="MPEG_LAYER_III")
    bare = without_tag(stream.getvalue())
    assert len(soundfile.read(io.BytesIO(bare))[0]) < 16_000
    assert read(bare).duration_s >= 2


def test_tags_before_and_after_the_frames() -> None:
    bare = without_tag(mp3(44_100))
    id3 = b"ID3\x04\0\0" + bytes([0, 0, 2, 1]) + bytes(257)
    assert read(id3 + bare + b"TAG" + bytes(125)).duration_s == pytest.approx(2, abs=0.3)


def test_frames_are_found_after_invalid_bytes() -> None:
    bare, position = without_tag(mp3(44_100)), 0
    for _ in range(30):
        frame = frame_at(bare, position)
        assert frame is not None
        position += frame.length_bytes
    damaged = bare[:position] + b"\xff\xfb\0 not a frame" + bare[position:]
    assert read(damaged).duration_s == pytest.approx(2, abs=0.3)


def test_a_tag_that_declares_too_many_frames() -> None:
    bare = without_tag(mp3(44_100))
    first = frame_at(bare, 0)
    assert first is not None
    with pytest.raises(AudioError, match=r"truncated or damaged: \d+ samples declared"):
        read(_tag_frame(bare, first, 200) + bare)


def test_files_with_a_tag_and_other_files_are_unchanged() -> None:
    for content in (mp3(44_100), b"", b"ID3", b"\xff\xfb", b"\xff\xfb\x90\xc4" + bytes(1_000), b"RIFF" + bytes(50)):
        stream = io.BytesIO(content)
        assert find_mp3(stream, "clip") == (stream, None)


def test_a_truncated_last_frame_is_detected() -> None:
    bare = without_tag(mp3(44_100))
    with pytest.raises(AudioError, match=r"^clip: truncated: its last MP3 frame is incomplete"):
        find_mp3(io.BytesIO(bare[:-20]), "clip")


def test_fewer_bytes_than_the_tag_declares() -> None:
    content = mp3(44_100)
    with pytest.raises(AudioError, match=rf"^clip: truncated: {len(content)} bytes of MP3 declared, 9999 found"):
        find_mp3(io.BytesIO(content[:9_999]), "clip")


def test_frame_headers() -> None:
    frame = frame_at(bytes.fromhex("fffb9064"), 0)
    assert frame is not None
    assert (frame.rate_hz, frame.length_bytes, frame.side_bytes) == (44_100, 417, 32)
    for header in (
        "fff19064",
        "fffb0064",
        "fffbf064",
        "fffb9c64",
        "ffeb9064",
        "fffb90",
    ):  # AAC, free, bad, bad, 2.?, short
        assert frame_at(bytes.fromhex(header), 0) is None


def test_a_file_without_a_tag_is_decoded_without_loading_it(tmp_path: Path) -> None:
    path = tmp_path / "bare.mp3"
    bare = b"ID3\x04\0\0" + bytes(4) + without_tag(mp3(44_100)) * 200
    path.write_bytes(bare)
    with path.open("rb", buffering=0) as file:
        tracemalloc.start()
        whole, _ = find_mp3(file, "clip")
        whole.read(100_000)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 400_000 < len(bare)
    interval = {"start_s": 300.0, "end_s": 301.5}
    np.testing.assert_array_equal(read(path, **interval).samples, read(bare, **interval).samples)


@pytest.mark.parametrize(
    "junk", [bytes(700), bytes(200_000), b"\xff\xfb\x90" + bytes(range(200)), b"ID3\x04\0\0\0\0\0\0" + bytes(99)]
)
def test_bytes_before_the_first_frame_are_skipped(junk: bytes) -> None:
    content = mp3(44_100)
    np.testing.assert_array_equal(read(junk + content).samples, read(content).samples)
    assert read(junk + without_tag(content)).duration_s == pytest.approx(2, abs=0.1)


def test_an_mp3_that_starts_within_a_frame() -> None:
    content = without_tag(mp3(44_100))
    assert read(content[300:]).duration_s == pytest.approx(2, abs=0.1)


def test_mp3_in_wav() -> None:
    """Its header counts the samples of the last frame as a whole, which the decoder does not return."""
    audio = speech_like(44_100, 2.0).astype(np.float32)
    content = encode_video("wav", "libmp3lame", [audio], 44_100)
    assert content[20:22] == b"\x55\0"
    assert read(content).duration_s == pytest.approx(2, abs=0.1)
    assert read(content + content).duration_s == pytest.approx(4, abs=0.2)


@pytest.mark.parametrize("rate_hz", [22_050, 44_100])
def test_a_long_mp3_in_wav(rate_hz: int) -> None:
    """The decoder alone estimates its length from its first frame, with an error that grows with it."""
    content = encode_video("wav", "libmp3lame", [speech_like(rate_hz, 30.0).astype(np.float32)], rate_hz)
    assert read(content).duration_s == pytest.approx(30, abs=0.1)
    unknown = content[: (start := content.index(b"data") + 4)] + b"\xff" * 4 + content[start + 4 :]
    assert read(unknown).duration_s == pytest.approx(30, abs=0.1)
    with pytest.raises(AudioError, match="truncated"):
        read(content[: len(content) // 2])


def test_a_tag_that_counts_too_few_frames() -> None:
    bare = without_tag(mp3(44_100))
    first = frame_at(bare, 0)
    assert first is not None
    assert read(_tag_frame(bare, first, 20) + bare).duration_s == pytest.approx(2, abs=0.1)


def test_recordings_in_a_row_without_tags() -> None:
    bare, other = without_tag(mp3(44_100)), without_tag(mp3(48_000))
    assert read(bare + bare).duration_s == pytest.approx(4, abs=0.2)
    assert read(bare + mp3(44_100)).duration_s == pytest.approx(4, abs=0.2)
    with pytest.raises(AudioError, match="2 recordings of different sampling rates, 44100 to 48000 Hz"):
        read(bare + other)
