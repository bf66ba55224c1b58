"""The mean of the channels, and one of them where they cancel each other out."""

import numpy as np
import pytest
from audio_files import encoded
from numpy.testing import assert_array_equal
from video_files import encode_video

from overtone.audio.blocks import StreamResampler, blocks
from overtone.audio.decode import from_array, read
from overtone.audio.downmix import downmix

RATE_HZ = 16_000


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, RATE_HZ)


@pytest.mark.parametrize("others", [[noise(2)], [np.zeros(RATE_HZ)], [np.zeros(RATE_HZ)] * 63, [noise(1), -noise(2)]])
def test_channels_that_do_not_cancel_are_averaged(others: list[np.ndarray]) -> None:
    frames = np.stack([noise(1), *others], axis=1)
    assert_array_equal(downmix(frames), frames.mean(axis=1))


def test_silence_stays_silence() -> None:
    assert not downmix(np.zeros((100, 2), np.float32)).any()


@pytest.mark.parametrize("channels", [[1, -1], [0, 0.5, -0.5], [1, 1, -1, -1]])
def test_opposite_polarity(channels: list[float]) -> None:
    frames = noise(1)[:, None] * np.array(channels)
    loudest = frames[:, np.argmax(np.abs(channels))]
    assert_array_equal(downmix(frames), loudest)
    assert_array_equal(from_array(frames, RATE_HZ).samples, loudest.astype(np.float32))
    stream = StreamResampler(RATE_HZ)
    assert_array_equal(np.concatenate([stream.push(chunk) for chunk in np.split(frames, 10)]), loudest.astype("f4"))


@pytest.mark.parametrize(
    ("container", "subtype"),
    [("WAV", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III")],
)
def test_opposite_polarity_in_files(container: str, subtype: str) -> None:
    rate_hz = 48_000
    mono = np.sin(np.arange(rate_hz) / 20) * np.hanning(rate_hz)
    inverse = encoded(np.stack([mono, -mono], axis=1), rate_hz, container, subtype)
    found = read(inverse).samples
    assert np.sqrt(np.mean(found**2)) == pytest.approx(np.sqrt(np.mean(mono**2)), rel=0.05)
    assert_array_equal(np.concatenate(list(blocks(inverse))), found)


@pytest.mark.parametrize(("container", "codec"), [("mp4", "aac"), ("mov", "pcm_s16le"), ("webm", "libopus")])
def test_opposite_polarity_in_other_containers(container: str, codec: str) -> None:
    mono = (np.sin(np.arange(48_000) / 20) * np.hanning(48_000)).astype(np.float32)
    found = read(encode_video(container, codec, [np.stack([mono, -mono], axis=1)])).samples
    assert np.sqrt(np.mean(found**2)) == pytest.approx(np.sqrt(np.mean(mono**2)), rel=0.1)
