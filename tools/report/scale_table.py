"""`results/scale.json` -> speed-up by the number of Ray nodes, loss of a node, and the cost of a million hours."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overtone.evaluation.document import Block, Paragraph, Table
from overtone.evaluation.report import UNKNOWN
from tools.report.measurements import blocks_from_file

HEADER = ("Nodes with one core", "Seconds", "Speed-up", "Hours of audio per core-hour", "Core-hours per 1,000 hours")
EXAMPLE_HOURS, EXAMPLE_CORES = 1_000_000, 1_000


def blocks(path: Path) -> list[Block]:
    """Return the table, its method and an extrapolation; an empty list where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_from_file(path, _blocks, "python -m benchmarks.scale")


def _blocks(content: Mapping[str, Any]) -> list[Block]:
    seconds, cost = content["seconds"], content["core_hours_per_1000_hours"]
    single_s = seconds["1 node"]
    rows = tuple(
        (
            name,
            f"{time_s:.1f}",
            f"{single_s / time_s:.2f}",
            *((f"{1000 / cost[name]:.0f}", f"{cost[name]:.2f}") if name in cost else (UNKNOWN, UNKNOWN)),
        )
        for name, time_s in seconds.items()
    )
    table = Table(HEADER, rows, numbers=frozenset(HEADER[1:]))
    return [table, Paragraph(_method(content)), Paragraph(_extrapolation(content))]


def _method(content: Mapping[str, Any]) -> str:
    machine = content["machine"]
    return (
        f"{content['inputs']} RAVDESS clips, {content['audio_hours']:.1f} hours; wall time of the whole command "
        f"including its start, medians of {content['repeats']} clusters on one machine, {machine['cores']} cores of "
        f"{machine['processor']}, Ray {machine['versions']['ray']}. One node was killed while it worked, after a third "
        f"of the batch: {content['lost']} inputs lost, {content['duplicated']} duplicated, predictions identical byte "
        "for byte."
    )


def _extrapolation(content: Mapping[str, Any]) -> str:
    clips_per_hour = content["inputs"] / content["audio_hours"]
    core_hours = content["core_hours_per_1000_hours"]["2 nodes"] * EXAMPLE_HOURS / 1000
    gigabytes = clips_per_hour * EXAMPLE_HOURS * content["bytes_per_prediction"] / 1e9
    return (
        f"At this cost a million hours take {core_hours:,.0f} core-hours, {core_hours / EXAMPLE_CORES:.1f} hours on "
        f"{EXAMPLE_CORES:,} cores. In clips of this length they are {clips_per_hour * EXAMPLE_HOURS / 1e6:,.0f} "
        f"million inputs, whose predictions, at {content['bytes_per_prediction']:.0f} bytes each, take "
        f"{gigabytes:,.0f} GB of Parquet."
    )
