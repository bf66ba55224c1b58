"""One peer, in a process of its own.

python -m benchmarks.systems NAME FOLDER --prepare      makes what it needs, once, in FOLDER
python -m benchmarks.systems NAME FOLDER CLIP...        answers the clips and ends: a cold start
python -m benchmarks.systems NAME FOLDER                answers lists of clips (JSON, a line each) from its input, and
                                                      says of each how long it took: {"wall_s": ..., "cpu_s": ...}
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

from benchmarks.systems import PEERS, Way


def main(arguments: list[str]) -> None:
    """Does what the module says."""
    name, folder, *rest = arguments
    answers = own_output()
    module = importlib.import_module(f"benchmarks.systems.{PEERS[name].module}")
    if rest == ["--prepare"]:
        prepare(module, PEERS[name].variant, Path(folder))
        return
    way = module.load(PEERS[name].variant, Path(folder))
    if rest:
        way([Path(clip) for clip in rest])
    else:
        serve(way, sys.stdin, answers)


def own_output() -> IO[str]:
    """The standard output for us alone; what libraries print goes to standard error."""
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return ours


def prepare(module: Any, variant: str, folder: Path) -> None:
    """Makes what the module needs, whole or not at all; nothing where it stands there already."""
    if hasattr(module, "prepare") and not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        begun = Path(tempfile.mkdtemp(prefix=f"{folder.name}.begun-", dir=folder.parent))
        module.prepare(variant, begun)
        begun.rename(folder)


def serve(way: Way, asked: Iterable[str], answers: IO[str]) -> None:
    """Takes every list of clips and says how long it took.

    Args:
        way: what answers clips.
        asked: lines, each a JSON list of paths.
        answers: where a line for each goes.
    """
    for line in asked:
        clips = [Path(clip) for clip in json.loads(line)]
        begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
        found = way(clips)
        taken = {"wall_s": time.perf_counter() - begin_s, "cpu_s": time.process_time() - begin_cpu_s}
        if len(found) != len(clips):
            raise SystemExit(f"{len(found)} answers to {len(clips)} clips")
        print(json.dumps(taken), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
