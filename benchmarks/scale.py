"""`overtone batch --engine ray` on one node, on two nodes, and with one of two nodes killed: speed-up and lost inputs.

    python -m benchmarks.scale [--data DIR] [--output FILE] [--inputs N] [--repeats N]

The nodes form a Ray cluster on this machine, with one core each. Writes one JSON file atomically, and only if every
input has exactly one prediction, the same in all runs; `benchmarks/README.md` explains the entries.
"""

import argparse
import csv
import hashlib
import importlib.metadata
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

import pyarrow.dataset
import soundfile

from benchmarks.harness import (
    PROJECT,
    data_argument,
    describe_machine,
    find_clips,
    make_parser,
    median,
    output_argument,
    write_results,
)
from benchmarks.ray_nodes import Cluster, Node

ONE_NODE, TWO_NODES, ONE_KILLED = "1 node", "2 nodes", "2 nodes, 1 killed"
NODE_COUNTS = {ONE_NODE: 1, TWO_NODES: 2}
KILL_AFTER = 1 / 3  # share of the inputs that are done when the node is killed
PART_SIZE = 64
POLL_S = 0.02


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the results and return the exit status."""
    options = build_parser().parse_args(arguments)
    corpus_clips = find_clips(options.data, "scale")
    if not corpus_clips:
        return 1
    clips = list(islice(cycle(path.resolve() for path in corpus_clips), options.inputs))
    durations_s = {clip: soundfile.info(clip).duration for clip in set(clips)}
    audio_hours = sum(durations_s[clip] for clip in clips) / 3600
    with tempfile.TemporaryDirectory() as folder:
        batch = Batch(Path(folder), clips)
        for number in range(options.repeats):
            run_on_cluster(batch, kill=number == options.repeats - 1)
    seconds = {name: median(times_s) for name, times_s in batch.seconds.items()}
    core_hours = {name: NODE_COUNTS[name] * seconds[name] / 3600 / audio_hours * 1000 for name in NODE_COUNTS}
    machine = describe_machine()
    versions = machine["versions"] | {"ray": importlib.metadata.version("ray")}
    results = {
        "machine": machine | {"cores_used": 2, "versions": versions},
        "inputs": len(clips),
        "audio_hours": audio_hours,
        "repeats": options.repeats,
        "seconds": seconds,
        "speed_up": seconds[ONE_NODE] / seconds[TWO_NODES],
        "core_hours_per_1000_hours": core_hours,
        "lost": batch.lost,
        "duplicated": batch.duplicated,
        "bytes_per_prediction": batch.bytes / len(clips),
    }
    write_results(options.output, results)
    print(f"{len(clips)} inputs: " + ", ".join(f"{time_s:.1f} s with {name}" for name, time_s in seconds.items()))
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = make_parser("scale", __doc__)
    data_argument(parser)
    output_argument(parser, "scale.json")
    parser.add_argument(
        "--inputs", type=int, default=8000, metavar="N",
        help="number of inputs of the batch; clips are repeated if there are fewer (default: 8000)",
    )  # fmt: skip
    parser.add_argument(
        "--repeats", type=int, default=3, metavar="N",
        help="number of clusters, each measured with one node and with two (default: 3)",
    )  # fmt: skip
    return parser


def run_on_cluster(batch: "Batch", kill: bool) -> None:
    """Run the batch on a new cluster with one node, with two nodes, and optionally with one of two nodes killed."""
    with Cluster(cpus=1) as cluster:
        batch.run(ONE_NODE, cluster)
        node = cluster.add()
        batch.run(TWO_NODES, cluster)
        if kill:
            batch.run(ONE_KILLED, cluster, node)


class Batch:
    """A manifest of clips, run repeatedly.

    Args:
        folder: for the manifest and the output.
        clips: one input each.

    Attributes:
        seconds: name of the condition -> wall seconds of each run.
        bytes: size of the predictions.
        lost: number of inputs without a prediction.
        duplicated: number of additional predictions.
    """

    def __init__(self, folder: Path, clips: list[Path]) -> None:
        self._manifest = folder / "inputs.csv"
        self._output = folder / "out"
        self._inputs = len(clips)
        self._digest = ""
        self.seconds: dict[str, list[float]] = {}
        self.bytes = self.lost = self.duplicated = 0
        with self._manifest.open("w", newline="") as file:
            csv.writer(file).writerows([("path", "number"), *((clip, number) for number, clip in enumerate(clips))])

    def run(self, name: str, cluster: Cluster, victim: Node | None = None) -> None:
        """Run the command as a whole process and store its wall seconds.

        Args:
            name: of the condition.
            cluster: the cluster to run on.
            victim: a node to kill during the run; None kills none.

        Raises:
            SystemExit: an input was lost or recognised twice, or the predictions differ from those of the last run.
        """
        command = [sys.executable, "-m", "overtone", "batch", str(self._manifest), "--output", str(self._output)]
        begin_s = time.perf_counter()
        process = subprocess.Popen([*command, "--engine", "ray"], env=cluster.environment, cwd=PROJECT)
        try:
            if victim is not None:
                self._kill(victim, lambda: process.poll() is not None)
            status = process.wait()
        finally:
            process.kill()
        self.seconds.setdefault(name, []).append(time.perf_counter() - begin_s)
        if status:
            raise SystemExit(f"scale: {name}: the batch exited with status {status}: nothing written")
        self.check(name)
        shutil.rmtree(self._output)

    def _kill(self, victim: Node, has_ended: Callable[[], bool]) -> None:
        """Kill a node while it runs a part, once a third of all inputs is done."""
        while not has_ended():
            parts = len(list((self._output / "parts").glob("0*.json")))
            if parts * PART_SIZE >= KILL_AFTER * self._inputs and victim.is_at_work():
                break
            time.sleep(POLL_S)
        victim.kill()
        if has_ended():
            raise SystemExit("scale: the batch ended before the node was killed; use more --inputs: nothing written")

    def check(self, name: str) -> None:
        """Check that every input has one prediction, and that the predictions equal those of the last run.

        Raises:
            SystemExit: a check failed.
        """
        folder = self._output / "predictions"
        files = sorted(folder.iterdir())
        numbers = pyarrow.dataset.dataset(folder).to_table(["number"]).column("number").to_pylist()
        digest = hashlib.sha256(b"".join(file.name.encode() + file.read_bytes() for file in files)).hexdigest()
        self.bytes = sum(file.stat().st_size for file in files)
        self.lost += self._inputs - len(set(numbers))
        self.duplicated += len(numbers) - len(set(numbers))
        if self.lost or self.duplicated:
            raise SystemExit(f"scale: {name}: {self.lost} inputs lost, {self.duplicated} duplicated: nothing written")
        if self._digest not in ("", digest):
            raise SystemExit(f"scale: {name}: predictions differ from those of the last run: nothing written")
        self._digest = digest


if __name__ == "__main__":
    sys.exit(main())
