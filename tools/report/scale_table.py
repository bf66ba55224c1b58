"""`results/scale.json` -> what a node is worth, what is lost with one, and what a million hours would take."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overtone.evaluation.document import Block, Paragraph, Table
from overtone.evaluation.report import UNKNOWN
from tools.report.measurements import blocks_of

HEADER = (
    "Nodes of one core",
    "Seconds",
    "Times faster",
    "Hours of audio per core and hour",
    "Core-hours per 1,000 hours",
)
MANY_HOURS, MANY_CORES = 1_000_000, 1_000


def blocks(path: Path) -> list[Block]:
    """The table and how it was measured; nothing where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_of(path, _blocks, "python -m benchmarks.scale")


def _blocks(held: Mapping[str, Any]) -> list[Block]:
    seconds, cost = held["seconds"], held["core_hours_per_1000_hours"]
    one = seconds["1 node"]
    rows = tuple(
        (
            name,
            f"{time_s:.1f}",
            f"{one / time_s:.2f}",
            *((f"{1000 / cost[name]:.0f}", f"{cost[name]:.2f}") if name in cost else (UNKNOWN, UNKNOWN)),
        )
        for name, time_s in seconds.items()
    )
    return [Table(HEADER, rows, numbers=frozenset(HEADER[1:])), Paragraph(_measured_on(held)), Paragraph(_many(held))]


def _measured_on(held: Mapping[str, Any]) -> str:
    machine = held["machine"]
    return (
        f"{held['inputs']} RAVDESS clips, {held['audio_hours']:.1f} hours, the whole command with its start; medians "
        f"of {held['repeats']} clusters on one machine, {machine['cores']} cores of {machine['processor']}, Ray "
        f"{machine['versions']['ray']}. The node was killed at its work, when a third was done: inputs lost "
        f"{held['lost']}, there twice {held['twice']}, the answers the same, byte for byte."
    )


def _many(held: Mapping[str, Any]) -> str:
    clips_per_hour = held["inputs"] / held["audio_hours"]
    core_hours = held["core_hours_per_1000_hours"]["2 nodes"] * MANY_HOURS / 1000
    gigabytes = clips_per_hour * MANY_HOURS * held["bytes_per_answer"] / 1e9
    return (
        f"At this cost a million hours take {core_hours:,.0f} core-hours, {core_hours / MANY_CORES:.1f} hours of "
        f"{MANY_CORES:,} cores; cut like these clips they are {clips_per_hour * MANY_HOURS / 1e6:,.0f} million inputs, "
        f"whose answers, at {held['bytes_per_answer']:.0f} bytes each, fill {gigabytes:,.0f} GB of Parquet."
    )
