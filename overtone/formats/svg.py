"""A timeline as an SVG plot with searchable text, drawn by `overtone.formats.timeline_plot`."""

from typing import TextIO

from overtone.formats import matplotlib_helpers, timeline_plot
from overtone.timeline import Timeline


def write(timeline: Timeline, stream: TextIO) -> None:
    """Write the plot.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    title = f"Emotions over time in {timeline_plot.recording_name(timeline)}"
    stream.write(matplotlib_helpers.svg(timeline_plot.draw_timeline(timeline), title))
