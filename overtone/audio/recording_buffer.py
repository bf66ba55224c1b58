"""Sound that is coming in -> a temporary file -> the same sound again, block by block: for forms that play it.

    with keeping(rate_hz=48_000, longest_s=7_200) as kept:
        for chunk in kept.passing(chunks):
            ...
        sound = kept.blocks()               # float32 (some samples,), mono at 16 kHz; None where it could not be kept

The file has no name: nobody else finds it, and it is gone with the process, however that ends.
"""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

import numpy as np

from overtone.audio.blocks import StreamResampler
from overtone.datatypes import SAMPLE_RATE_HZ

BLOCK_SAMPLES = 2**18
FULL_SCALE = 32_767  # two bytes a sample, 115 MB an hour


@contextlib.contextmanager
def recording_buffer(rate_hz: float, longest_s: float) -> Iterator["RecordingBuffer"]:
    """What keeps a sound as long as it is open.

    Args:
        rate_hz: samples per second of what comes in.
        longest_s: a longer one is not kept.
    """
    with tempfile.TemporaryFile(buffering=0) as file:
        yield RecordingBuffer(file, rate_hz, longest_s)


class RecordingBuffer:
    """As much of a sound as is kept; where it becomes too long, or the disk is full, nothing.

    Attributes:
        why_not: why nothing is kept; "" where it is.
    """

    def __init__(self, file: IO[bytes], rate_hz: float, longest_s: float) -> None:
        self.why_not = ""
        self._inlet = StreamResampler(rate_hz)
        self._left = round(longest_s * SAMPLE_RATE_HZ)
        self._file = file

    def tee(self, chunks: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """The chunks, as they are, each kept before it is handed on."""
        for chunk in chunks:
            self._keep(self._inlet.push(chunk))
            yield chunk

    def blocks(self) -> Iterator[np.ndarray] | None:
        """The sound from its beginning; nothing more is kept after it."""
        self._keep(self._inlet.close())
        return None if self.why_not else self._read()

    def _keep(self, samples: np.ndarray) -> None:
        self._left -= len(samples)
        if self.why_not:
            return
        if self._left < 0:
            self._give_up("it is too long")
            return
        content = (samples.clip(-1, 1) * FULL_SCALE).round().astype("<i2").tobytes()
        try:
            if self._file.write(content) < len(content):
                self._give_up("no space left for it")
        except OSError as error:
            self._give_up(error.strerror or str(error))

    def _give_up(self, why: str) -> None:
        self.why_not = why
        with contextlib.suppress(OSError):
            self._file.truncate(0)

    def _read(self) -> Iterator[np.ndarray]:
        self._file.seek(0)
        while content := self._file.read(2 * BLOCK_SAMPLES):
            yield np.frombuffer(content, "<i2").astype(np.float32) / FULL_SCALE
