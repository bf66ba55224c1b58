"""Changes of the loudness contour: all speech of a clip at the same level, the pauses as they are."""

import numpy as np

from overtone.datatypes import SAMPLE_RATE_HZ, Float32Array, FloatArray

SPEECH_RANGE_DB = 35.0  # below the loudest; what is quieter is a pause and is not made louder
MAX_GAIN_DB = 25.0


def flatten_loudness(samples: FloatArray, window_s: float) -> Float32Array:
    """Return the clip with its envelope at the median of its speech, and as loud as before, float32 `(samples,)`.

    Args:
        samples: the clip.
        window_s: over which the level is measured: a short one also flattens syllables, a long one only phrases.
    """
    level_db = levels_db(samples, window_s)
    is_speech = level_db > level_db.max() - SPEECH_RANGE_DB
    gain_db = np.clip(np.median(level_db[is_speech]) - level_db, -MAX_GAIN_DB, MAX_GAIN_DB)
    # In a pause, the gain leads from that before to that after it, and never amplifies the background.
    times = np.arange(len(samples))
    gain_db = np.where(is_speech, gain_db, np.minimum(0, np.interp(times, times[is_speech], gain_db[is_speech])))
    changed = samples * 10 ** (_smooth(gain_db, window_s / 2) / 20)
    power = float((changed**2).mean())
    scaled: Float32Array = (changed * np.sqrt((samples**2).mean() / max(power, 1e-20))).astype(np.float32)
    return scaled


def levels_db(samples: FloatArray, window_s: float) -> FloatArray:
    """Return the level around each sample in dB re full scale, `(samples,)`."""
    levels: FloatArray = 10 * np.log10(np.maximum(_smooth(samples.astype(float) ** 2, window_s), 1e-12))
    return levels


def _smooth(values: FloatArray, window_s: float) -> FloatArray:
    """Return moving averages, `(samples,)`; at the ends over what there is."""
    half = max(1, int(window_s * SAMPLE_RATE_HZ / 2))
    sums = np.concatenate([[0.0], np.cumsum(values)])
    index = np.arange(len(values))
    first, end = np.maximum(0, index - half), np.minimum(len(values), index + half + 1)
    means: FloatArray = (sums[end] - sums[first]) / (end - first)
    return means
