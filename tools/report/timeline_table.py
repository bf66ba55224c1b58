"""`results/timeline.json` -> what long recordings and live sound cost."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overtone.evaluation.document import Block, Paragraph, Table
from tools.report.measurements import Target, below, blocks_of, target_table

HEADER = ("Recording", "Wall time", "Processor time", "Times real time", "Peak memory")
SECONDS_PER_HOUR = 15  # of sound, on two cores
MEMORY_MB = 400
BEHIND_MS = 250
CORE_SHARE = 0.1


def blocks(path: Path) -> list[Block]:
    """Recordings, live sound, and what was aimed at; nothing where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_of(path, _blocks, "python -m benchmarks.timeline")


def _blocks(held: Mapping[str, Any]) -> list[Block]:
    rows = tuple(
        (
            f"{_hours(one)}, {one['form']} at {one['rate_hz'] / 1000:.0f} kHz, "
            f"{100 * one['speech_share']:.0f} % of it speech",
            f"{one['wall_s']:.1f} s",
            f"{one['cpu_s']:.1f} s",
            f"{3600 * one['hours'] / one['wall_s']:.3g}",
            f"{one['peak_mb']:.0f} MB",
        )
        for one in held["recordings"]
    )
    machine, live = held["machine"], held["stream"]
    measured_on = (
        f"RAVDESS clips joined with pauses; overtone timeline --threads {machine['cores_used']} as a whole process, on "
        f"{machine['cores_used']} cores of {machine['processor']} ({machine['system']}, Python "
        f"{machine['versions']['python']})."
    )
    streamed = (
        f"Live: {live['sound_s']:.0f} s of the same sound at {live['rate_hz'] / 1000:.0f} kHz, pushed "
        f"{live['push_ms']} ms at a time on one thread, took {100 * live['core_share']:.1f} % of one core. Each of the "
        f"{live['answers']} answers came {live['behind_ms']:.0f} ms (median; {live['behind_most_ms']:.0f} ms at most) "
        f"behind the last sound it needs. Computing took {live['computing_ms']:.0f} ms of that; the rest is the wait "
        f"until the push was full that brought it. The longest push took {live['longest_push_ms']:.0f} ms."
    )
    return [
        Table(HEADER, rows, frozenset(HEADER[1:])),
        Paragraph(measured_on),
        Paragraph(streamed),
        target_table(_targets(held)),
    ]


def _targets(held: Mapping[str, Any]) -> list[Target]:
    targets = []
    for one in held["recordings"]:
        limit_s = SECONDS_PER_HOUR * one["hours"]
        targets += [
            below(f"{_hours(one)} in less than {limit_s:.3g} s on two cores", limit_s, one["wall_s"], "s"),
            below(f"{_hours(one)} in less than {MEMORY_MB} MB", MEMORY_MB, one["peak_mb"], "MB"),
        ]
    live = held["stream"]
    return [
        *targets,
        below(f"Live answers at most {BEHIND_MS} ms behind", BEHIND_MS + 1e-9, live["behind_most_ms"], "ms"),
        below("Live sound on less than 10 % of one core", 100 * CORE_SHARE, 100 * live["core_share"], "%"),
    ]


def _hours(one: Mapping[str, Any]) -> str:
    return "One hour" if one["hours"] == 1 else f"{one['hours']:.3g} hours"
