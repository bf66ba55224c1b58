"""Sound that is kept while it comes in: all of it again, or nothing and why."""

import errno
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from overtone.audio.decode import from_array
from overtone.audio.recording_buffer import recording_buffer


def chunks(sound: np.ndarray, size: int = 999) -> Iterator[np.ndarray]:
    for start in range(0, len(sound), size):
        yield sound[start : start + size]


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_what_passed_comes_again(rate_hz: int, rng: np.random.Generator) -> None:
    sound = (0.3 * rng.standard_normal((3 * rate_hz, 1))).astype(np.float32)
    with recording_buffer(rate_hz, 3.1) as kept:
        passed = list(kept.tee(chunks(sound)))
        np.testing.assert_array_equal(np.concatenate(passed), sound)
        again = kept.blocks()
        assert again is not None
        expected = from_array(sound, rate_hz).samples.clip(-1, 1)
        np.testing.assert_allclose(np.concatenate(list(again)), expected, atol=2e-5)


def test_nothing_passed() -> None:
    with recording_buffer(16_000, 1) as kept:
        assert list(kept.tee(iter(()))) == [] and list(kept.blocks() or ["not kept"]) == []


def test_what_is_too_long_is_not_kept_and_takes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    files = []
    made = tempfile.TemporaryFile

    def seen(**options: Any) -> Any:
        files.append(made(**options))
        return files[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", seen)
    with recording_buffer(16_000, 1) as kept:
        assert sum(len(chunk) for chunk in kept.tee(chunks(np.zeros(17_000, np.float32)))) == 17_000
        assert kept.blocks() is None
        assert kept.why_not == "it is too long"
        assert files[0].seek(0, 2) == 0
    assert files[0].closed


class Full:
    """A file on a disk that is full."""

    def __init__(self, partly: bool) -> None:
        self.partly = partly

    def __enter__(self) -> "Full":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def truncate(self, size: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    def write(self, content: bytes) -> int:
        if self.partly:
            return len(content) // 2
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(("partly", "why"), [(True, "no space left for it"), (False, "No space left on device")])
def test_a_full_disk_does_not_stop_the_sound(partly: bool, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full(partly))
    with recording_buffer(16_000, 10) as kept:
        assert sum(len(chunk) for chunk in kept.tee(chunks(np.ones(5_000, np.float32)))) == 5_000
        assert kept.blocks() is None and kept.why_not == why
