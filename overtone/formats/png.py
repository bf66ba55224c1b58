"""A timeline as a PNG plot, drawn by `overtone.formats.timeline_plot`."""

from typing import TextIO

from overtone.formats import matplotlib_helpers, timeline_plot
from overtone.timeline import Timeline


def write(timeline: Timeline, stream: TextIO) -> None:
    """Write the plot to the binary buffer of a text stream, as files and stdout have.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    content = matplotlib_helpers.png(timeline_plot.draw_timeline(timeline))
    stream.flush()
    stream.buffer.write(content)
