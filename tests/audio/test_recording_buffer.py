"""A recording is stored completely, or not at all with the reason."""

import errno
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from overtone.audio.decode import from_array
from overtone.audio.recording_buffer import recording_buffer


def chunks(audio: np.ndarray, size: int = 999) -> Iterator[np.ndarray]:
    for start in range(0, len(audio), size):
        yield audio[start : start + size]


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_the_buffer_returns_the_recorded_audio(rate_hz: int, rng: np.random.Generator) -> None:
    audio = (0.3 * rng.standard_normal((3 * rate_hz, 1))).astype(np.float32)
    with recording_buffer(rate_hz, 3.1) as buffer:
        passed = list(buffer.tee(chunks(audio)))
        np.testing.assert_array_equal(np.concatenate(passed), audio)
        stored = buffer.blocks()
        assert stored is not None
        expected = from_array(audio, rate_hz).samples.clip(-1, 1)
        np.testing.assert_allclose(np.concatenate(list(stored)), expected, atol=2e-5)


def test_an_empty_recording() -> None:
    with recording_buffer(16_000, 1) as buffer:
        assert list(buffer.tee(iter(()))) == [] and list(buffer.blocks() or ["not buffer"]) == []


def test_a_recording_that_is_too_long_is_dropped_and_frees_its_disk_space(monkeypatch: pytest.MonkeyPatch) -> None:
    files = []
    original = tempfile.TemporaryFile

    def spy(**options: Any) -> Any:
        files.append(original(**options))
        return files[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", spy)
    with recording_buffer(16_000, 1) as buffer:
        assert sum(len(chunk) for chunk in buffer.tee(chunks(np.zeros(17_000, np.float32)))) == 17_000
        assert buffer.blocks() is None
        assert buffer.failure == "it is too long"
        assert files[0].seek(0, 2) == 0
    assert files[0].closed


class FullDiskFile:
    """A file on a full disk."""

    def __init__(self, partly: bool) -> None:
        self.partly = partly

    def __enter__(self) -> "FullDiskFile":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def truncate(self, size: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def write(self, content: bytes) -> int:
        if self.partly:
            return len(content) // 2
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(("partly", "failure"), [(True, "no disk space left"), (False, "No space left on device")])
def test_a_full_disk_does_not_stop_the_stream(partly: bool, failure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: FullDiskFile(partly))
    with recording_buffer(16_000, 10) as buffer:
        assert sum(len(chunk) for chunk in buffer.tee(chunks(np.ones(5_000, np.float32)))) == 5_000
        assert buffer.blocks() is None and buffer.failure == failure
