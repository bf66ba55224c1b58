"""`results/adaptation.json` -> UAR by the number of clips that the model was adapted to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overtone.datatypes import Score
from overtone.evaluation.document import Block, Paragraph, Table
from tools.report.measurements import blocks_from_file


def blocks(path: Path) -> list[Block]:
    """Return the table and its method; an empty list where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_from_file(path, _blocks, "python -m benchmarks.adaptation")


def _blocks(content: Mapping[str, Any]) -> list[Block]:
    rows = content["rows"]
    lines = tuple((row["adapted_to"], str(Score(row["uar"], row["uar_low"], row["uar_high"]))) for row in rows)
    method = (
        f"UAR in per cent with the 95 % interval over speakers, {rows[0]['clips']} clips. Each clip is recognised by "
        f"the network of its fold ({content['runs']}), adapted to other unlabelled clips of the same speaker. Random "
        f"selections are averaged over {content['random_subsets']} draws. The statistics of neutral "
        "clips alone differ from those that the adapter was trained on: adapt to clips in different moods."
    )
    return [Table(("Adapted to", "UAR"), lines, frozenset({"UAR"})), Paragraph(method)]
