"""A timeline as an SVG picture, as `overtone.formats.timeline_plot` draws it; it stays sharp, and its words are text."""

from typing import TextIO

from overtone.formats import matplotlib_helpers, timeline_plot
from overtone.timeline import Timeline

SUFFIX = ".svg"


def write(timeline: Timeline, stream: TextIO) -> None:
    """Writes the picture.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    stream.write(
        matplotlib_helpers.svg(
            timeline_plot.draw_timeline(timeline), f"Emotions over time in {timeline_plot.recording_name(timeline)}"
        )
    )
