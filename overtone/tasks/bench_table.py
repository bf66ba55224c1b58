"""`results/bench.json` -> the table of speed and size."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from overtone.outputs.document import Block, Paragraph, Table
from overtone.outputs.report import UNKNOWN
from overtone.tasks.measurements import blocks_of

HEADER = ("Measured", "Overtone", "librosa", "Times faster")


def blocks(path: Path) -> list[Block]:
    """The table and what it was measured on; nothing where there is no file.

    Raises:
        InputError: the file is damaged.
    """
    return blocks_of(path, _blocks, "make bench")


def _blocks(held: Mapping[str, Any]) -> list[Block]:
    return [Table(HEADER, _rows(held), numbers=frozenset(HEADER[1:])), Paragraph(_measured_on(held))]


def _rows(held: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    clips = [
        (
            f"One clip, {kind.upper()} 48 kHz, file to result",
            f"{one['overtone_ms']:.1f} ms",
            f"{one['librosa_ms']:.0f} ms",
            f"{one['times_faster']:.0f}",
        )
        for kind, one in held["recognise"].items()
    ]
    whole, sizes = held["process"], held["installed"]
    return (
        *clips,
        ("overtone predict clip.wav, whole process, warm", f"{whole['wall_s']:.2f} s", UNKNOWN, UNKNOWN),
        ("Peak memory of that process", f"{whole['peak_mb']:.0f} MB", UNKNOWN, UNKNOWN),
        ("import overtone, beyond Python and numpy", f"{held['import']['beyond_numpy_s']:.3f} s", UNKNOWN, UNKNOWN),
        (
            "Installed, with all it requires",
            *(f"{sizes[name]['total_mb']:.0f} MB" for name in ("overtone", "librosa")),
            UNKNOWN,
        ),
    )


def _measured_on(held: Mapping[str, Any]) -> str:
    machine, clips = held["machine"], held["clips"]
    return (
        f"{clips['count']} RAVDESS clips of {clips['median_s']:.1f} s (median), side by side on one core of "
        f"{machine['processor']} ({machine['system']}, Python {machine['versions']['python']}). Overtone's time ends "
        "with an answer, librosa's with the paper's features only (load, mel, pyin, rms, tempo), without any network."
    )
