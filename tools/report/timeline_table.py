"""`results/timeline.json` -> time and memory for long recordings, latency and load for live audio."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overtone.evaluation.document import Block, Paragraph, Table
from tools.report.measurements import Target, below, blocks_from_file, machine_name, target_table

COMMAND = "python -m benchmarks.timeline"
HEADER = ("Recording", "Wall time", "CPU time", "Times real time", "Peak memory")
MAX_SECONDS_PER_HOUR = 15  # wall seconds per hour of audio, on two cores
MAX_MEMORY_MB = 400
MAX_LATENCY_MS = 250
MAX_CORE_SHARE = 0.1


def blocks(path: Path) -> list[Block]:
    """Return the table of recordings, its method and the streaming costs; an empty list where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_from_file(path, _blocks, COMMAND)


def detail_blocks(path: Path) -> list[Block]:
    """Return the table of targets; an empty list where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_from_file(path, lambda content: [target_table(_targets(content))], COMMAND)


def _blocks(content: Mapping[str, Any]) -> list[Block]:
    rows = tuple(
        (
            f"{_hours(recording)}, {recording['format']} at {recording['rate_hz'] / 1000:.0f} kHz, "
            f"{100 * recording['speech_share']:.0f} % speech",
            f"{recording['wall_s']:.1f} s",
            f"{recording['cpu_s']:.1f} s",
            f"{3600 * recording['hours'] / recording['wall_s']:.3g}",
            f"{recording['peak_mb']:.0f} MB",
        )
        for recording in content["recordings"]
    )
    machine = content["machine"]
    method = (
        f"RAVDESS clips joined with pauses; overtone timeline --threads {machine['cores_used']}, from start to exit, "
        f"on {machine['cores_used']} cores of {machine_name(machine)}."
    )
    return [Table(HEADER, rows, frozenset(HEADER[1:])), Paragraph(method), Paragraph(_streaming(content["stream"]))]


def _streaming(stream: Mapping[str, Any]) -> str:
    return (
        f"Live: {stream['audio_s']:.0f} s of the same audio at {stream['rate_hz'] / 1000:.0f} kHz, pushed in chunks of "
        f"{stream['push_ms']} ms on one thread, took {100 * stream['core_share']:.1f} % of one core. The latency of "
        f"the {stream['predictions']} predictions was {stream['latency_ms_median']:.0f} ms (median; "
        f"{stream['latency_ms_max']:.0f} ms at most) after the end of their window: "
        f"{stream['computing_ms_median']:.0f} ms of computation, the rest waiting for the chunk to fill. The longest "
        f"push took {stream['push_ms_max']:.0f} ms."
    )


def _targets(content: Mapping[str, Any]) -> list[Target]:
    targets = []
    for recording in content["recordings"]:
        limit_s = MAX_SECONDS_PER_HOUR * recording["hours"]
        hours = _hours(recording)
        targets += [
            below(f"{hours} in less than {limit_s:.3g} s on two cores", limit_s, recording["wall_s"], "s"),
            below(f"{hours} in less than {MAX_MEMORY_MB} MB", MAX_MEMORY_MB, recording["peak_mb"], "MB"),
        ]
    stream = content["stream"]
    limit_ms = MAX_LATENCY_MS + 1e-9  # the limit itself still meets the target
    return [
        *targets,
        below(f"Live latency at most {MAX_LATENCY_MS} ms", limit_ms, stream["latency_ms_max"], "ms"),
        below("Live audio on less than 10 % of one core", 100 * MAX_CORE_SHARE, 100 * stream["core_share"], "%"),
    ]


def _hours(recording: Mapping[str, Any]) -> str:
    return "One hour" if recording["hours"] == 1 else f"{recording['hours']:.3g} hours"
