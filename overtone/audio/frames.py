"""Reads the next frames of an open file: mono, float32, full scale 1."""

import numpy as np
import soundfile

from overtone.audio.downmix import downmix
from overtone.audio.pyav_reader import PyavReader

INT16_STEP = np.float32(2.0**-15)
MP3_SLACK_FRAMES = 2 * 1152  # encoder delay and padding, which encoders report differently
LAYER_2_SLACK = 48  # bytes of the shortest frame. The decoder takes all frames to be as long as the first one


def read_mono(file: soundfile.SoundFile | PyavReader, frames: int, index: int | None) -> np.ndarray:
    """Return the next frames of a file, or as many as there are, float32 `(frames,)`.

    Args:
        file: the open file.
        frames: number of frames.
        index: of the channel; None for the mean of all.
    """
    return one_channel(_decode(file, frames), index)


def one_channel(frames: np.ndarray, index: int | None) -> np.ndarray:
    """Return one channel, or the mean of all for None: `(frames, channels)` -> `(frames,)`."""
    if index is not None:
        return np.ascontiguousarray(frames[:, index])
    return downmix(frames)


def count_slack(file: soundfile.SoundFile | PyavReader) -> int:
    """Return how many frames fewer than declared are not a sign of truncation."""
    if isinstance(file, PyavReader):
        return file.slack_frames
    if file.subtype == "MPEG_LAYER_II":
        return MP3_SLACK_FRAMES + file.frames // LAYER_2_SLACK
    return MP3_SLACK_FRAMES if file.subtype.startswith("MPEG") else 0


def _decode(file: soundfile.SoundFile | PyavReader, frames: int) -> np.ndarray:
    """Return the next frames, or as many as there are, float32 `(frames, channels)`."""
    if not isinstance(file, soundfile.SoundFile) or file.subtype != "PCM_16":
        return file.read(frames, dtype="float32", always_2d=True)
    # The same values as libsndfile returns for 16 bit, in a quarter of the time.
    return np.multiply(file.read(frames, dtype="int16", always_2d=True), INT16_STEP, dtype=np.float32)
