"""The timeline of a long recording as a whole process: seconds and peak memory, by one core and by all.

    python -m benchmarks.timeline [--data DIR] [--out FILE] [--minutes N] [--repeats N]

Writes one JSON file whole or not at all; `benchmarks/README.md` says what it holds.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import numpy as np
import soundfile

from benchmarks import process
from benchmarks.bench import PROJECT, machine, median, spread, write
from overtone import corpora
from overtone.errors import OvertoneError

RATE_HZ = 48_000
CLIPS = 240  # one after the other, so that there is speech in every window: the most work there can be


def main(arguments: list[str] | None = None) -> int:
    """Measures and writes; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        found = [utterance.path for utterance in corpora.read("ravdess", options.data).utterances]
    except OvertoneError as error:
        print(f"timeline: {error}\nGive --data DIR or set OVERTONE_DATA.", file=sys.stderr)
        return 1
    cores = os.cpu_count() or 1
    runs: dict[int, list[dict[str, float]]] = {1: [], cores: []}
    with tempfile.TemporaryDirectory() as folder:
        path = recording(spread(found, CLIPS), 60 * options.minutes, Path(folder, "recording.wav"))
        for _ in range(options.repeats):
            for threads, measured in runs.items():
                measured.append(one_timeline(path, threads))
    entries = {
        f"{threads} threads" if threads > 1 else "1 thread": {
            "wall_s": median(run["wall_s"] for run in measured),
            "peak_mb": max(run["peak_mb"] for run in measured),
        }
        for threads, measured in runs.items()
    }
    write(
        options.out,
        {
            "machine": machine() | {"cores_used": cores},
            "minutes": options.minutes,
            "repeats": options.repeats,
            **entries,
        },
    )
    print(*(f"{name}: {row['wall_s']:.1f} s, {row['peak_mb']:.0f} MB" for name, row in entries.items()), sep="\n")
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of the command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.timeline", description=__doc__.partition("\n")[0])
    data = Path(os.environ.get("OVERTONE_DATA") or PROJECT.parent / "shared" / "data") / "ravdess"
    made.add_argument("--data", type=Path, default=data, help="folder of the RAVDESS clips")
    made.add_argument("--out", type=Path, default=PROJECT / "results" / "timeline.json")
    made.add_argument("--minutes", type=float, default=60.0, help="length of the recording")
    made.add_argument("--repeats", type=int, default=3, help="timelines with each number of threads, in turns")
    return made


def recording(clips: list[Path], duration_s: float, path: Path) -> Path:
    """The clips one after the other, again and again, as one mono file of this length with 16 bit at 48 kHz."""
    left = round(duration_s * RATE_HZ)
    with soundfile.SoundFile(path, "w", RATE_HZ, channels=1, subtype="PCM_16") as file:
        for samples in sounds_of(clips):
            file.write(samples[:left])
            left -= len(samples)
            if left <= 0:
                return path
    raise AssertionError("clips come again and again")


def sounds_of(clips: list[Path]) -> Iterator[np.ndarray]:
    """Sound of the clips, int16 `(samples,)`, without an end.

    Raises:
        SystemExit: a clip has another rate, so that its sound would be another in the recording.
    """
    for clip in cycle(clips):
        samples, rate_hz = soundfile.read(clip, dtype="int16", always_2d=True)
        if rate_hz != RATE_HZ:
            raise SystemExit(f"timeline: {clip}: {rate_hz} samples per second; the recording has {RATE_HZ}")
        yield samples[:, 0]


def one_timeline(path: Path, threads: int) -> dict[str, float]:
    """Wall seconds and peak memory of the command as a whole process.

    Raises:
        SystemExit: it failed, so its time means nothing.
    """
    command = [sys.executable, "-m", "overtone", "timeline", str(path), "--threads", str(threads), "--form", "json"]
    run = process.measure(command)
    if run["status"]:
        raise SystemExit("timeline: 'overtone timeline' failed: nothing written")
    return run


if __name__ == "__main__":
    sys.exit(main())
