"""An explanation as a matplotlib figure: levels over time with the contributions of time and frequency, and properties.

Orange speaks for the class, blue against it; bars also point to different sides. A pale bar is not reliable.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from overtone.errors import InputError
from overtone.explanation import Contribution, Explanation
from overtone.formats.explanation_words import describe, percent
from overtone.formats.matplotlib_helpers import new_figure, set_title, style_axes
from overtone.formats.palette import BLUE, INK, LINE, ORANGE, SOFT
from overtone.formats.table import emotion_label, printable, shorten

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_INCH, HEIGHT_INCH = 10.0, 7.2
MAX_TITLE_CHARACTERS, LINE_CHARACTERS = 70, 120
UNRELIABLE_ALPHA = 0.35
LEVELS = "Greys"


def draw_explanation(explanation: Explanation) -> "Figure":
    """Return the plot as a matplotlib figure.

    Raises:
        MissingExtraError: matplotlib is not installed.
        InputError: there is no speech, and so nothing to draw.
    """
    if not explanation.spans:
        raise InputError(f"{explanation.prediction.source}: no speech was detected: there is nothing to draw")
    figure = new_figure(WIDTH_INCH, HEIGHT_INCH)
    panels = figure.subplots(3, 2, width_ratios=(4, 1), height_ratios=(1.2, 2.4, 1.6))
    _draw_spans(panels[0, 0], explanation)
    _draw_levels(panels[1, 0], explanation)
    _draw_bands(panels[1, 1], explanation)
    _draw_properties(panels[2, 0], explanation)
    for axes in (panels[0, 1], panels[2, 1]):
        axes.set_axis_off()
    set_title(panels[0, 0], explanation_title(explanation))
    figure.supxlabel("\n".join(describe(explanation)), fontsize=9, color=INK, x=0.02, ha="left", parse_math=False)
    return figure


def explanation_title(explanation: Explanation) -> str:
    """Return the file name, the predicted class and its confidence, on one line."""
    prediction = explanation.prediction
    name = shorten(printable(Path(prediction.source).name), MAX_TITLE_CHARACTERS)
    return f"{name}: {emotion_label(prediction)} {percent(prediction.confidence)} %"


def _colour(part: Contribution) -> str:
    return ORANGE if part.value > 0 else BLUE


def _style(parts: Sequence[Contribution]) -> tuple[list[str], list[float]]:
    return [_colour(part) for part in parts], [1.0 if part.is_reliable else UNRELIABLE_ALPHA for part in parts]


def _draw_spans(axes: "Axes", explanation: Explanation) -> None:
    colours, alphas = _style(explanation.spans)
    for part, colour, alpha in zip(explanation.spans, colours, alphas, strict=True):
        middle_s, width_s = (part.start_s + part.end_s) / 2, 0.94 * (part.end_s - part.start_s)
        axes.bar(middle_s, part.value, width_s, color=colour, alpha=alpha)
    axes.axhline(0, color=LINE, linewidth=0.8)
    axes.set_xlim(explanation.start_s, explanation.end_s)
    axes.set_ylabel("log-odds")
    style_axes(axes)


def _draw_levels(axes: "Axes", explanation: Explanation) -> None:
    edges_s = np.linspace(explanation.start_s, explanation.end_s, len(explanation.levels_db) + 1)
    rows = np.arange(len(explanation.bands) + 1)
    axes.pcolormesh(edges_s, rows, explanation.levels_db.T, cmap=LEVELS, vmin=-60, vmax=0, rasterized=True)
    edges_hz = [part.low_hz for part in explanation.bands] + [explanation.bands[-1].high_hz]
    axes.set_yticks(rows, [f"{edge:.0f}" for edge in edges_hz], fontsize=8)
    axes.set_xlabel("time, s")
    axes.set_ylabel("frequency, Hz")
    style_axes(axes)


def _draw_bands(axes: "Axes", explanation: Explanation) -> None:
    colours, alphas = _style(explanation.bands)
    for row, (part, colour, alpha) in enumerate(zip(explanation.bands, colours, alphas, strict=True)):
        axes.barh(row + 0.5, part.value, 0.9, color=colour, alpha=alpha)
    axes.axvline(0, color=LINE, linewidth=0.8)
    axes.set_ylim(0, len(explanation.bands))
    axes.set_yticks([])
    axes.set_xlabel("log-odds")
    style_axes(axes)


def _draw_properties(axes: "Axes", explanation: Explanation) -> None:
    colours, alphas = _style(explanation.properties)
    for row, (part, colour, alpha) in enumerate(zip(explanation.properties, colours, alphas, strict=True)):
        axes.barh(row, part.value, 0.7, color=colour, alpha=alpha)
        axes.plot([part.low, part.high], [row, row], color=INK, linewidth=1.5)
        text = f" {percent(explanation.probability)} → {percent(part.probability)} %"
        axes.text(max(part.value, part.high, 0), row, text, va="center", color=SOFT, fontsize=9)
    axes.axvline(0, color=LINE, linewidth=0.8)
    axes.set_yticks(range(len(explanation.properties)), [part.name for part in explanation.properties])
    axes.invert_yaxis()
    axes.set_xmargin(0.2)
    axes.set_xlabel("change of the log-odds when the property is made average: right speaks for the class")
    style_axes(axes)
