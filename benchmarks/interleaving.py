"""Peers beside each other: the same clips, in the same rounds, on one core; then each one's cold start and memory."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import process
from benchmarks.systems import PEERS, served
from benchmarks.systems.served import LeftOutError, Served

BLOCK = 4  # clips in a row, lest every clip finds the caches full of another peer's model
PASSES = 3  # over a block
SLOW_S = 0.3  # per clip; so slow a peer takes a block once
COLD_RUNS = 3
REFERENCE = "overtone"


@dataclass(frozen=True)
class Clips:
    """What is measured on.

    Attributes:
        forms: suffix -> the clips as files of this form, in the same order.
        durations_s: of each.
        warm_up: the first ones, which are not counted.
    """

    forms: Mapping[str, Sequence[Path]]
    durations_s: Sequence[float]
    warm_up: int

    @property
    def counted_s(self) -> Sequence[float]:
        """Lengths of those that count."""
        return self.durations_s[self.warm_up :]

    def of(self, name: str) -> Sequence[Path]:
        """Those that count, in the form that a peer is given."""
        return self.forms[PEERS[name].form][self.warm_up :]


@dataclass
class Timed:
    """A running peer with what it has taken so far.

    Attributes:
        name: a key of `PEERS`.
        one: the peer, with `take`.
        walls_s: of each clip; or of all clips together, once per round.
        wall_s: in all.
        cpu_s: in all.
    """

    name: str
    one: Any
    walls_s: list[float] = field(default_factory=list)
    wall_s: float = 0.0
    cpu_s: float = 0.0

    def take(self, clips: Clips, block: slice) -> None:
        """A round: the clips of a block one by one, or all together."""
        files = clips.of(self.name)
        asked = [files] if PEERS[self.name].together else [[clip] for clip in files[block]]
        passes = [[self._timed(each) for each in asked]]
        if sum(passes[0]) < SLOW_S * len(asked):
            passes += [[self._timed(each) for each in asked] for _ in range(PASSES - 1)]
        self.walls_s += [median(several) for several in zip(*passes, strict=True)]

    def figures(self, clips: Clips, reference: Sequence[float]) -> dict[str, float]:
        """Per clip, per hour of sound, times real time, and how much longer than the reference it takes."""
        walls_s = self.per_clip(clips)
        times_real_time = sum(clips.counted_s) / sum(walls_s)
        return {
            "ms": 1000 * median(walls_s),
            "times_real_time": times_real_time,
            "hour_s": 3600 / times_real_time,
            "times_longer": median(own / other for own, other in zip(walls_s, reference, strict=True)),
            "cpu_share": self.cpu_s / self.wall_s,
        }

    def per_clip(self, clips: Clips) -> list[float]:
        """Seconds of each clip; what all took together is shared out by their lengths."""
        if not PEERS[self.name].together:
            return self.walls_s
        together_s = median(self.walls_s)
        return [together_s * duration_s / sum(clips.counted_s) for duration_s in clips.counted_s]

    def _timed(self, files: Sequence[Path]) -> float:
        taken = self.one.take(files)
        self.wall_s += taken["wall_s"]
        self.cpu_s += taken["cpu_s"]
        return taken["wall_s"]


def systems(names: Sequence[str], clips: Clips, folder: Path) -> dict[str, dict[str, Any]]:
    """A row per peer: its figures, or why it has none.

    Args:
        names: keys of `PEERS`, the reference among them.
        clips: what they are measured on.
        folder: where peers keep what they prepare.
    """
    left_out: dict[str, str] = {}
    running = list(_started(names, clips, folder, left_out))
    try:
        in_turns(running, clips, left_out)
    finally:
        for timed in running:
            timed.one.close()
    measured = {timed.name: timed for timed in running if timed.name not in left_out}
    if REFERENCE not in measured:
        raise SystemExit(f"bench: {REFERENCE}: {left_out[REFERENCE]}: nothing written")
    reference = measured[REFERENCE].per_clip(clips)
    rows: dict[str, dict[str, Any]] = {}
    for name in names:
        about = {"title": PEERS[name].title, "ends_with": PEERS[name].ends_with}
        try:
            if name in left_out:
                raise LeftOutError(left_out[name])
            rows[name] = about | measured[name].figures(clips, reference) | cold(name, clips.of(name)[0], folder)
        except LeftOutError as error:
            rows[name] = about | {"left_out": str(error)}
        print(f"bench: {name}: {rows[name].get('left_out', 'measured')}", file=sys.stderr)
    return rows


def in_turns(running: Sequence[Timed], clips: Clips, left_out: dict[str, str]) -> None:
    """Every peer takes a block of clips, then every peer the next one.

    Args:
        running: the peers.
        clips: what they take.
        left_out: gets the reason of every peer that fails on the way.
    """
    count = len(clips.counted_s)
    for begin in range(0, count, BLOCK):
        for timed in running:
            if timed.name not in left_out:
                try:
                    timed.take(clips, slice(begin, begin + BLOCK))
                except LeftOutError as error:
                    left_out[timed.name] = str(error)
        print(f"bench: {min(begin + BLOCK, count)} of {count} clips", file=sys.stderr)


def cold(name: str, clip: Path, folder: Path) -> dict[str, float]:
    """Seconds (median) and peak memory of a process that answers one clip, files cached; and megabytes on disk.

    Raises:
        LeftOutError: it failed.
    """
    peer = PEERS[name]
    runs = [process.measure(served.command(name, folder, str(clip)), **served.surroundings()) for _ in range(COLD_RUNS)]
    if any(run["status"] for run in runs):
        raise LeftOutError("failed as a process of its own")
    made = [path for path in served.folder_of(name, folder).rglob("*") if path.is_file()]
    installed = [peer.python, "-m", "benchmarks.installed", *peer.needs]
    done = subprocess.run(installed, **served.surroundings(), capture_output=True, text=True)
    if done.returncode:
        raise LeftOutError(f"its size cannot be told: {served.last_line(done.stderr)}")
    return {
        "cold_s": median(run["wall_s"] for run in runs),
        "peak_mb": max(run["peak_mb"] for run in runs),
        "packages_mb": float(done.stdout),
        "model_mb": sum(path.stat().st_size for path in made) / 1e6,
    }


def _started(names: Sequence[str], clips: Clips, folder: Path, left_out: dict[str, str]) -> Iterator[Timed]:
    """The peers that can be measured here, warm."""
    for name in names:
        try:
            served.prepare(name, folder)
            one = Served(name, folder)
            try:
                one.take(clips.forms[PEERS[name].form][: clips.warm_up])
            except LeftOutError:
                one.close()
                raise
            yield Timed(name, one)
        except LeftOutError as error:
            left_out[name] = str(error)
