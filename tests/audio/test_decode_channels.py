"""A selected channel is bit for bit the mono recording of it, from any format, array or block; others are errors."""

from pathlib import Path

import numpy as np
import pytest
from audio_files import encoded
from numpy.testing import assert_array_equal

from overtone.audio import decode
from overtone.audio.blocks import blocks
from overtone.audio.decode import from_array, read
from overtone.errors import AudioError, OptionError

RATES_HZ = (16_000, 44_100)
FORMATS = [("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "FLOAT"), ("FLAC", "PCM_16"), ("AIFF", "PCM_16")]
VIDEO_FORMATS = [("ipod", "alac"), ("mov", "pcm_s16le"), ("matroska", "pcm_f32le")]


def sides(rate_hz: int, channels: int = 2, seconds: float = 1.0) -> np.ndarray:
    """Different noise in each channel, on the grid of 16 bit, float64 `(samples, channels)`."""
    noise = np.random.default_rng(5).normal(0, 0.1, (int(seconds * rate_hz), channels))
    return np.round(noise * 2**15) / 2**15


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize(("container", "subtype"), FORMATS)
def test_each_channel_of_a_file_equals_its_mono_file(
    container: str, subtype: str, rate_hz: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "BLOCK_SAMPLES", 7_000)
    samples = sides(rate_hz)
    stereo = encoded(samples, rate_hz, container, subtype)
    for index, names in enumerate((("left", "1", 1), ("right", "2", 2))):
        mono = encoded(samples[:, index], rate_hz, container, subtype)
        for name in names:
            assert_array_equal(read(stereo, channel=name).samples, read(mono).samples)
            assert_array_equal(np.concatenate(list(blocks(stereo, name))), read(mono).samples)
        interval = read(stereo, start_s=0.25, end_s=0.75, channel=names[0]).samples
        assert_array_equal(interval, read(mono, start_s=0.25, end_s=0.75).samples)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize(("container", "codec"), VIDEO_FORMATS)
def test_each_channel_of_a_container_equals_its_mono_file(container: str, codec: str, rate_hz: int) -> None:
    pytest.importorskip("av")
    from video_files import encode_video

    samples = sides(rate_hz, seconds=12)
    stereo = encode_video(container, codec, [samples.astype(np.float32)], rate_hz)
    for index, name in enumerate(("left", "right")):
        mono = encode_video(container, codec, [samples[:, index].astype(np.float32)], rate_hz)
        assert_array_equal(read(stereo, channel=name).samples, read(mono).samples)
        assert_array_equal(np.concatenate(list(blocks(stereo, name))), read(mono).samples)
        interval = read(stereo, start_s=11, end_s=11.5, channel=name).samples  # after a seek
        assert_array_equal(interval, read(mono, start_s=11, end_s=11.5).samples)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int32, np.uint8])
def test_each_channel_of_an_array_equals_its_mono_array(dtype: type) -> None:
    floats = sides(44_100, channels=3)
    kind = np.dtype(dtype)
    middle = 128 if kind.kind == "u" else 0
    samples = floats.astype(dtype) if kind.kind == "f" else (floats * 100 + middle).astype(dtype)
    for number in (1, 2, 3):
        selected = from_array(samples, 44_100, channel=number).samples
        assert_array_equal(selected, from_array(samples[:, number - 1], 44_100).samples)


def test_the_default_is_the_mean_of_all() -> None:
    samples = sides(16_000, channels=3).astype(np.float32)
    content = encoded(samples, 16_000, "WAV", "FLOAT")
    for waveform in (read(content), read(content, channel="mix"), from_array(samples, 16_000)):
        assert_array_equal(waveform.samples, samples.mean(axis=1))
    assert_array_equal(np.concatenate(list(blocks(content))), samples.mean(axis=1))


def test_a_channel_of_mono_audio() -> None:
    samples = sides(16_000)[:, 0].astype(np.float32)
    content = encoded(samples, 16_000, "WAV", "FLOAT")
    for waveform in (read(content, channel=1), from_array(samples, 16_000, channel="1")):
        assert_array_equal(waveform.samples, samples)


@pytest.mark.parametrize(
    ("channels", "channel", "message"),
    [
        (1, "left", "has 1 channel, so there is no left channel; choose mix"),
        (1, 2, "has 1 channel, so there is no channel 2; choose mix"),
        (2, "3", "has 2 channels, so there is no channel 3; choose a channel from 1 to 2, or mix"),
        (3, "right", "has 3 channels, so there is no right channel; choose a channel from 1 to 3, or mix"),
    ],
)
def test_a_missing_channel_is_an_error_that_names_the_file(
    channels: int, channel: str | int, message: str, tmp_path: Path
) -> None:
    samples = sides(16_000, channels).astype(np.float32)
    path = tmp_path / "call.wav"
    path.write_bytes(encoded(samples, 16_000))
    for trial in (lambda: read(path, channel=channel), lambda: list(blocks(path, channel))):
        with pytest.raises(AudioError) as error:
            trial()
        assert str(error.value) == f"{path}: {message}"
    with pytest.raises(AudioError, match=f"^array: {message}$"):
        from_array(samples, 16_000, channel=channel)


@pytest.mark.parametrize(("channels", "channel"), [(1, "left"), (2, "3")])
def test_a_missing_channel_of_a_container_is_an_error(channels: int, channel: str) -> None:
    pytest.importorskip("av")
    from video_files import encode_video

    content = encode_video("ipod", "alac", [sides(16_000, channels).astype(np.float32)], 16_000)
    with pytest.raises(AudioError, match=f"^audio in memory: has {channels} channels?, so there is no"):
        read(content, channel=channel)


def test_the_samples_of_other_channels_are_not_checked() -> None:
    samples = sides(16_000).astype(np.float32)
    samples[7, 1] = np.nan
    assert_array_equal(from_array(samples, 16_000, channel="left").samples, samples[:, 0])
    with pytest.raises(AudioError, match="not finite"):
        from_array(samples, 16_000, channel="right")


def test_anything_else_is_not_a_channel() -> None:
    for trial in (
        lambda: read(encoded(sides(16_000), 16_000), channel="both"),
        lambda: list(blocks(encoded(sides(16_000), 16_000), "both")),
        lambda: from_array(sides(16_000), 16_000, channel="both"),
    ):
        with pytest.raises(OptionError, match="channel: expected mix, left, right or a number from 1, got 'both'"):
            trial()
