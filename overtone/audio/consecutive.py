"""Several recordings in one file, one after the other, as one: `cat a.mp3 b.mp3`, and chained Ogg streams.

Decoders stop silently at the end of the first one. `containers` and `mp3` find where each begins.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import soundfile

from overtone.audio.frames import count_slack, read_mono
from overtone.audio.pyav_reader import PyavReader
from overtone.errors import AudioError

BLOCK_FRAMES = 2**18


class ConsecutiveAudio:
    """Several open recordings in a row, with the interface of `PyavReader`.

    Args:
        files: the recordings, at their first frames.
        name: the name of the file, for messages.

    Raises:
        AudioError: their sampling rates differ.
    """

    channels = 1

    def __init__(self, files: Sequence[soundfile.SoundFile | PyavReader], name: str) -> None:
        rates = sorted({file.samplerate for file in files})
        if len(rates) > 1:
            raise AudioError(
                f"{name}: contains {len(files)} recordings of different sampling rates, {rates[0]} to {rates[-1]} Hz; "
                "split it into one file per recording"
            )
        self._files, self._name = files, name
        self._index: int | None = None
        self._current = 0
        self.samplerate = rates[0]
        self.format = files[0].format
        self.source_channels = files[0].source_channels if isinstance(files[0], PyavReader) else files[0].channels
        self.frames = sum(file.frames for file in files)
        self.declared_frames = sum(
            file.declared_frames if isinstance(file, PyavReader) else file.frames for file in files
        )
        self.slack_frames = sum(map(count_slack, files))

    def select_channel(self, index: int | None) -> None:
        """Decode the channel with this index instead of the mean of all, which None selects; before any `read`.

        Raises:
            AudioError: a channel is selected, and the recordings have different numbers of channels.
        """
        self._index = index
        for file in self._files:
            is_pyav = isinstance(file, PyavReader)
            if index is not None and (file.source_channels if is_pyav else file.channels) != self.source_channels:
                raise AudioError(
                    f"{self._name}: contains recordings of different numbers of channels; split it, or choose mix"
                )
            if is_pyav:
                file.select_channel(index)

    def seek(self, frame: int) -> None:
        """Make `frame` the next one to be read; only once, before any `read`."""
        for number, file in enumerate(self._files):
            if frame < file.frames or number == len(self._files) - 1:
                self._current = number
                file.seek(frame)
                return
            frame -= file.frames

    def read(self, frames: int, **_: Any) -> np.ndarray:
        """Return the next samples, float32 `(frames, 1)`; fewer at the end."""
        parts: list[np.ndarray] = [np.empty(0, np.float32)]
        while frames > 0 and self._current < len(self._files):
            file = self._files[self._current]
            part = read_mono(file, min(frames, BLOCK_FRAMES), None if isinstance(file, PyavReader) else self._index)
            if not len(part):
                self._current += 1
            parts.append(part)
            frames -= len(part)
        return np.concatenate(parts)[:, None]
