"""Speed, memory and size of Overtone and of comparison systems, on the same clips, in interleaved runs on one core.

    python -m benchmarks.bench [--data DIR] [--output FILE] [--clips N] [--systems NAME ...] [--prepared DIR]

Writes one JSON file atomically; `benchmarks/README.md` explains each entry.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import soundfile

from benchmarks import installed, interleaving, process
from benchmarks.harness import (
    bind_to_cores,
    data_argument,
    describe_machine,
    find_clips,
    make_parser,
    median,
    output_argument,
    select_evenly,
    write_results,
)
from benchmarks.systems import SYSTEMS, is_installed, system_process

WARM_UP_CLIPS = 2  # librosa compiles pyin during its first call
IMPORT_RUNS, PREDICT_RUNS = 15, 11


def main(arguments: list[str] | None = None) -> int:
    """Measure everything, write the results and return the exit status."""
    options = build_parser().parse_args(arguments)
    corpus_clips = find_clips(options.data, "bench")
    if not corpus_clips:
        return 1
    clips = select_evenly(corpus_clips, options.clips + WARM_UP_CLIPS)
    if len(clips) <= WARM_UP_CLIPS:
        print(f"bench: {options.data}: needs more than {WARM_UP_CLIPS} clips, found {len(clips)}", file=sys.stderr)
        return 1
    bind_to_cores(1)
    with tempfile.TemporaryDirectory() as folder:
        prepared = options.prepared.resolve() if options.prepared else Path(folder, "prepared")
        results = measure_all(convert_clips(clips, Path(folder)), options.systems, prepared)
    write_results(options.output, results)
    print(json.dumps(results, indent=2))
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = make_parser("bench", __doc__)
    data_argument(parser)
    output_argument(parser, "bench.json")
    parser.add_argument("--clips", type=int, default=24, metavar="N", help="number of clips (default: 24)")
    parser.add_argument(
        "--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS), metavar="NAME",
        help=f"the systems to compare Overtone with (default: all): {', '.join(SYSTEMS)}",
    )  # fmt: skip
    parser.add_argument(
        "--prepared", type=Path, metavar="DIR",
        help="the folder for exported models, reused by later runs, 4 GB (default: a temporary folder)",
    )  # fmt: skip
    return parser


def measure_all(clips: interleaving.Clips, names: list[str], prepared: Path) -> dict[str, Any]:
    """Return the content of the results file.

    Args:
        clips: the clips of the benchmark.
        names: of the systems; the reference is always included.
        prepared: the folder for the prepared files of the systems.
    """
    wav_files = clips.files[".wav"]
    selected = [name for name in SYSTEMS if name in names or name == interleaving.REFERENCE]
    return {
        "machine": describe_machine(),
        "clips": {"count": len(clips.measured_durations_s), "median_s": median(clips.measured_durations_s)},
        "systems": interleaving.measure_systems(selected, clips, prepared),
        "lower_bound": measure_lower_bound(wav_files[clips.warm_up :]),
        "process": measure_predict(wav_files[0]),
        "import": measure_import(),
        "installed": {
            name: with_total(installed.sizes_mb(name)) for name in ("overtone", "librosa") if is_installed(name)
        },
    }


def convert_clips(clips: list[Path], folder: Path) -> interleaving.Clips:
    """Return copies of the clips as WAV and as FLAC files in `folder`."""
    files = {suffix: [convert_clip(clip, folder, suffix) for clip in clips] for suffix in (".wav", ".flac")}
    return interleaving.Clips(files, [soundfile.info(clip).duration for clip in files[".wav"]], WARM_UP_CLIPS)


def convert_clip(clip: Path, folder: Path, suffix: str) -> Path:
    """Return a copy of a clip in `folder`: the same samples at the same rate (48 kHz), 16 bits, in another format."""
    samples, rate_hz = soundfile.read(clip, dtype="int16")
    path = folder / f"{clip.stem}{suffix}"
    soundfile.write(path, samples, rate_hz, subtype="PCM_16")
    return path


def measure_lower_bound(clips: Sequence[Path]) -> dict[str, float]:
    """Return the results of `benchmarks.lower_bound`, from a process with one thread.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    command = [sys.executable, "-m", "benchmarks.lower_bound", *map(str, clips)]
    done = subprocess.run(command, **system_process.process_options(), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def measure_predict(clip: Path) -> dict[str, float]:
    """Return wall seconds (median) and peak memory (maximum) of `overtone predict CLIP` as a whole process, warm.

    Raises:
        SystemExit: the command failed, so its time is meaningless.
    """
    command = [str(Path(sys.executable).with_name("overtone")), "predict", str(clip)]
    runs = [process.measure(command) for _ in range(PREDICT_RUNS + 1)][1:]  # the first run fills the disk cache
    if any(run["status"] for run in runs):
        raise SystemExit("bench: 'overtone predict' failed on a clip: nothing written")
    return {
        "wall_s": median(run["wall_s"] for run in runs),
        "peak_mb": max(run["peak_mb"] for run in runs),
        "runs": len(runs),
    }


def measure_import() -> dict[str, float]:
    """Return the median seconds of `import overtone` beyond Python with numpy, in interleaved runs."""
    codes = {"numpy": "import numpy", "overtone": "import numpy, overtone"}
    runs = [
        {name: process.measure([sys.executable, "-c", code])["wall_s"] for name, code in codes.items()}
        for _ in range(IMPORT_RUNS + 1)
    ][1:]
    return {"beyond_numpy_s": median(run["overtone"] - run["numpy"] for run in runs), "runs": len(runs)}


def with_total(sizes_mb: dict[str, float]) -> dict[str, Any]:
    """Return the total and the sizes by package, the largest first."""
    packages = dict(sorted(sizes_mb.items(), key=lambda item: -item[1]))
    return {"total_mb": sum(packages.values()), "packages_mb": packages}


if __name__ == "__main__":
    sys.exit(main())
