"""A timeline as a PNG picture, as `overtone.outputs.picture` draws it."""

from typing import TextIO

from overtone.outputs import drawing, picture
from overtone.timeline import Timeline

SUFFIX = ".png"


def write(timeline: Timeline, stream: TextIO) -> None:
    """Writes the picture to the bytes below a text stream, as files and stdout have them.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    content = drawing.png(picture.drawn(timeline))
    stream.flush()
    stream.buffer.write(content)
