"""What figures of scores and pictures of timelines are drawn with: matplotlib without global state, and one look."""

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
    """A white sheet.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("pictures need matplotlib: pip install 'overtone[pictures]'") from error
    return Figure(figsize=(width_inch, height_inch), dpi=DOTS_PER_INCH, layout="constrained", facecolor="white")


def plain(axes: "Axes", frame: bool = True) -> None:
    """Takes away what says nothing: ticks and, unless `frame`, the lines at the left and below."""
    axes.tick_params(which="both", length=0, colors=INK)
    for side, spine in axes.spines.items():
        spine.set_visible(frame and side in ("left", "bottom"))
        spine.set_color(LINE)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(SOFT)


def titled(axes: "Axes", title: str, below: str = "") -> None:
    """A title at the left and a line below it; both are taken literally, dollar signs too."""
    pad = 24 if below else 12
    axes.set_title(title, loc="left", color=INK, fontsize=13, fontweight="bold", pad=pad, parse_math=False)
    if below:
        axes.annotate(
            below, (0, 1), (0, 8), xycoords="axes fraction", textcoords="offset points", color=SOFT, fontsize=9,
            parse_math=False,
        )  # fmt: skip


def png(figure: "Figure") -> bytes:
    """The sheet as PNG; equal pictures have equal bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    file = io.BytesIO()
    with _any_letters():
        FigureCanvasAgg(figure).print_png(file, metadata={"Software": None})
    return file.getvalue()


def svg(figure: "Figure", title: str) -> str:
    """The sheet as SVG with texts as text, so that they can be searched and read aloud; equal pictures, equal texts.

    Args:
        figure: the sheet.
        title: what it shows, for those who do not see it.
    """
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    file = io.BytesIO()
    with _any_letters(), rc_context({"svg.fonttype": "none", "svg.hashsalt": "overtone"}):
        FigureCanvasSVG(figure).print_svg(file, metadata={"Date": None, "Creator": None, "Title": title})
    text = file.getvalue().decode("utf-8")
    # matplotlib names a clip path after the address of its axes.
    names = {name: f"clip{number}" for number, name in enumerate(re.findall(r'<clipPath id="(\w+)"', text))}
    return re.sub(r"\bp[0-9a-f]{10}\b", lambda name: names.get(name[0], name[0]), text)


@contextmanager
def _any_letters() -> Iterator[None]:
    """Names in letters that matplotlib's font lacks are drawn as boxes, without a warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        yield
