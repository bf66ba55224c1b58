"""File or pushed samples -> mono blocks at 16 kHz, one after the other: the same sound as `read` gives, in flat memory.

for block in blocks("ten-hours.flac"):       # float32 (some samples,)
    ...
inlet = Inlet(48_000)                        # from a microphone, chunks of any size
for chunk in chunks:
    block = inlet.push(chunk)
rest = inlet.close()
"""

from collections.abc import Iterator

import numpy as np
import soxr

from overtone.audio.decode import QUALITY, check_all_frames, check_is_number, frame_range, mono_blocks, to_mono
from overtone.audio.source import Source, check_not_empty, check_sample_rate, open_source, source_name
from overtone.datatypes import SAMPLE_RATE_HZ


class StreamResampler:
    """Where samples of any kind come in, in chunks of any size, and leave as mono at 16 kHz.

    Args:
        rate_hz: samples per second of what comes in, 8 000 to 192 000.
        source: a name for messages.

    Raises:
        AudioError: a rate outside the range.
        OptionError: a rate that is no number.
    """

    def __init__(self, rate_hz: float, source: str = "stream") -> None:
        check_is_number(rate_hz)
        check_sample_rate(rate_hz, source)
        self._source = source
        self._resampler = (
            None
            if rate_hz == SAMPLE_RATE_HZ
            else soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality=QUALITY)
        )

    def push(self, chunk: np.ndarray) -> np.ndarray:
        """As much of the sound as is ready, float32 `(some samples,)`; the resampler keeps back a few milliseconds.

        Args:
            chunk: `(samples,)` or `(samples, channels)`, as `overtone.audio.decode.from_array` takes them; may be empty.

        Raises:
            AudioError: of a shape or type that is not sound, or not finite.
        """
        mono = to_mono(chunk, self._source)
        return mono if self._resampler is None else self._resampler.resample_chunk(mono)

    def close(self) -> np.ndarray:
        """The rest of the sound, float32 `(some samples,)`; nothing can be pushed after it."""
        nothing = np.empty(0, np.float32)
        return nothing if self._resampler is None else self._resampler.resample_chunk(nothing, last=True)


def blocks(source: Source) -> Iterator[np.ndarray]:
    """The sound of a file as mono float32 blocks `(some samples,)` at 16 kHz: joined, what `read` gives.

    Args:
        source: path, content as bytes, or an object with `read()` that gives bytes.

    Raises:
        AudioError: as `overtone.audio.decode.read`. Of a damaged file some blocks may come before the error.
    """
    name = source_name(source)
    with open_source(source) as file:
        inlet = StreamResampler(file.samplerate, name)
        most, promised = frame_range(file)
        frames = samples = 0
        for block in mono_blocks(file, most):
            frames += len(block)
            ready = inlet.push(block)
            samples += len(ready)
            yield ready
        check_all_frames(file, frames, promised, name)
        rest = inlet.close()
        check_not_empty(samples + len(rest), name)
        yield rest


def measure_duration(source: Source) -> float:
    """Length of a file in seconds, as its header tells it.

    Raises:
        AudioError: as `overtone.audio.decode.read`.
    """
    with open_source(source) as file:
        return file.frames / file.samplerate
