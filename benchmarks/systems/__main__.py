"""Run one system in a process of its own.

python -m benchmarks.systems NAME FOLDER --prepare   writes the files that the system needs to FOLDER, once
python -m benchmarks.systems NAME FOLDER CLIP...     processes the clips and exits: a cold start
python -m benchmarks.systems NAME FOLDER             reads lists of clips from standard input (JSON, one list per line)
                                                     and prints the time of each: {"wall_s": ..., "cpu_s": ...}
"""

import importlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any

from benchmarks.systems import SYSTEMS, ProcessClips


def main(arguments: list[str]) -> None:
    """Run the command line that the module docstring describes."""
    name, folder, *rest = arguments
    results = reserve_stdout()
    module = importlib.import_module(f"benchmarks.systems.{SYSTEMS[name].module}")
    if rest == ["--prepare"]:
        prepare(module, SYSTEMS[name].variant, Path(folder))
        return
    process = module.load(SYSTEMS[name].variant, Path(folder))
    if rest:
        process([Path(clip) for clip in rest])
    else:
        serve(process, sys.stdin, results)


def reserve_stdout() -> IO[str]:
    """Return standard output for the results alone; what libraries print goes to standard error instead."""
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return results


def prepare(module: Any, variant: str, folder: Path) -> None:
    """Create the folder of a system atomically; do nothing if it exists or the system needs none."""
    if hasattr(module, "prepare") and not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        incomplete = Path(tempfile.mkdtemp(prefix=f"{folder.name}.incomplete-", dir=folder.parent))
        module.prepare(variant, incomplete)
        incomplete.rename(folder)


def serve(process: ProcessClips, requests: Iterable[str], results: IO[str]) -> None:
    """Process each list of clips and print the time it took.

    Args:
        process: the function of the system.
        requests: lines, each a JSON list of paths.
        results: stream that receives one line per request.
    """
    for line in requests:
        clips = [Path(clip) for clip in json.loads(line)]
        begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
        outputs = process(clips)
        times = {"wall_s": time.perf_counter() - begin_s, "cpu_s": time.process_time() - begin_cpu_s}
        if len(outputs) != len(clips):
            raise SystemExit(f"{len(outputs)} results for {len(clips)} clips")
        print(json.dumps(times), file=results, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
