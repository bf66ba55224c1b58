"""Splits a recording into overlapping windows and merges their results: `split_windows` and its inverse `overlap_add`.

    windows = list(split_windows(0, steps))
    curve, weights = overlap_add(windows, [values[first:end] for first, end in windows], steps)     # equals `values`

The unit is a step of 0.1 s. A window is as long as the clips that models are trained on, and overlaps half of the
previous and half of the next window, so that no step is only at the edge of a window.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from overtone.datatypes import SAMPLE_RATE_HZ

STEP_SAMPLES = 1_600
STEP_S = STEP_SAMPLES / SAMPLE_RATE_HZ
WINDOW_STEPS = 30
HOP_STEPS = WINDOW_STEPS // 2

Window = tuple[int, int]  # first step, and the one after the last


def count_steps(samples: int) -> int:
    """Return how many steps cover this many samples; the last one may extend beyond them."""
    return -(-samples // STEP_SAMPLES)


def split_windows(first: int, end: int) -> Iterator[Window]:
    """Yield the windows that cover the steps from `first` to `end`, in order; a short interval is one window.

    All but the last are the same for every later `end`, so a stream can process them before its end is known. The last
    one starts earlier, so that it is as long as the others.
    """
    start = first
    while start + WINDOW_STEPS < end:
        yield start, start + WINDOW_STEPS
        start += HOP_STEPS
    yield max(first, end - WINDOW_STEPS), end


def overlap_add(
    windows: Sequence[Window],
    values: Sequence[np.ndarray],
    steps: int,
    importance: Sequence[float] | Sequence[np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted mean of overlapping windows; the weight of a window is highest in its middle.

    Args:
        windows: from `split_windows`.
        values: of each window, `(columns,)` for all of its steps, or `(steps of the window, columns)`.
        steps: number of steps of the whole curve.
        importance: weight of each window, not negative, a number or `(steps of the window,)`; None for equal weights.

    Returns:
        Curve `(steps, columns)`, NaN for a step without weight, and the total weight of each step `(steps,)`.
    """
    columns = np.shape(values[0])[-1] if len(values) else 0
    total, weight = np.zeros((steps, columns)), np.zeros(steps)
    for number, (first, end) in enumerate(windows):
        step_weights = _triangle(end - first) * (1.0 if importance is None else importance[number])
        total[first:end] += step_weights[:, None] * values[number]
        weight[first:end] += step_weights
    has_weight = weight > 0
    curve = np.full_like(total, np.nan)
    curve[has_weight] = total[has_weight] / weight[has_weight, None]
    return curve, weight


def _triangle(steps: int) -> np.ndarray:
    """Return weights that rise from both edges to the middle, `(steps,)`."""
    rise = np.arange(1, steps + 1)
    return np.minimum(rise, rise[::-1]).astype(float)
