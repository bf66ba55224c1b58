"""Audio and video containers through PyAV: the same audio as from WAV, at the right position."""

import io
from pathlib import Path

import numpy as np
import pytest
import soxr
from audio_files import encoded
from numpy.testing import assert_array_equal
from video_files import FORMATS, LOSSLESS, av, encode_video

from overtone.audio import decode
from overtone.audio.blocks import blocks, measure_duration
from overtone.audio.decode import from_array, read
from overtone.errors import AudioError

RATE_HZ = 48_000


def noise(seconds: float = 1.0, channels: int = 1, seed: int = 3) -> np.ndarray:
    """Return noise below 4 kHz at 48 kHz that fades in and out."""
    rng = np.random.default_rng(seed)
    columns = [soxr.resample(rng.uniform(-0.5, 0.5, round(8_000 * seconds)), 8_000, RATE_HZ) for _ in range(channels)]
    faded = [column * np.hanning(len(column)) for column in columns]
    return (faded[0] if channels == 1 else np.stack(faded, axis=1)).astype(np.float32)


def lag(samples: np.ndarray, original: np.ndarray) -> int:
    """Return by how many samples the audio is delayed relative to the original."""
    size = 2 ** int(np.ceil(np.log2(len(samples) + len(original))))
    correlation = np.fft.irfft(np.fft.rfft(samples, size) * np.conj(np.fft.rfft(original, size)), size)
    best = int(np.argmax(correlation))
    return best - size * (best > size // 2)


def first_loud_sample(samples: np.ndarray) -> int:
    return int(np.flatnonzero(np.abs(samples) > 0.02)[0])


@pytest.mark.parametrize(("container", "codec", "tolerance"), FORMATS)
@pytest.mark.parametrize("video_frames", [0, 20])
def test_decoded_audio_matches_the_original(container: str, codec: str, tolerance: int, video_frames: int) -> None:
    if video_frames and container in ("adts", "3gp", "ipod"):
        pytest.skip("audio-only container")
    audio = noise(1.2)
    waveform = read(encode_video(container, codec, [audio], video_frames=video_frames or 5 * (container == "vob")))
    original = from_array(audio, RATE_HZ).samples
    assert abs(lag(waveform.samples, original)) <= tolerance
    assert abs(len(waveform.samples) - len(original)) <= tolerance
    assert np.abs(waveform.samples).max() == pytest.approx(np.abs(original).max(), rel=0.3)
    if codec in LOSSLESS:
        assert np.abs(waveform.samples - original).max() < 2e-4


def test_integers_equal_those_of_wav() -> None:
    audio = noise(channels=2)
    for codec, depth in (("pcm_s16le", "PCM_16"), ("pcm_f32le", "FLOAT"), ("pcm_u8", "PCM_U8")):
        decoded = read(encode_video("matroska", codec, [audio])).samples
        whole = encoded(audio, RATE_HZ, "WAV", depth)
        assert np.abs(decoded - read(whole).samples).max() < (1e-4 if depth != "PCM_U8" else 1.1e-2)


def test_more_channels_are_averaged() -> None:
    audio = noise(0.5, channels=6)
    surround = read(encode_video("matroska", "pcm_f32le", [audio])).samples
    assert np.abs(surround - from_array(audio, RATE_HZ).samples).max() < 1e-6


@pytest.mark.parametrize(
    ("container", "codec"), [("mp4", "aac"), ("webm", "libopus"), ("adts", "aac"), ("avi", "pcm_s16le")]
)
def test_path_bytes_file_object_and_blocks_give_the_same(
    container: str, codec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = encode_video(container, codec, [noise(2, channels=2)])
    path = tmp_path / "töne 声.wav"  # the misleading suffix must not matter
    path.write_bytes(content)
    samples = read(path).samples
    assert_array_equal(samples, read(content).samples)
    assert_array_equal(samples, read(io.BytesIO(content)).samples)
    monkeypatch.setattr(decode, "BLOCK_SAMPLES", 5_000)
    parts = list(blocks(path))
    assert len(parts) > 10 and {part.dtype for part in parts} == {np.dtype(np.float32)}
    assert_array_equal(np.concatenate(parts), samples)
    assert measure_duration(path) == pytest.approx(2, abs=0.05)


# Container, codec, and the allowed position error of an interval in samples: some containers count in milliseconds.
INTERVALS = [
    *(("mp4", "aac", 0), ("ipod", "alac", 0), ("matroska", "flac", 0), ("matroska", "aac", 8), ("webm", "libopus", 8)),
    *(("adts", "aac", 0), ("flv", "aac", 0), ("mpegts", "aac", 0), ("vob", "mp2", 0), ("avi", "mp3", 0)),
    ("asf", "wmav2", 0),
]


@pytest.mark.parametrize(("container", "codec", "tolerance"), INTERVALS)
def test_an_interval_equals_a_slice_of_the_file(container: str, codec: str, tolerance: int) -> None:
    content = encode_video(container, codec, [noise(14)], video_frames=5 * (container == "vob"))
    whole = read(content).samples
    for start_s, end_s in ((1.25, 1.75), (12.5, 13.0)):
        interval = read(content, start_s=start_s, end_s=end_s).samples
        assert len(interval) == 8_000
        expected = whole[round(16_000 * start_s) : round(16_000 * end_s)]
        assert abs(lag(interval, expected)) <= tolerance
        if not tolerance:
            assert np.abs(interval - expected)[50:-50].max() < 1e-3  # the resampler makes a click at both ends
    assert len(read(content, start_s=12.5).samples) == pytest.approx(len(whole) - 200_000, abs=tolerance)
    with pytest.raises(AudioError, match=r"no interval from 15\.0 s to"):
        read(content, start_s=15.0)


def test_an_interval_beyond_the_end() -> None:
    content = encode_video("matroska", "flac", [noise(1)], video_frames=50)
    with pytest.raises(AudioError, match="truncated or damaged: 192000 samples declared, 48000 found"):
        read(content, start_s=0.0, end_s=4.0)


@pytest.mark.parametrize(("container", "codec"), [("mp4", "aac"), ("matroska", "flac"), ("webm", "libopus")])
def test_audio_that_starts_later_than_the_video(container: str, codec: str) -> None:
    audio = noise()
    late = read(encode_video(container, codec, [audio], video_frames=20, delay_s=0.5)).samples
    original = from_array(audio, RATE_HZ).samples
    assert lag(late, original) == pytest.approx(8_000, abs=20)
    assert np.abs(late[:7_900]).max() < 1e-3


@pytest.mark.parametrize(("container", "codec"), [("mp4", "aac"), ("matroska", "flac"), ("webm", "libopus")])
def test_a_gap_in_time_stamps_is_silence(container: str, codec: str) -> None:
    audio = noise()
    gapped = read(encode_video(container, codec, [audio], gap_s=0.5)).samples
    assert len(gapped) == pytest.approx(16_000 + 8_000, abs=20)
    assert np.abs(gapped[9_000:15_000]).max() < 1e-3
    assert first_loud_sample(gapped) == first_loud_sample(from_array(audio, RATE_HZ).samples)


def test_the_default_track_is_decoded_else_the_first() -> None:
    tracks = [noise(seed=seed) for seed in (1, 2, 3)]
    originals = [from_array(track, RATE_HZ).samples for track in tracks]
    for default, expected in ((None, 0), (1, 1), (2, 2)):
        decoded = read(encode_video("matroska", "flac", tracks, default=default, video_frames=20)).samples
        assert np.abs(decoded - originals[expected]).max() < 1e-4


def test_a_track_may_be_shorter_than_others() -> None:
    short = read(encode_video("matroska", "flac", [noise(1), noise(3)]))
    assert short.duration_s == 1


def test_a_file_without_an_audio_track() -> None:
    for container, label in (("mp4", "MP4, M4A or MOV"), ("webm", "WebM or Matroska"), ("avi", "AVI")):
        with pytest.raises(
            AudioError, match=rf"^audio in memory: {label} without an audio track; choose another file$"
        ):
            read(encode_video(container, "aac", [], video_frames=10))


def test_an_empty_audio_track() -> None:
    with pytest.raises(AudioError, match=r"^audio in memory: "):
        read(encode_video("mov", "pcm_s16le", [noise(1)[:0]], video_frames=10))


def test_video_is_never_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encode_video("mp4", "aac", [noise()], video_frames=20)
    original_open = av.open
    containers = []

    def spy(*arguments, **options):
        opened = original_open(*arguments, **options)
        containers.append(opened)
        return opened

    monkeypatch.setattr(av, "open", spy)
    read(content)
    names = containers[0].container_options["codec_whitelist"].split(",")
    assert "aac" in names and "opus" in names
    assert not {"mpeg4", "h264", "hevc", "png", "mjpeg", "gif"} & set(names)


def test_fragmented_files_have_a_length() -> None:
    audio = noise(3)
    content = encode_video("mp4", "aac", [audio], options={"movflags": "empty_moov+frag_every_frame"})
    assert b"moof" in content
    assert measure_duration(content) == pytest.approx(3, abs=0.05)
    live = encode_video("webm", "libopus", [audio], options={"live": "1"})
    assert measure_duration(live) == pytest.approx(3, abs=0.05)
    assert len(read(live, start_s=1.0, end_s=2.0).samples) == 16_000


@pytest.mark.parametrize(("container", "codec"), [("mp4", "aac"), ("adts", "aac"), ("webm", "libopus")])
def test_too_long_is_refused_before_it_is_decoded(container: str, codec: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = encode_video(container, codec, [noise(3)])
    assert read(content, max_duration_s=3.1).duration_s == pytest.approx(3, abs=0.05)
    monkeypatch.setattr(decode, "mono_blocks", None)
    with pytest.raises(AudioError, match=r"^audio in memory: 3 s of audio are more than 2 s; shorten it"):
        read(content, max_duration_s=2)


def test_a_track_longer_than_its_header_says_is_not_decoded_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encode_video("matroska", "flac", [noise(6)])
    position = content.index(b"\x44\x89\x88") + 3  # Duration, a float64 in milliseconds
    damaged = content[:position] + np.array(1_000.0, ">f8").tobytes() + content[position + 8 :]
    assert len(read(damaged).samples) == 6 * 16_000
    with pytest.raises(AudioError, match=r"2 s of audio are more than 2 s"):
        read(damaged, max_duration_s=2)


def test_a_track_shorter_than_its_header_says() -> None:
    content = encode_video("matroska", "flac", [noise(1)])
    position = content.index(b"\x44\x89\x88") + 3
    damaged = content[:position] + np.array(60_000.0, ">f8").tobytes() + content[position + 8 :]
    with pytest.raises(AudioError, match=r"truncated or damaged: 2880000 samples declared, 48000 found"):
        read(damaged)
    with pytest.raises(AudioError, match=r"truncated or damaged: 2880000 samples declared, 48000 found"):
        list(blocks(damaged))


@pytest.mark.parametrize(("container", "codec"), [("mp4", "aac"), ("mov", "pcm_s16le"), ("ipod", "alac")])
@pytest.mark.parametrize("delay_s", [0.5, 5.0])
def test_an_edit_list_that_starts_with_a_pause_is_silence(container: str, codec: str, delay_s: float) -> None:
    samples = read(encode_video(container, codec, [noise()], delay_s=delay_s)).samples
    assert len(samples) / 16_000 == pytest.approx(delay_s + 1, abs=0.002)
    assert not samples[: round(16_000 * (delay_s - 0.1))].any()
    assert np.abs(samples[round(16_000 * (delay_s + 0.2)) :]).max() > 0.2


@pytest.mark.parametrize(("container", "codec"), [("webm", "libopus"), ("matroska", "flac"), ("asf", "wmav2")])
@pytest.mark.parametrize("delay_s", [1.0, 100.0])
def test_a_first_time_stamp_that_is_not_zero_is_not_a_truncation(container: str, codec: str, delay_s: float) -> None:
    content = encode_video(container, codec, [noise()], delay_s=delay_s)
    assert read(content).duration_s == pytest.approx(1, abs=0.06)
    assert measure_duration(content) == pytest.approx(1, abs=0.06)
    with pytest.raises(AudioError):
        read(content[:-500])
