"""Shared style and export of the plots of scores and timelines, with matplotlib but without its global state."""

import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from overtone.errors import MissingExtraError
from overtone.formats.palette import INK, LINE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 150


def new_figure(width_inch: float, height_inch: float) -> "Figure":
    """Return an empty white figure.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("plots need matplotlib: pip install 'overtone[pictures]'") from error
    return Figure(figsize=(width_inch, height_inch), dpi=DOTS_PER_INCH, layout="constrained", facecolor="white")


def style_axes(axes: "Axes", frame: bool = True) -> None:
    """Hide the tick marks, the top and right spines and, unless `frame`, the left and bottom spines."""
    axes.tick_params(which="both", length=0, colors=INK)
    for side, spine in axes.spines.items():
        spine.set_visible(frame and side in ("left", "bottom"))
        spine.set_color(LINE)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(SOFT)


def set_title(axes: "Axes", title: str, subtitle: str = "") -> None:
    """Set a left-aligned title and subtitle, both as literal text: dollar signs start no formula."""
    pad = 24 if subtitle else 12
    axes.set_title(title, loc="left", color=INK, fontsize=13, fontweight="bold", pad=pad, parse_math=False)
    if subtitle:
        axes.annotate(
            subtitle, (0, 1), (0, 8), xycoords="axes fraction", textcoords="offset points", color=SOFT, fontsize=9,
            parse_math=False,
        )  # fmt: skip


def png(figure: "Figure") -> bytes:
    """Return the figure as PNG. Equal figures give equal bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    file = io.BytesIO()
    with _ignore_missing_glyphs():
        FigureCanvasAgg(figure).print_png(file, metadata={"Software": None})
    return file.getvalue()


def svg(figure: "Figure", title: str) -> str:
    """Return the figure as SVG with searchable, accessible text. Equal figures give equal text.

    Args:
        figure: to export.
        title: description of the figure for screen readers.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    file = io.BytesIO()
    with _ignore_missing_glyphs(), rc_context({"svg.fonttype": "none", "svg.hashsalt": "overtone"}):
        FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None, "Creator": None, "Title": title})
    text = file.getvalue().decode("utf-8")
    # matplotlib derives the id of a clip path from the memory address of its axes.
    ids = {clip_id: f"clip{number}" for number, clip_id in enumerate(re.findall(r'<clipPath id="(\w+)"', text))}
    return re.sub(r"\bp[0-9a-f]{10}\b", lambda match: ids.get(match[0], match[0]), text)


@contextmanager
def _ignore_missing_glyphs() -> Iterator[None]:
    """Suppress the warning for characters that matplotlib's font lacks; they are drawn as boxes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        yield
