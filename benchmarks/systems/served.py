"""A peer that runs in a process of its own and answers when it is asked: so that many can be timed in turns."""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.systems import PEERS

PROJECT = Path(__file__).resolve().parents[2]
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}


class LeftOutError(Exception):
    """A peer cannot be measured here; says why."""


def surroundings() -> dict[str, Any]:
    """Where a peer runs, for `subprocess`: in the project folder, on one thread, without the network."""
    return {"cwd": PROJECT, "env": {**os.environ, **dict.fromkeys(ONE_THREAD, "1"), **OFFLINE}}


def folder_of(name: str, folder: Path) -> Path:
    """Where a peer keeps what it prepares, below `folder`."""
    return folder / f"{PEERS[name].module}-{PEERS[name].variant}"


def command(name: str, folder: Path, *more: str) -> list[str]:
    """What runs a peer."""
    return [PEERS[name].python, "-m", "benchmarks.systems", name, str(folder_of(name, folder)), *more]


def prepare(name: str, folder: Path) -> None:
    """Has a peer make what it needs.

    Raises:
        LeftOutError: it is not installed, or fails.
    """
    if PEERS[name].lacks:
        raise LeftOutError(PEERS[name].lacks)
    try:
        done = subprocess.run(command(name, folder, "--prepare"), **surroundings(), capture_output=True, text=True)
    except OSError as error:
        raise LeftOutError(f"{PEERS[name].interpreter or 'Python'} cannot be run: {error.strerror}") from error
    if done.returncode:
        raise LeftOutError(f"failed to prepare: {last_line(done.stderr)}")


class Served:
    """A running peer.

    Args:
        name: a key of `PEERS`.
        folder: where `prepare` has put what it needs.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self._complaints = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 (closed with the process)
        self._process = subprocess.Popen(
            command(name, folder),
            **surroundings(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
        )

    def take(self, clips: Sequence[Path]) -> dict[str, float]:
        """How long it took for these clips together: `wall_s` and `cpu_s`.

        Raises:
            LeftOutError: it failed.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps([str(clip) for clip in clips]) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())
        except (OSError, ValueError) as error:
            self._process.wait()
            self._complaints.seek(0)
            raise LeftOutError(f"failed: {last_line(self._complaints.read())}") from error

    def close(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.communicate()
        self._complaints.close()


def last_line(text: str) -> str:
    """The last line that says something, at most 200 characters, without the folders of this machine."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub(r"(?:/[^/\s'\"]+)+/", "", lines[-1] if lines else "no word")[:200]
