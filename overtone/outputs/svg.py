"""A timeline as an SVG picture, as `overtone.outputs.picture` draws it; it stays sharp, and its words are text."""

from typing import TextIO

from overtone.outputs import drawing, picture
from overtone.timeline import Timeline

SUFFIX = ".svg"


def write(timeline: Timeline, stream: TextIO) -> None:
    """Writes the picture.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    stream.write(drawing.svg(picture.drawn(timeline), f"Emotions over time in {picture.name_of(timeline)}"))
