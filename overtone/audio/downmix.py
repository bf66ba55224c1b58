"""Several channels -> one."""

import numpy as np

CANCELLED = 1e-2  # of the power, -20 dB: lossy codecs leave as much. One of 64 channels with sound has more in the mean


def downmix(frames: np.ndarray) -> np.ndarray:
    """Return the mean of the channels: floats `(frames, channels)` -> `(frames,)`.

    Where they cancel each other out, as two of opposite polarity do, it is the channel with the highest power.
    """
    if frames.shape[1] == 1:
        return frames[:, 0]
    with np.errstate(all="ignore"):  # `decode.check_samples` reports infinities
        mean: np.ndarray = frames.mean(axis=1)
        if np.vdot(mean, mean) * frames.shape[1] < CANCELLED * np.vdot(frames, frames):
            return np.ascontiguousarray(frames[:, np.argmax(np.square(frames).sum(axis=0))])
    return mean
