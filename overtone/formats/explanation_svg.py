"""An explanation as an SVG plot with searchable text, drawn by `overtone.formats.explanation_plot`."""

from collections.abc import Iterable
from typing import TextIO

from overtone.explanation import Explanation
from overtone.formats import matplotlib_helpers
from overtone.formats.explanation_plot import draw_explanation, explanation_title


def write(explanations: Iterable[Explanation], stream: TextIO) -> None:
    """Write the plot of the only explanation.

    Raises:
        MissingExtraError: matplotlib is not installed.
        InputError: there is no speech, and so nothing to draw.
    """
    for explanation in explanations:
        stream.write(matplotlib_helpers.svg(draw_explanation(explanation), explanation_title(explanation)))
