"""`results/batch.json` -> the table of what all cores are worth to `overtone batch`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overtone.evaluation.document import Block, Paragraph, Table
from tools.report.measurements import blocks_of

HEADER = ("Processes", "Seconds", "Files a second", "Times one")


def blocks(path: Path) -> list[Block]:
    """The table and what it was measured on; nothing where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_of(path, _blocks, "python -m benchmarks.batch")


def _blocks(held: Mapping[str, Any]) -> list[Block]:
    alone_s = held["seconds"]["1 job"]
    lines = tuple(
        (jobs.split()[0], f"{seconds:.1f}", f"{held['files'] / seconds:.0f}", f"{alone_s / seconds:.2f}")
        for jobs, seconds in held["seconds"].items()
    )
    return [Table(HEADER, lines, numbers=frozenset(HEADER[1:])), Paragraph(_measured_on(held))]


def _measured_on(held: Mapping[str, Any]) -> str:
    machine, broken = held["machine"], held["failures"]
    return (
        f"'overtone batch' as a whole process on {held['files']} files: {held['answers']} RAVDESS clips, each "
        f"answered, and {sum(broken.values())} broken files of {len(broken)} kinds, each named among the failures. "
        f"Median of {held['repeats']} batches, on {machine['cores_used']} cores of {machine['processor']} "
        f"({machine['system']}, Python {machine['versions']['python']})."
    )
