"""Functions that the benchmarks share: options, RAVDESS clips, a description of the machine, files of results."""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.systems import is_installed
from overtone import corpora
from overtone._internal.atomic_write import write_text
from overtone.cli.training_options import cache_argument
from overtone.errors import OvertoneError

PROJECT = Path(__file__).resolve().parent.parent
VERSIONED_PACKAGES = (
    *("overtone", "numpy", "onnxruntime", "soundfile", "soxr", "librosa", "numba", "opensmile"),
    *("scikit-learn", "torch", "transformers"),
)


T = TypeVar("T")


def make_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """Return a parser for `python -m benchmarks.NAME`, described by the first line of a docstring."""
    return argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}", description=(description or "").partition("\n")[0]
    )


def data_argument(parser: argparse.ArgumentParser) -> None:
    """Add --data."""
    parser.add_argument(
        "--data", type=Path, default=default_data(), metavar="DIR",
        help="the folder of the RAVDESS clips (default: ravdess/ in the folder of the environment variable "
        "OVERTONE_DATA)",
    )  # fmt: skip


def output_argument(parser: argparse.ArgumentParser, name: str) -> None:
    """Add --output, a file in results/ by default."""
    parser.add_argument(
        "--output", type=Path, default=PROJECT / "results" / name, metavar="FILE",
        help=f"the file for the results (default: results/{name})",
    )  # fmt: skip


def runs_arguments(parser: argparse.ArgumentParser, name: str) -> None:
    """Add --runs, a folder in runs/ by default, and --cache."""
    parser.add_argument(
        "--runs", type=Path, default=PROJECT / "runs" / name, metavar="DIR",
        help=f"the folder of finished run folders, one per fold (default: runs/{name})",
    )  # fmt: skip
    cache_argument(parser)


def default_data() -> Path:
    """Return the default folder of the RAVDESS clips."""
    return Path(os.environ.get("OVERTONE_DATA") or PROJECT.parent / "shared" / "data") / "ravdess"


def find_clips(folder: Path, program: str) -> list[Path]:
    """Return the RAVDESS clips in a folder; if they cannot be read, print an error of `program` and return none."""
    try:
        return [utterance.path for utterance in corpora.read_corpus("ravdess", folder).utterances]
    except OvertoneError as error:
        print(f"{program}: {error}\nGive --data DIR or set OVERTONE_DATA.", file=sys.stderr)
        return []


def select_evenly(paths: list[Path], count: int) -> list[Path]:
    """Return at most `count` of these paths, evenly spaced."""
    count = min(count, len(paths))
    return [paths[index * len(paths) // count] for index in range(count)]


def bind_to_cores(count: int) -> None:
    """Bind this process and its future children to this number of cores, where the operating system supports it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def describe_machine() -> dict[str, Any]:
    """Return processor, cores, operating system and versions, without host names or paths."""
    versions = {name: importlib.metadata.version(name) for name in VERSIONED_PACKAGES if is_installed(name)}
    return {
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "cores_used": 1,
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {"python": platform.python_version(), **versions},
    }


def processor_name() -> str:
    """Return the model name of the processor, or its architecture if the system does not report the name."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def median(values: Iterable[float]) -> float:
    """Return the median of an iterable of numbers."""
    return statistics.median(values)


def read_stored(path: Path, parse: Callable[[Any], Iterable[T]]) -> list[T]:
    """Return what an earlier file of results contains; nothing if there is no file.

    Args:
        path: of the results.
        parse: returns what is needed of its JSON content, or fails if it is the content of another file.

    Raises:
        OvertoneError: the file does not contain results of this benchmark; it is not overwritten.
    """
    if not path.is_file():
        return []
    try:
        return list(parse(json.loads(path.read_text("utf-8"))))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OvertoneError(f"{path}: not the results of this benchmark ({error}); choose another --output") from error


def write_results(path: Path, results: dict[str, Any], *, indent: int = 2, rounded: bool = True) -> None:
    """Write results as JSON, atomically.

    Args:
        path: the file.
        results: its content.
        indent: spaces per level.
        rounded: whether numbers are rounded to four significant digits.
    """
    write_text(path, json.dumps(round_floats(results) if rounded else results, indent=indent) + "\n")


def round_floats(value: Any) -> Any:
    """Return nested dicts with every float rounded to four significant digits."""
    if isinstance(value, dict):
        return {key: round_floats(each) for key, each in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value
