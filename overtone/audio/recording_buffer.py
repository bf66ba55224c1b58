"""Stores incoming audio in a temporary file and returns it block by block, for output formats that embed the audio.

    with recording_buffer(rate_hz=48_000, max_duration_s=7_200) as buffer:
        for chunk in buffer.tee(chunks):
            ...
        audio = buffer.blocks()             # float32 (samples,), mono at 16 kHz; None if it could not be stored

The file has no name: no other process can open it, and it is deleted with the process, however that ends.
"""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np

from overtone.audio.blocks import StreamResampler
from overtone.datatypes import SAMPLE_RATE_HZ

BLOCK_SAMPLES = 2**18
FULL_SCALE = 32_767  # two bytes per sample, 115 MB per hour


@contextlib.contextmanager
def recording_buffer(rate_hz: float, max_duration_s: float) -> Iterator["RecordingBuffer"]:
    """Open a buffer that stores audio until it is closed.

    Args:
        rate_hz: sampling rate of the incoming audio.
        max_duration_s: a longer recording is not stored.
    """
    with tempfile.TemporaryFile(buffering=0) as file:
        yield RecordingBuffer(file, rate_hz, max_duration_s)


class RecordingBuffer:
    """A recording that is stored completely, or not at all if it becomes too long or the disk is full.

    Attributes:
        failure: the reason why the recording is not stored; "" if it is.
    """

    def __init__(self, file: IO[bytes], rate_hz: float, max_duration_s: float) -> None:
        self.failure = ""
        self._resampler = StreamResampler(rate_hz)
        self._free_samples = round(max_duration_s * SAMPLE_RATE_HZ)
        self._file = file

    def tee(self, chunks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the chunks unchanged, after storing each."""
        for chunk in chunks:
            self._store(self._resampler.push(chunk))
            yield chunk

    def blocks(self) -> Iterator[np.ndarray] | None:
        """Return the recording from its start, or None if it is not stored; ends the recording."""
        self._store(self._resampler.close())
        return None if self.failure else self._read()

    def _store(self, samples: np.ndarray) -> None:
        self._free_samples -= len(samples)
        if self.failure:
            return
        if self._free_samples < 0:
            self._fail("it is too long")
            return
        content = (samples.clip(-1, 1) * FULL_SCALE).round().astype("<i2").tobytes()
        try:
            if self._file.write(content) < len(content):
                self._fail("no disk space left")
        except OSError as error:
            self._fail(error.strerror or str(error))

    def _fail(self, reason: str) -> None:
        self.failure = reason
        with contextlib.suppress(OSError):
            self._file.truncate(0)

    def _read(self) -> Iterator[np.ndarray]:
        self._file.seek(0)
        while content := self._file.read(2 * BLOCK_SAMPLES):
            yield np.frombuffer(content, "<i2").astype(np.float32) / FULL_SCALE
