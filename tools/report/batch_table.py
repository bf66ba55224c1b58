"""`results/batch.json` -> throughput of `overtone batch` by the number of processes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overtone.evaluation.document import Block, Paragraph, Table
from tools.report.measurements import blocks_from_file, machine_name

HEADER = ("Processes", "Seconds", "Files per second", "Speed-up")


def blocks(path: Path) -> list[Block]:
    """Return the table and its method; an empty list where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_from_file(path, _blocks, "python -m benchmarks.batch")


def _blocks(content: Mapping[str, Any]) -> list[Block]:
    single_s = content["seconds"]["1 process"]
    lines = tuple(
        (name.split()[0], f"{seconds:.1f}", f"{content['files'] / seconds:.0f}", f"{single_s / seconds:.2f}")
        for name, seconds in content["seconds"].items()
    )
    return [Table(HEADER, lines, numbers=frozenset(HEADER[1:])), Paragraph(_method(content))]


def _method(content: Mapping[str, Any]) -> str:
    machine, failures = content["machine"], content["failures"]
    return (
        f"'overtone batch' from start to exit on {content['files']} files: {content['predictions']} RAVDESS clips, all "
        f"recognised, and {sum(failures.values())} broken files of {len(failures)} kinds, all reported as failures. "
        f"Median of {content['repeats']} batches, on {machine['cores_used']} cores of {machine_name(machine)}."
    )
