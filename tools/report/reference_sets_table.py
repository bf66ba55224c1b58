"""`results/reference-sets.json` -> UAR on unseen corpora by the make-up of the reference set."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overtone.evaluation.document import Block, Paragraph, Table
from tools.report.measurements import blocks_from_file


def blocks(path: Path) -> list[Block]:
    """Return the table and its method; an empty list where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_from_file(path, _blocks, "python -m benchmarks.reference_sets")


def _blocks(content: Mapping[str, Any]) -> list[Block]:
    rows = content["rows"]
    folds = [name for name in rows[0] if name not in ("references", "mean")]
    lines = tuple(
        (row["references"], *(f"{100 * row[fold]:.1f}" for fold in folds), f"{100 * row['mean']:.1f}") for row in rows
    )
    method = (
        f"UAR in per cent on corpora that the model was not trained on ({content['runs']}), by the unlabelled "
        "reference clips of each test clip. A set of one emotion is the worst case: it hides the emotion asked for."
    )
    header = ("Reference clips", *folds, "mean")
    return [Table(header, lines, frozenset(header[1:])), Paragraph(method)]
