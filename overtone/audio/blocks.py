"""Decodes a file, or resamples pushed chunks, into mono blocks at 16 kHz, in constant memory.

    for block in blocks("ten-hours.flac"):       # float32 (samples of the block,)
        ...
    resampler = StreamResampler(48_000)          # from a microphone, chunks of any size
    for chunk in chunks:
        block = resampler.push(chunk)
    rest = resampler.close()

The concatenated blocks equal the waveform of `decode.read` or `decode.from_array`.
"""

from collections.abc import Iterator

import numpy as np
import soundfile
import soxr

from overtone.audio.decode import (
    QUALITY,
    check_all_frames,
    check_is_number,
    frame_limits,
    mono_blocks,
    padding_value,
    select_channel,
    to_mono,
)
from overtone.audio.source import Source, check_not_empty, check_sample_rate, open_source, source_name
from overtone.channels import MIX, Channel
from overtone.datatypes import SAMPLE_RATE_HZ


class StreamResampler:
    """Converts a stream of samples, in chunks of any size, to mono at 16 kHz.

    Args:
        rate_hz: sampling rate of the chunks, 8 000 to 192 000.
        source: a name for messages.

    Raises:
        AudioError: a rate outside the range.
        OptionError: a rate that is not a number.
    """

    def __init__(self, rate_hz: float, source: str = "stream") -> None:
        check_is_number(rate_hz)
        check_sample_rate(rate_hz, source)
        self._source = source
        self._offset: np.float32 | None = None  # of the first sample
        self._resampler = (
            None
            if rate_hz == SAMPLE_RATE_HZ
            else soxr.ResampleStream(rate_hz, SAMPLE_RATE_HZ, 1, dtype="float32", quality=QUALITY)
        )

    def push(self, chunk: np.ndarray) -> np.ndarray:
        """Return the audio that is ready, float32 `(samples,)`; the resampler holds back a few milliseconds.

        Args:
            chunk: `(samples,)` or `(samples, channels)`, as for `overtone.audio.decode.from_array`; may be empty.

        Raises:
            AudioError: an unsupported shape or type, or samples that are not finite.
        """
        mono = to_mono(chunk, self._source)
        if self._resampler is None:
            return mono
        if self._offset is None and len(mono):
            self._offset = padding_value(mono)
        offset = self._offset or np.float32(0)
        return self._resampler.resample_chunk(mono - offset) + offset

    def close(self) -> np.ndarray:
        """Return the rest of the audio, float32 `(samples,)`; no chunk can be pushed after it."""
        empty = np.empty(0, np.float32)
        if self._resampler is None:
            return empty
        return self._resampler.resample_chunk(empty, last=True) + (self._offset or np.float32(0))


def blocks(source: Source, channel: Channel = MIX) -> Iterator[np.ndarray]:
    """Yield the audio of a file as mono float32 blocks `(samples,)` at 16 kHz; concatenated they equal `read`.

    Args:
        source: path, content as bytes, or an object whose `read()` returns bytes.
        channel: as for `overtone.audio.decode.read`.

    Raises:
        AudioError: as `overtone.audio.decode.read`. For a damaged file some blocks may come before the error.
        OptionError: not a channel.
    """
    name = source_name(source)
    with open_source(source) as file:
        index = select_channel(file, channel, name)
        resampler = StreamResampler(file.samplerate, name)
        max_frames, declared_frames = frame_limits(file)
        frames = samples = 0
        for block in mono_blocks(file, max_frames, index):
            frames += len(block)
            resampled = resampler.push(block)
            samples += len(resampled)
            yield resampled
        check_all_frames(file, frames, declared_frames, name)
        rest = resampler.close()
        check_not_empty(samples + len(rest), name)
        yield rest


def count_channels(source: Source) -> int:
    """Return the number of channels of a file, as declared in its header.

    Raises:
        AudioError: as `overtone.audio.decode.read`.
    """
    with open_source(source) as file:
        return file.channels if isinstance(file, soundfile.SoundFile) else file.source_channels


def measure_duration(source: Source) -> float:
    """Return the duration of a file in seconds, as declared in its header.

    Raises:
        AudioError: as `overtone.audio.decode.read`.
    """
    with open_source(source) as file:
        return file.frames / file.samplerate
