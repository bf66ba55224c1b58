"""`overtone batch --engine ray` on one node and on two, and with one of two killed: what is a node worth, what is lost.

    python -m benchmarks.scale [--data DIR] [--output FILE] [--inputs N] [--repeats N]

Nodes are a Ray cluster on this machine, one core each. Writes one JSON file whole or not at all, and only if every
input was answered exactly once and the same in all runs; `benchmarks/README.md` says what it holds.
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

from benchmarks.bench import PROJECT, clips_in, machine, median, ravdess, write
from benchmarks.ray_nodes import Cluster, Node

ONE, TWO, KILLED = "1 node", "2 nodes", "2 nodes, 1 killed"
NODES = {ONE: 1, TWO: 2}
DONE_AT_THE_KILL = 1 / 3  # of the parts
LOOK_S = 0.02


def main(arguments: list[str] | None = None) -> int:
    """Measures and writes; returns the exit status."""
    options = parser().parse_args(arguments)
    found = clips_in(options.data, "scale")
    if not found:
        return 1
    clips = list(islice(cycle(path.resolve() for path in found), options.inputs))
    durations_s = {clip: soundfile.info(clip).duration for clip in set(clips)}
    audio_hours = sum(durations_s[clip] for clip in clips) / 3600
    with tempfile.TemporaryDirectory() as folder:
        batch = Batch(Path(folder), clips)
        for number in range(options.repeats):
            one_cluster(batch, kill=number == options.repeats - 1)
    seconds = {name: median(times) for name, times in batch.seconds.items()}
    core_hours = {name: NODES[name] * seconds[name] / 3600 / audio_hours * 1000 for name in NODES}
    about = machine()
    measured = {
        "machine": about
        | {"cores_used": 2, "versions": about["versions"] | {"ray": importlib.metadata.version("ray")}},
        "inputs": len(clips),
        "audio_hours": audio_hours,
        "repeats": options.repeats,
        "seconds": seconds,
        "speed_up": seconds[ONE] / seconds[TWO],
        "core_hours_per_1000_hours": core_hours,
        "lost": batch.lost,
        "twice": batch.twice,
        "bytes_per_answer": batch.bytes / len(clips),
    }
    write(options.out, measured)
    print(f"{len(clips)} inputs: " + ", ".join(f"{time_s:.1f} s with {name}" for name, time_s in seconds.items()))
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of the command line."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__.partition("\n")[0])
    made.add_argument("--data", type=Path, default=ravdess(), help="folder of the RAVDESS clips")
    made.add_argument("--output", type=Path, default=PROJECT / "results" / "scale.json")
    made.add_argument(
        "--inputs", type=int, default=8000, help="of the batch; clips are taken again where there are less"
    )
    made.add_argument("--repeats", type=int, default=3, help="clusters, each measured with one node and with two")
    return made


def one_cluster(batch: "Batch", kill: bool) -> None:
    """Measures with one node, with two, and where `kill` is said with one that is killed."""
    with Cluster(cpus=1) as cluster:
        batch.run(ONE, cluster)
        node = cluster.add()
        batch.run(TWO, cluster)
        if kill:
            batch.run(KILLED, cluster, node)


class Batch:
    """A manifest of clips, run again and again.

    Args:
        folder: for the manifest and the answers.
        clips: one input each.
    """

    def __init__(self, folder: Path, clips: list[Path]) -> None:
        self._manifest = folder / "inputs.csv"
        self._out = folder / "out"
        self._inputs = len(clips)
        self._digest = ""
        self.seconds: dict[str, list[float]] = {}
        self.bytes = self.lost = self.twice = 0
        with self._manifest.open("w", newline="") as file:
            csv.writer(file).writerows([("path", "number"), *((clip, number) for number, clip in enumerate(clips))])

    def run(self, name: str, cluster: Cluster, victim: Node | None = None) -> None:
        """Keeps the wall seconds of the command as a whole process.

        Raises:
            SystemExit: an input was lost or answered twice, or answers differ from those of the run before.
        """
        command = [sys.executable, "-m", "overtone", "batch", str(self._manifest), "--output", str(self._out)]
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
            raise SystemExit(f"scale: {name}: the batch ended with {status}: nothing written")
        self.check(name)
        shutil.rmtree(self._out)

    def _kill(self, victim: Node, is_over: Callable[[], bool]) -> None:
        """Kills a node while it is at a part and a third of all parts is done."""
        while not is_over():
            parts = len(list((self._out / "parts").glob("0*.json")))
            if parts * 64 >= DONE_AT_THE_KILL * self._inputs and victim.is_at_work():
                break
            time.sleep(LOOK_S)
        victim.kill()
        if is_over():
            raise SystemExit("scale: the batch was over before a node was killed; take more --inputs: nothing written")

    def check(self, name: str) -> None:
        """Sees that every input was answered once, and the same as in the run before.

        Raises:
            SystemExit: that is not so.
        """
        files = sorted((self._out / "answers").iterdir())
        numbers = pyarrow.dataset.dataset(self._out / "answers").to_table(["number"]).column("number").to_pylist()
        digest = hashlib.sha256(b"".join(file.name.encode() + file.read_bytes() for file in files)).hexdigest()
        self.bytes = sum(file.stat().st_size for file in files)
        self.lost += self._inputs - len(set(numbers))
        self.twice += len(numbers) - len(set(numbers))
        if self.lost or self.twice:
            raise SystemExit(f"scale: {name}: {self.lost} inputs lost, {self.twice} there twice: nothing written")
        if self._digest not in ("", digest):
            raise SystemExit(f"scale: {name}: other answers than in the run before: nothing written")
        self._digest = digest


if __name__ == "__main__":
    sys.exit(main())
