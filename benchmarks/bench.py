"""Overtone beside what a user would pick instead, on the same clips, in the same run, on one core.

    python -m benchmarks.bench [--data DIR] [--out FILE] [--clips N] [--repeats N]

Writes one JSON file whole or not at all; `benchmarks/README.md` says what each entry means.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import soundfile

import overtone
from benchmarks import installed, librosa_pipeline, process
from overtone import corpora
from overtone.errors import OvertoneError
from overtone.outputs.whole import write_text

PROJECT = Path(__file__).resolve().parent.parent
WARM_UP_CLIPS = 2  # librosa compiles pyin at its first call
IMPORT_RUNS, PROCESS_RUNS = 15, 11
PACKAGES = ("overtone", "numpy", "onnxruntime", "soundfile", "soxr", "librosa", "numba")


def main(arguments: list[str] | None = None) -> int:
    """Measures everything and writes it down; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        found = corpora.read("ravdess", options.data).utterances
    except OvertoneError as error:
        print(f"bench: {error}\nGive --data DIR or set OVERTONE_DATA.", file=sys.stderr)
        return 1
    clips = spread([utterance.path for utterance in found], options.clips + WARM_UP_CLIPS)
    if len(clips) <= WARM_UP_CLIPS:
        print(f"bench: {options.data}: needs more than {WARM_UP_CLIPS} clips, found {len(clips)}", file=sys.stderr)
        return 1
    one_core()
    with tempfile.TemporaryDirectory() as folder:
        flacs = [copied(clip, Path(folder), ".flac") for clip in clips]
        waves = [copied(clip, Path(folder), ".wav") for clip in clips]
        measured = {
            "machine": machine(),
            "clips": {
                "count": len(clips) - WARM_UP_CLIPS,
                "median_s": median(soundfile.info(c).duration for c in waves),
            },
            "recognise": {"flac": side_by_side(flacs, options.repeats), "wav": side_by_side(waves, options.repeats)},
            "process": whole_process(waves[0]),
            "import": import_seconds(),
            "installed": {name: total(installed.sizes_mb(name)) for name in ("overtone", "librosa")},
        }
    write(options.out, measured)
    print(json.dumps(measured, indent=2))
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of the command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=__doc__.partition("\n")[0])
    data = Path(os.environ.get("OVERTONE_DATA") or PROJECT.parent / "shared" / "data") / "ravdess"
    made.add_argument("--data", type=Path, default=data, help="folder of the RAVDESS clips")
    made.add_argument("--out", type=Path, default=PROJECT / "results" / "bench.json")
    made.add_argument("--clips", type=int, default=48)
    made.add_argument("--repeats", type=int, default=3)
    return made


def spread(found: list[Path], count: int) -> list[Path]:
    """At most `count` clips, spread evenly over those found."""
    count = min(count, len(found))
    return [found[place * len(found) // count] for place in range(count)]


def copied(clip: Path, folder: Path, suffix: str) -> Path:
    """The same samples at the same rate (48 kHz) as a 16-bit file of another form in `folder`."""
    samples, rate_hz = soundfile.read(clip, dtype="int16")
    path = folder / f"{clip.stem}{suffix}"
    soundfile.write(path, samples, rate_hz, subtype="PCM_16")
    return path


def one_core() -> None:
    """Binds this process and its children to one core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def side_by_side(clips: list[Path], repeats: int) -> dict[str, Any]:
    """Milliseconds per clip of both ways, file to result, taken in turns; the first clips only warm up.

    Args:
        clips: sound files.
        repeats: how often each clip is taken; its time is the median.
    """
    recogniser = overtone.load(threads=1)
    steps: list[dict[str, float]] = []
    ways: dict[str, Callable[[Path], Any]] = {
        "overtone": recogniser.recognise,
        "librosa": lambda clip: steps.append(librosa_pipeline.extract(clip)[1]),
    }
    times_ms: dict[str, list[float]] = {name: [] for name in ways}
    for place, clip in enumerate(clips):
        rounds = [{name: milliseconds(way, clip) for name, way in ways.items()} for _ in range(repeats)]
        if place >= WARM_UP_CLIPS:
            for name, times in times_ms.items():
                times.append(median(each[name] for each in rounds))
    steps = steps[WARM_UP_CLIPS * repeats :]
    return {
        "overtone_ms": median(times_ms["overtone"]),
        "librosa_ms": median(times_ms["librosa"]),
        "times_faster": median(b / a for a, b in zip(times_ms["overtone"], times_ms["librosa"], strict=True)),
        "librosa_steps_ms": {name: 1000 * median(step[name] for step in steps) for name in steps[0]},
    }


def milliseconds(way: Callable[[Path], Any], clip: Path) -> float:
    """How long one call takes."""
    begin_s = time.perf_counter()
    way(clip)
    return 1000 * (time.perf_counter() - begin_s)


def whole_process(clip: Path) -> dict[str, float]:
    """Wall seconds (median) and peak memory (largest) of `overtone predict CLIP` as a whole process, warm.

    Raises:
        SystemExit: the command failed, so its time means nothing.
    """
    command = [str(Path(sys.executable).with_name("overtone")), "predict", str(clip)]
    runs = [process.measure(command) for _ in range(PROCESS_RUNS + 1)][1:]  # the first one warms the disk cache
    if any(run["status"] for run in runs):
        raise SystemExit("bench: 'overtone predict' failed on a clip: nothing written")
    return {
        "wall_s": median(run["wall_s"] for run in runs),
        "peak_mb": max(run["peak_mb"] for run in runs),
        "runs": len(runs),
    }


def import_seconds() -> dict[str, float]:
    """Median seconds of `import overtone` beyond a Python with numpy, taken in turns."""
    codes = {"numpy": "import numpy", "overtone": "import numpy, overtone"}
    runs = [
        {name: process.measure([sys.executable, "-c", code])["wall_s"] for name, code in codes.items()}
        for _ in range(IMPORT_RUNS + 1)
    ][1:]
    return {"beyond_numpy_s": median(run["overtone"] - run["numpy"] for run in runs), "runs": len(runs)}


def machine() -> dict[str, Any]:
    """What it ran on: processor, cores, system and versions, without names or paths."""
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "cores_used": 1,
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), **versions},
    }


def processor() -> str:
    """Model name of the processor, or its architecture where the system does not tell."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def total(sizes_mb: dict[str, float]) -> dict[str, Any]:
    """Sum and parts, the largest first."""
    parts = dict(sorted(sizes_mb.items(), key=lambda item: -item[1]))
    return {"total_mb": sum(parts.values()), "packages_mb": parts}


def median(values: Iterable[float]) -> float:
    """Median of an iterable of numbers."""
    return statistics.median(values)


def write(path: Path, measured: dict[str, Any]) -> None:
    """Writes the JSON file, numbers to four digits, whole or not at all."""
    write_text(path, json.dumps(rounded(measured), indent=2) + "\n")


def rounded(value: Any) -> Any:
    """The same nest of dicts with every float to four significant digits."""
    if isinstance(value, dict):
        return {key: rounded(each) for key, each in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


if __name__ == "__main__":
    sys.exit(main())
