"""`results/adaptation.json` -> the table of what clips of a speaker are worth."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overtone.datatypes import Score
from overtone.evaluation.document import Block, Paragraph, Table
from tools.report.measurements import blocks_of


def blocks(path: Path) -> list[Block]:
    """The table and how it was measured; nothing where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_of(path, _blocks, "python -m benchmarks.adaptation")


def _blocks(held: Mapping[str, Any]) -> list[Block]:
    lines = tuple((row["adapted_to"], str(Score(row["uar"], row["uar_low"], row["uar_high"]))) for row in held["rows"])
    words = (
        f"Each of {held['rows'][0]['clips']} clips, answered by the network of its fold ({held['runs']}) after it "
        "has heard other clips of the same speaker without their labels, never the clip itself; where they are "
        f"drawn by chance, mean over {held['draws']} draws. UAR in per cent with the 95 % interval over speakers. "
        "Adapted to neutral clips alone, the usual of a speaker is neutral speech, which is not what the layer "
        "has learned to compare with: bring clips in different moods."
    )
    return [Table(("Adapted to", "UAR"), lines, frozenset({"UAR"})), Paragraph(words)]
