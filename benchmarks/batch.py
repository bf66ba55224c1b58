"""`overtone batch` on 1,000 files, 50 of them broken: each is answered or named, and what are all cores worth.

    python -m benchmarks.batch [--data DIR] [--output FILE] [--files N] [--repeats N]

Writes one JSON file whole or not at all, and only if the batch did right; `benchmarks/README.md` says what it holds.
"""

import argparse
import csv
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import soundfile

from benchmarks.bench import PROJECT, clips_in, machine, median, ravdess, spread, write

BROKEN_SHARE = 0.05
RATE_HZ = 16_000
ODD_NAMES = ("new\nline{}", 'with "quotes", commas{}', "not-utf8-\udcff{}", "声音{}")
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2  # linux/prctl.h, linux/capability.h


def main(arguments: list[str] | None = None) -> int:
    """Measures and writes; returns the exit status."""
    options = parser().parse_args(arguments)
    found = clips_in(options.data, "batch")
    if not found:
        return 1
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        broken = round(BROKEN_SHARE * options.files)
        good = clips(found, options.files - broken, Path(folder, "in"))
        bad = broken_files(good[0], broken, Path(folder, "in"))
        seconds: dict[int, list[float]] = {1: [], cores: []}
        for _ in range(options.repeats):
            for jobs, times in seconds.items():
                times.append(one_batch(Path(folder), jobs, good, bad))
    alone_s, together_s = (median(times) for times in seconds.values())
    measured = {
        "machine": machine() | {"cores_used": cores},
        "files": options.files,
        "answers": len(good),
        "failures": {kind: len(paths) for kind, paths in bad.items()},
        "repeats": options.repeats,
        "seconds": {"1 job": alone_s, f"{cores} jobs": together_s},
        "speed_up": alone_s / together_s,
    }
    write(options.out, measured)
    print(f"{options.files} files: {alone_s:.1f} s with 1 job, {together_s:.1f} s with {cores}")
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of the command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.batch", description=__doc__.partition("\n")[0])
    made.add_argument("--data", type=Path, default=ravdess(), help="folder of the RAVDESS clips")
    made.add_argument("--output", type=Path, default=PROJECT / "results" / "batch.json")
    made.add_argument("--files", type=int, default=1000)
    made.add_argument("--repeats", type=int, default=3, help="batches with each number of jobs, in turns")
    return made


def clips(found: list[Path], count: int, folder: Path) -> list[Path]:
    """Copies of so many clips; every tenth has a name that is hard to write down."""
    folder.mkdir()
    paths = []
    for number, clip in enumerate(islice(cycle(spread(found, min(count, len(found)))), count)):
        odd = ODD_NAMES[number // 10 % len(ODD_NAMES)] if number % 10 == 0 else "{}"
        paths.append(folder / f"{odd.format(number)}{clip.suffix}")
        shutil.copyfile(clip, paths[-1])
    return paths


def broken_files(good: Path, count: int, folder: Path) -> dict[str, list[Path]]:
    """So many files of which nothing can be recognised, by what is wrong with them, the kinds in turns."""
    samples, rate_hz = soundfile.read(good, dtype="float32", always_2d=True)
    speech = samples[:, 0]
    wave = folder.parent / "wave.wav"
    soundfile.write(wave, speech, rate_hz)
    whole = wave.read_bytes()
    noise = np.random.default_rng(1).normal(0, 0.1, 8_000 * 601)
    kinds: dict[str, Callable[[Path], object]] = {
        "empty": lambda path: path.touch(),
        "text renamed": lambda path: path.write_text("I am no sound"),
        "truncated": lambda path: path.write_bytes(whole[: len(whole) // 2]),
        "damaged header": lambda path: path.write_bytes(whole[:4] + bytes(40) + whole[44:]),
        "NaN samples": lambda path: soundfile.write(path, np.full(RATE_HZ, np.nan), RATE_HZ, subtype="FLOAT"),
        "folder": lambda path: path.mkdir(),
        "no permission": lambda path: (path.write_bytes(whole), path.chmod(0)),
        "missing": lambda path: None,
        "link to itself": lambda path: path.symlink_to(path.name),
        "pipe": lambda path: os.mkfifo(path),
        "too short": lambda path: soundfile.write(path, speech[: rate_hz // 20], rate_hz),
        "silence": lambda path: soundfile.write(path, np.zeros(RATE_HZ), RATE_HZ),
        "too long": lambda path: soundfile.write(path, noise, 8_000, subtype="PCM_U8"),
    }
    made: dict[str, list[Path]] = {}
    for number, (kind, make) in enumerate(islice(cycle(kinds.items()), count)):
        path = folder / f"{kind} {number}.wav"
        make(path)
        made.setdefault(kind, []).append(path)
    return made


def one_batch(folder: Path, jobs: int, good: list[Path], bad: dict[str, list[Path]]) -> float:
    """Wall seconds of the command as a whole process.

    Raises:
        SystemExit: an input has no answer, or a broken one no failure; the time then means nothing.
    """
    out = folder / "out"
    unseen = [
        str(path) for kind in ("folder", "missing") for path in bad.get(kind, [])
    ]  # searching finds no such files
    command = [sys.executable, "-m", "overtone", "batch", str(folder / "in"), *unseen]
    begin_s = time.perf_counter()
    done = subprocess.run(
        [*command, "--output", str(out), "--processes", str(jobs)],
        stderr=subprocess.PIPE,
        preexec_fn=without_privileges,
    )
    wall_s = time.perf_counter() - begin_s
    right = {
        "exit code": done.returncode == 1,
        "answers": paths_of(out / "answers.csv") == sorted(map(str, good)),
        "failures": paths_of(out / "failures.csv") == sorted(str(path) for paths in bad.values() for path in paths),
        "files": sorted(path.name for path in out.iterdir()) == ["answers.csv", "batch.json", "failures.csv"],
    }
    if not all(right.values()):
        wrong = ", ".join(name for name, is_right in right.items() if not is_right)
        raise SystemExit(f"batch: wrong {wrong}: nothing written\n{done.stderr.decode(errors='replace')}")
    shutil.rmtree(out)
    return wall_s


def paths_of(table: Path) -> list[str]:
    """The column `path`, sorted."""
    with table.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return sorted(row["path"] for row in csv.DictReader(file))


def without_privileges() -> None:
    """Takes from root, on Linux, the right to read whatever it likes."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main())
