"""Interleaved runs of all systems on the same clips and one core; then the cold start and memory of each."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import process
from benchmarks.systems import SYSTEMS, system_process
from benchmarks.systems.system_process import SystemProcess, SystemUnavailableError

BLOCK = 4  # consecutive clips per system, so that not every clip finds the caches filled by another system's model
PASSES = 3  # over a block
SLOW_S = 0.3  # per clip; a slower system processes each block once
COLD_RUNS = 3
REFERENCE = "overtone"


@dataclass(frozen=True)
class Clips:
    """The clips of the benchmark.

    Attributes:
        files: suffix -> the clips as files with this suffix, in the same order.
        durations_s: of each clip.
        warm_up: number of clips at the start that only warm up the systems.
    """

    files: Mapping[str, Sequence[Path]]
    durations_s: Sequence[float]
    warm_up: int

    @property
    def measured_durations_s(self) -> Sequence[float]:
        """Durations of the measured clips."""
        return self.durations_s[self.warm_up :]

    def measured_files(self, name: str) -> Sequence[Path]:
        """Return the measured clips in the file format that a system processes."""
        return self.files[SYSTEMS[name].suffix][self.warm_up :]


@dataclass
class TimedSystem:
    """A running system with its times so far.

    Attributes:
        name: a key of `SYSTEMS`.
        system: its process, with `run` and `close`.
        walls_s: wall time of each clip; for a system that takes a list, of all clips together, once per block.
        wall_s: total wall time.
        cpu_s: total CPU time.
    """

    name: str
    system: Any
    walls_s: list[float] = field(default_factory=list)
    wall_s: float = 0.0
    cpu_s: float = 0.0

    def run(self, clips: Clips, block: slice) -> None:
        """Process the clips of a block one by one, or all clips in one call."""
        files = clips.measured_files(self.name)
        calls = [files] if SYSTEMS[self.name].takes_list else [[clip] for clip in files[block]]
        passes = [[self._time(call) for call in calls]]
        if sum(passes[0]) < SLOW_S * len(calls):
            passes += [[self._time(call) for call in calls] for _ in range(PASSES - 1)]
        self.walls_s += [median(times_s) for times_s in zip(*passes, strict=True)]

    def results(self, clips: Clips, reference: Sequence[float]) -> dict[str, float]:
        """Return the time per clip and per hour of audio, times real time, and the time relative to the reference."""
        walls_s = self.per_clip(clips)
        times_real_time = sum(clips.measured_durations_s) / sum(walls_s)
        return {
            "ms": 1000 * median(walls_s),
            "times_real_time": times_real_time,
            "seconds_per_hour": 3600 / times_real_time,
            "relative_time": median(own / other for own, other in zip(walls_s, reference, strict=True)),
            "cpu_share": self.cpu_s / self.wall_s,
        }

    def per_clip(self, clips: Clips) -> list[float]:
        """Return the seconds of each clip; the time of a list is divided among its clips by their durations."""
        if not SYSTEMS[self.name].takes_list:
            return self.walls_s
        list_s, durations_s = median(self.walls_s), clips.measured_durations_s
        return [list_s * duration_s / sum(durations_s) for duration_s in durations_s]

    def _time(self, files: Sequence[Path]) -> float:
        times = self.system.run(files)
        self.wall_s += times["wall_s"]
        self.cpu_s += times["cpu_s"]
        return times["wall_s"]


def measure_systems(names: Sequence[str], clips: Clips, folder: Path) -> dict[str, dict[str, Any]]:
    """Return the results of each system, or the reason why it was skipped.

    Args:
        names: keys of `SYSTEMS`, including the reference.
        clips: the clips of the benchmark.
        folder: the folder for the prepared files of the systems.
    """
    skipped: dict[str, str] = {}
    running = list(_start_systems(names, clips, folder, skipped))
    try:
        run_interleaved(running, clips, skipped)
    finally:
        for timed in running:
            timed.system.close()
    measured = {timed.name: timed for timed in running if timed.name not in skipped}
    if REFERENCE not in measured:
        raise SystemExit(f"bench: {REFERENCE}: {skipped[REFERENCE]}: nothing written")
    reference = measured[REFERENCE].per_clip(clips)
    rows: dict[str, dict[str, Any]] = {}
    for name in names:
        header = {"title": SYSTEMS[name].title, "output": SYSTEMS[name].output}
        try:
            if name in skipped:
                raise SystemUnavailableError(skipped[name])
            cold_start = measure_cold_start(name, clips.measured_files(name)[0], folder)
            rows[name] = header | measured[name].results(clips, reference) | cold_start
        except SystemUnavailableError as error:
            rows[name] = header | {"skipped": str(error)}
        print(f"bench: {name}: {rows[name].get('skipped', 'measured')}", file=sys.stderr)
    return rows


def run_interleaved(running: Sequence[TimedSystem], clips: Clips, skipped: dict[str, str]) -> None:
    """Run all systems on one block of clips, one after the other, then on the next block.

    Args:
        running: the systems.
        clips: the clips of the benchmark.
        skipped: receives the reason of every system that fails.
    """
    count = len(clips.measured_durations_s)
    for begin in range(0, count, BLOCK):
        for timed in running:
            if timed.name not in skipped:
                try:
                    timed.run(clips, slice(begin, begin + BLOCK))
                except SystemUnavailableError as error:
                    skipped[timed.name] = str(error)
        print(f"bench: {min(begin + BLOCK, count)} of {count} clips", file=sys.stderr)


def measure_cold_start(name: str, clip: Path, folder: Path) -> dict[str, float]:
    """Return seconds (median) and peak memory of a process that recognises one clip, files cached; and its disk space.

    Raises:
        SystemUnavailableError: it failed.
    """
    system, options = SYSTEMS[name], system_process.process_options()
    command = system_process.build_command(name, folder, str(clip))
    runs = [process.measure(command, **options) for _ in range(COLD_RUNS)]
    if any(run["status"] for run in runs):
        raise SystemUnavailableError("failed in a cold start")
    model_files = [path for path in system_process.system_folder(name, folder).rglob("*") if path.is_file()]
    size_command = [system.python, "-m", "benchmarks.installed", *system.packages]
    done = subprocess.run(size_command, **options, capture_output=True, text=True)
    if done.returncode:
        raise SystemUnavailableError(f"its size cannot be measured: {system_process.last_line(done.stderr)}")
    return {
        "cold_s": median(run["wall_s"] for run in runs),
        "peak_mb": max(run["peak_mb"] for run in runs),
        "packages_mb": float(done.stdout),
        "model_mb": sum(path.stat().st_size for path in model_files) / 1e6,
    }


def _start_systems(names: Sequence[str], clips: Clips, folder: Path, skipped: dict[str, str]) -> Iterator[TimedSystem]:
    """Prepare, start and warm up the systems that can run here."""
    for name in names:
        try:
            system_process.prepare(name, folder)
            system = SystemProcess(name, folder)
            try:
                system.run(clips.files[SYSTEMS[name].suffix][: clips.warm_up])
            except SystemUnavailableError:
                system.close()
                raise
            yield TimedSystem(name, system)
        except SystemUnavailableError as error:
            skipped[name] = str(error)
