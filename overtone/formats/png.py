"""A timeline as a PNG picture, as `overtone.formats.timeline_plot` draws it."""

from typing import TextIO

from overtone.formats import matplotlib_helpers, timeline_plot
from overtone.timeline import Timeline

SUFFIX = ".png"


def write(timeline: Timeline, stream: TextIO) -> None:
    """Writes the picture to the bytes below a text stream, as files and stdout have them.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    content = matplotlib_helpers.png(timeline_plot.draw_timeline(timeline))
    stream.flush()
    stream.buffer.write(content)
