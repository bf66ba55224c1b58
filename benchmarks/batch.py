"""Throughput of `overtone batch` with one process and with one per core, on 1,000 files of which 50 are broken.

    python -m benchmarks.batch [--data DIR] [--output FILE] [--files N] [--repeats N]

Writes one JSON file atomically, and only if every file was recognised or reported; `benchmarks/README.md` explains the
entries.
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

from benchmarks.harness import (
    data_argument,
    describe_machine,
    find_clips,
    make_parser,
    median,
    output_argument,
    select_evenly,
    write_results,
)

BROKEN_SHARE = 0.05
RATE_HZ = 16_000
DIFFICULT_NAMES = ("new\nline{}", 'with "quotes", commas{}', "not-utf8-\udcff{}", "声音{}")
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2  # linux/prctl.h, linux/capability.h


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results and return the exit status."""
    options = build_parser().parse_args(arguments)
    corpus_clips = find_clips(options.data, "batch")
    if not corpus_clips:
        return 1
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as folder:
        broken_count = round(BROKEN_SHARE * options.files)
        valid = copy_clips(corpus_clips, options.files - broken_count, Path(folder, "in"))
        broken = make_broken_files(valid[0], broken_count, Path(folder, "in"))
        seconds: dict[int, list[float]] = {1: [], cores: []}
        for _ in range(options.repeats):
            for processes, times_s in seconds.items():
                times_s.append(run_batch(Path(folder), processes, valid, broken))
    single_s, parallel_s = median(seconds[1]), median(seconds[cores])
    results = {
        "machine": describe_machine() | {"cores_used": cores},
        "files": options.files,
        "predictions": len(valid),
        "failures": {kind: len(paths) for kind, paths in broken.items()},
        "repeats": options.repeats,
        "seconds": {"1 process": single_s, f"{cores} processes": parallel_s},
        "speed_up": single_s / parallel_s,
    }
    write_results(options.output, results)
    print(f"{options.files} files: {single_s:.1f} s with 1 process, {parallel_s:.1f} s with {cores} processes")
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = make_parser("batch", __doc__)
    data_argument(parser)
    output_argument(parser, "batch.json")
    parser.add_argument("--files", type=int, default=1000, metavar="N", help="number of input files (default: 1000)")
    parser.add_argument(
        "--repeats", type=int, default=3, metavar="N",
        help="number of interleaved batches with each number of processes (default: 3)",
    )  # fmt: skip
    return parser


def copy_clips(sources: list[Path], count: int, folder: Path) -> list[Path]:
    """Return `count` copies of clips in a new folder; every tenth has a name that is difficult to write to a table."""
    folder.mkdir()
    paths = []
    for number, clip in enumerate(islice(cycle(select_evenly(sources, min(count, len(sources)))), count)):
        template = DIFFICULT_NAMES[number // 10 % len(DIFFICULT_NAMES)] if number % 10 == 0 else "{}"
        paths.append(folder / f"{template.format(number)}{clip.suffix}")
        shutil.copyfile(clip, paths[-1])
    return paths


def write_unreadable(path: Path, content: bytes) -> None:
    """Write a file without the permission to read it."""
    path.write_bytes(content)
    path.chmod(0)


def make_broken_files(valid: Path, count: int, folder: Path) -> dict[str, list[Path]]:
    """Create `count` files that cannot be recognised, of every kind in turn, and return kind -> paths."""
    samples, rate_hz = soundfile.read(valid, dtype="float32", always_2d=True)
    speech = samples[:, 0]
    wav_file = folder.parent / "wave.wav"
    soundfile.write(wav_file, speech, rate_hz)
    content = wav_file.read_bytes()
    noise = np.random.default_rng(1).normal(0, 0.1, 8_000 * 601)
    makers: dict[str, Callable[[Path], object]] = {
        "empty": lambda path: path.touch(),
        "text renamed": lambda path: path.write_text("This is not audio"),
        "truncated": lambda path: path.write_bytes(content[: len(content) // 2]),
        "damaged header": lambda path: path.write_bytes(content[:4] + bytes(40) + content[44:]),
        "NaN samples": lambda path: soundfile.write(path, np.full(RATE_HZ, np.nan), RATE_HZ, subtype="FLOAT"),
        "folder": lambda path: path.mkdir(),
        "no permission": lambda path: write_unreadable(path, content),
        "missing": lambda path: None,
        "link to itself": lambda path: path.symlink_to(path.name),
        "pipe": lambda path: os.mkfifo(path),
        "too short": lambda path: soundfile.write(path, speech[: rate_hz // 20], rate_hz),
        "silence": lambda path: soundfile.write(path, np.zeros(RATE_HZ), RATE_HZ),
        "too long": lambda path: soundfile.write(path, noise, 8_000, subtype="PCM_U8"),
    }
    broken: dict[str, list[Path]] = {}
    for number, (kind, make) in enumerate(islice(cycle(makers.items()), count)):
        path = folder / f"{kind} {number}.wav"
        make(path)
        broken.setdefault(kind, []).append(path)
    return broken


def run_batch(folder: Path, processes: int, valid: list[Path], broken: dict[str, list[Path]]) -> float:
    """Return the wall seconds of the command as a whole process.

    Raises:
        SystemExit: a valid file has no prediction, or a broken one is not reported; the time is then meaningless.
    """
    output = folder / "out"
    explicit = [str(path) for kind in ("folder", "missing") for path in broken.get(kind, [])]  # a search skips these
    command = [sys.executable, "-m", "overtone", "batch", str(folder / "in"), *explicit]
    begin_s = time.perf_counter()
    done = subprocess.run(
        [*command, "--output", str(output), "--processes", str(processes)],
        stderr=subprocess.PIPE,
        preexec_fn=drop_read_privileges,
    )
    wall_s = time.perf_counter() - begin_s
    broken_paths = sorted(str(path) for paths in broken.values() for path in paths)
    checks = {
        "exit code": done.returncode == 1,
        "predictions": read_paths(output / "predictions.csv") == sorted(map(str, valid)),
        "failures": read_paths(output / "failures.csv") == broken_paths,
        "files": sorted(path.name for path in output.iterdir()) == ["batch.json", "failures.csv", "predictions.csv"],
    }
    if not all(checks.values()):
        failed = ", ".join(name for name, passed in checks.items() if not passed)
        raise SystemExit(f"batch: wrong {failed}: nothing written\n{done.stderr.decode(errors='replace')}")
    shutil.rmtree(output)
    return wall_s


def read_paths(table: Path) -> list[str]:
    """Return the column `path` of a CSV file, sorted."""
    with table.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
        return sorted(row["path"] for row in csv.DictReader(file))


def drop_read_privileges() -> None:
    """Take from root, on Linux, the privilege to read files without permission."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None)
        for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(main())
