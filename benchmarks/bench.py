"""Overtone beside what a user would pick instead, on the same clips, in the same run, on one core.

    python -m benchmarks.bench [--data DIR] [--output FILE] [--clips N] [--peers NAME ...] [--prepared DIR]

Writes one JSON file whole or not at all; `benchmarks/README.md` says what each entry means.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import soundfile

from benchmarks import installed, interleaving, process
from benchmarks.systems import PEERS, is_installed, served
from overtone import corpora
from overtone._internal.atomic_write import write_text
from overtone.errors import OvertoneError

PROJECT = Path(__file__).resolve().parent.parent
WARM_UP_CLIPS = 2  # librosa compiles pyin at its first call
IMPORT_RUNS, PROCESS_RUNS = 15, 11
PACKAGES = ("overtone", "numpy", "onnxruntime", "soundfile", "soxr", "librosa", "numba", "opensmile")
PACKAGES += ("scikit-learn", "torch", "transformers")


def main(arguments: list[str] | None = None) -> int:
    """Measures everything and writes it down; returns the exit status."""
    options = parser().parse_args(arguments)
    found = clips_in(options.data, "bench")
    if not found:
        return 1
    clips = spread(found, options.clips + WARM_UP_CLIPS)
    if len(clips) <= WARM_UP_CLIPS:
        print(f"bench: {options.data}: needs more than {WARM_UP_CLIPS} clips, found {len(clips)}", file=sys.stderr)
        return 1
    bind(1)
    with tempfile.TemporaryDirectory() as folder:
        prepared = options.prepared.resolve() if options.prepared else Path(folder, "prepared")
        measured = everything(both_forms(clips, Path(folder)), options.peers, prepared)
    write(options.out, measured)
    print(json.dumps(measured, indent=2))
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of the command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=__doc__.partition("\n")[0])
    made.add_argument("--data", type=Path, default=ravdess(), help="folder of the RAVDESS clips")
    made.add_argument("--output", type=Path, default=PROJECT / "results" / "bench.json")
    made.add_argument("--clips", type=int, default=24)
    made.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS), help="default: all")
    made.add_argument("--prepared", type=Path, help="where exported models are kept for the next time (4 GB)")
    return made


def ravdess() -> Path:
    """Where the clips are, unless somebody says otherwise."""
    return Path(os.environ.get("OVERTONE_DATA") or PROJECT.parent / "shared" / "data") / "ravdess"


def clips_in(folder: Path, program: str) -> list[Path]:
    """The RAVDESS clips of a folder; none where they cannot be read, which stderr says in the name of a program."""
    try:
        return [utterance.path for utterance in corpora.read_corpus("ravdess", folder).utterances]
    except OvertoneError as error:
        print(f"{program}: {error}\nGive --data DIR or set OVERTONE_DATA.", file=sys.stderr)
        return []


def everything(clips: interleaving.Clips, names: list[str], prepared: Path) -> dict[str, Any]:
    """All that is written down.

    Args:
        clips: what is measured on.
        names: of the peers; the reference is always among them.
        prepared: folder of what peers prepare.
    """
    waves = clips.forms[".wav"]
    asked = [name for name in PEERS if name in names or name == interleaving.REFERENCE]
    return {
        "machine": machine(),
        "clips": {"count": len(clips.counted_s), "median_s": median(clips.counted_s)},
        "systems": interleaving.systems(asked, clips, prepared),
        "floor": floor(waves[clips.warm_up :]),
        "process": whole_process(waves[0]),
        "import": import_seconds(),
        "installed": {name: total(installed.sizes_mb(name)) for name in ("overtone", "librosa") if is_installed(name)},
    }


def both_forms(clips: list[Path], folder: Path) -> interleaving.Clips:
    """Copies of the clips as WAV and FLAC, whatever they are, in `folder`."""
    forms = {suffix: [copied(clip, folder, suffix) for clip in clips] for suffix in (".wav", ".flac")}
    return interleaving.Clips(forms, [soundfile.info(clip).duration for clip in forms[".wav"]], WARM_UP_CLIPS)


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


def bind(cores: int) -> None:
    """Binds this process and its children to so many cores, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def floor(clips: list[Path]) -> dict[str, float]:
    """What `benchmarks.lower_bound` finds, in a process of one thread.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    command = [sys.executable, "-m", "benchmarks.lower_bound", *map(str, clips)]
    done = subprocess.run(command, **served.surroundings(), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


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
    versions = {name: importlib.metadata.version(name) for name in PACKAGES if is_installed(name)}
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
