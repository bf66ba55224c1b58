"""Blocks and resampled streams give the same audio as `read` and `from_array`, in constant memory."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from audio_files import FORMATS, encoded, tone
from numpy.testing import assert_array_equal

from overtone.audio import decode
from overtone.audio.blocks import StreamResampler, blocks, measure_duration
from overtone.audio.decode import from_array, read
from overtone.errors import AudioError, OptionError


@pytest.mark.parametrize(("container", "subtype"), FORMATS)
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 48_000])
def test_blocks_equal_the_audio_of_read(
    container: str, subtype: str, rate_hz: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode, "BLOCK_SAMPLES", 5_000)
    content = encoded(tone(rate_hz, 2, channels=2), rate_hz, container, subtype)
    parts = list(blocks(content))
    assert len(parts) > 3
    assert {part.dtype for part in parts} == {np.dtype(np.float32)}
    assert_array_equal(np.concatenate(parts), read(content).samples)
    assert measure_duration(content) == pytest.approx(2, abs=0.08)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 44_100, 48_000])
@pytest.mark.parametrize("dtype", [np.float32, np.int16])
def test_chunks_of_any_size_give_the_same_audio(rate_hz: int, dtype: type, rng: np.random.Generator) -> None:
    samples = 0.1 * rng.standard_normal((rate_hz, 2))
    samples = (samples * 32_767).astype(dtype) if dtype is np.int16 else samples.astype(dtype)
    resampler, parts, start = StreamResampler(rate_hz), [], 0
    while start < len(samples):
        size = int(rng.integers(0, 3_000))
        parts.append(resampler.push(samples[start : start + size]))
        start += size
    assert_array_equal(np.concatenate([*parts, resampler.close()]), from_array(samples, rate_hz).samples)


def test_errors_equal_those_of_read(tmp_path: Path) -> None:
    complete = encoded(tone(16_000), 16_000)
    invalid = [b"", b"no samples", complete[:-100], encoded(np.zeros(0), 16_000), encoded(tone(16_000), 16_000, "VOC")]
    for source in [*invalid, tmp_path / "gone.wav", tmp_path, ""]:
        with pytest.raises(AudioError) as by_blocks:
            list(blocks(source))
        with pytest.raises(AudioError) as by_read:
            read(source)
        assert str(by_blocks.value) == str(by_read.value)
        with pytest.raises(AudioError):
            measure_duration(source)


@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_truncated_flac_is_an_error_after_its_blocks(tenths: int) -> None:
    content = encoded(tone(48_000, 1), 48_000, "FLAC")
    with pytest.raises(AudioError):
        list(blocks(content[: len(content) * tenths // 10]))


def test_invalid_chunks_are_refused() -> None:
    with pytest.raises(OptionError, match="rate_hz: expected samples per second"):
        StreamResampler("fast")  # type: ignore[arg-type]
    with pytest.raises(AudioError, match=r"^mic: 400 samples per second is outside"):
        StreamResampler(400, "mic")
    for chunk in (np.array([np.nan]), np.array(["a"]), np.zeros((2, 2, 2)), np.array([20_000.0])):
        with pytest.raises(AudioError, match=r"^mic: "):
            StreamResampler(16_000, "mic").push(chunk)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for minutes in (1, 8):
        path = tmp_path / f"{minutes}.wav"
        with soundfile.SoundFile(path, "w", 48_000, 1, "PCM_16") as file:
            for _ in range(minutes):
                file.write(np.tile(tone(48_000, 1), 60))
        tracemalloc.start()
        assert sum(len(block) for block in blocks(path)) == 960_000 * minutes
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
