"""Recording -> overlapping windows, and what was heard in them -> one curve: `cut` and `overlap_add`, an inverse pair.

    windows = list(cut(0, steps))
    curve, weights = stitch(windows, [values[first:end] for first, end in windows], steps)     # the values again

Everything is counted in steps of 0.1 s. A window is as long as the clips that models are trained on; half of it is also
heard in the window before, the other half in the one after, so that nothing is only heard at an edge.
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
    """How many steps cover so many samples; the last one may reach beyond them."""
    return -(-samples // STEP_SAMPLES)


def split_windows(first: int, end: int) -> Iterator[Window]:
    """The windows that cover the steps from `first` to `end`, in order; a short stretch is one window.

    All but the last are the same for every later `end`: a stream can hear them before it knows where it ends. The last
    one is moved back so that it is as long as the others.
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
    """Where windows overlap, the mean of what they say, a window counting most in its middle.

    Args:
        windows: as `cut` gives them.
        values: of each window, `(columns,)` for all of its steps, or `(its steps, columns)`.
        steps: of the whole curve.
        importance: how much each window counts, not negative, as a whole or `(its steps,)`; None for all the same.

    Returns:
        Curve `(steps, columns)`, NaN where nothing is said of a step, and what each step weighs `(steps,)`.
    """
    columns = np.shape(values[0])[-1] if len(values) else 0
    total, weight = np.zeros((steps, columns)), np.zeros(steps)
    for number, (first, end) in enumerate(windows):
        share = _triangle(end - first) * (1.0 if importance is None else importance[number])
        total[first:end] += share[:, None] * values[number]
        weight[first:end] += share
    known = weight > 0
    curve = np.full_like(total, np.nan)
    curve[known] = total[known] / weight[known, None]
    return curve, weight


def _triangle(steps: int) -> np.ndarray:
    """Rises from both edges to the middle, `(steps,)`."""
    rise = np.arange(1, steps + 1)
    return np.minimum(rise, rise[::-1]).astype(float)
