"""An explanation as a PNG plot, drawn by `overtone.formats.explanation_plot`."""

from collections.abc import Iterable
from typing import TextIO

from overtone.explanation import Explanation
from overtone.formats import matplotlib_helpers
from overtone.formats.explanation_plot import draw_explanation


def write(explanations: Iterable[Explanation], stream: TextIO) -> None:
    """Write the plot of the only explanation to the binary buffer of a text stream, as files and stdout have.

    Raises:
        MissingExtraError: matplotlib is not installed.
        InputError: there is no speech, and so nothing to draw.
    """
    for explanation in explanations:
        content = matplotlib_helpers.png(draw_explanation(explanation))
        stream.flush()
        stream.buffer.write(content)
