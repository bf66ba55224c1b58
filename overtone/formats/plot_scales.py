"""The scales of the lanes of a timeline plot: range, ticks and grid lines; `page_axes.js` has the same in the page."""

from typing import TYPE_CHECKING

import numpy as np

from overtone.formats.palette import LINE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PITCH_TICKS_HZ = (50, 75, 100, 150, 200, 300, 400, 600)
PITCH_RANGE_HZ = (75, 600)  # without any pitch
LANE_TICK_POINTS, LANE_TICKS_WIDTH_POINTS = 6, 16  # font size of the ticks of lanes; width left of them


def draw_lane_scales(axes: "Axes", lanes: int, share: float) -> None:
    """Draw the scale of probabilities in each of several lanes, which are one unit high, the first at the top.

    Args:
        axes: to draw on.
        lanes: number of lanes.
        share: height of a probability of 1.
    """
    values = np.tile([0, 0.5, 1], lanes)
    heights = np.repeat(np.arange(lanes), 3) + 1 - share * values
    axes.set_yticks(heights, ["" if value == 0.5 else f"{value:g}" for value in values], minor=True)
    axes.tick_params(axis="y", which="minor", labelsize=LANE_TICK_POINTS)
    axes.tick_params(axis="y", which="major", pad=LANE_TICKS_WIDTH_POINTS)
    axes.grid(axis="y", which="minor", color=LINE, linewidth=0.6)


def set_pitch_scale(axes: "Axes", pitch_hz: np.ndarray) -> None:
    """Set a logarithmic scale: equal distances are equal musical intervals.

    Args:
        axes: to draw on.
        pitch_hz: of the track, 0 where unvoiced.
    """
    low, high = pitch_range_hz(pitch_hz)
    ticks = [tick for tick in PITCH_TICKS_HZ if low <= tick <= high]
    axes.set_yscale("log")
    axes.set_yticks(ticks, [str(tick) for tick in ticks])
    axes.set_yticks([], minor=True)
    axes.set_ylim(low, high)
    _finish(axes, "pitch, Hz")


def pitch_range_hz(pitch_hz: np.ndarray) -> tuple[int, int]:
    """Return the ends of the pitch scale: the nearest of `PITCH_TICKS_HZ` around all voiced steps."""
    voiced_hz = pitch_hz[pitch_hz > 0]
    if not len(voiced_hz):
        return PITCH_RANGE_HZ
    low = max((tick for tick in PITCH_TICKS_HZ if tick <= voiced_hz.min()), default=PITCH_TICKS_HZ[0])
    high = min((tick for tick in PITCH_TICKS_HZ if tick >= voiced_hz.max()), default=PITCH_TICKS_HZ[-1])
    return (low, high) if low < high else PITCH_RANGE_HZ


def set_loudness_scale(axes: "Axes", loudness_db: np.ndarray) -> None:
    """Set a scale between the whole tens of decibels around the track."""
    low, high = 10 * np.floor(loudness_db.min() / 10), 10 * np.ceil(loudness_db.max() / 10)
    low, high = (low, high) if low < high else (low - 10, high + 10)
    step = 20 if high - low > 40 else 10
    axes.set_yticks(np.arange(np.ceil(low / step) * step, high + 1, step))
    axes.set_ylim(low, high)
    _finish(axes, "loudness, dB")


def set_unit_scale(axes: "Axes", label: str) -> None:
    """Set a scale from 0 to 1."""
    axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
    axes.set_ylim(-0.1, 1.1)
    _finish(axes, label)


def _finish(axes: "Axes", label: str) -> None:
    axes.set_ylabel(label)
    axes.grid(axis="y", color=LINE, linewidth=0.8)
