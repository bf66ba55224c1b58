"""A comparison system in a separate process that processes clips on request, so that runs can be interleaved."""

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.systems import SYSTEMS

PROJECT = Path(__file__).resolve().parents[2]
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "TOKENIZERS_PARALLELISM": "false"}
MAX_REASON_CHARS = 200


class SystemUnavailableError(Exception):
    """A system cannot be measured here; the message is the reason."""


def process_options() -> dict[str, Any]:
    """Return options for `subprocess`: the project folder, one thread, no access to the Hugging Face hub."""
    return {"cwd": PROJECT, "env": {**os.environ, **dict.fromkeys(THREAD_VARIABLES, "1"), **OFFLINE}}


def system_folder(name: str, folder: Path) -> Path:
    """Return the path of the prepared files of a system, below `folder`."""
    return folder / f"{SYSTEMS[name].module}-{SYSTEMS[name].variant}"


def build_command(name: str, folder: Path, *arguments: str) -> list[str]:
    """Return the command that runs a system."""
    return [SYSTEMS[name].python, "-m", "benchmarks.systems", name, str(system_folder(name, folder)), *arguments]


def prepare(name: str, folder: Path) -> None:
    """Prepare the files of a system in a separate process.

    Raises:
        SystemUnavailableError: it is not installed, or fails.
    """
    system = SYSTEMS[name]
    if system.unavailable_reason:
        raise SystemUnavailableError(system.unavailable_reason)
    command = build_command(name, folder, "--prepare")
    try:
        done = subprocess.run(command, **process_options(), capture_output=True, text=True)
    except OSError as error:
        interpreter = system.interpreter_variable or "Python"
        raise SystemUnavailableError(f"{interpreter} cannot be run: {error.strerror}") from error
    if done.returncode:
        raise SystemUnavailableError(f"failed to prepare: {last_line(done.stderr)}")


class SystemProcess:
    """The running process of a system.

    Args:
        name: a key of `SYSTEMS`.
        folder: the folder that `prepare` was called with.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self._stderr = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115 (closed with the process)
        self._process = subprocess.Popen(
            build_command(name, folder),
            **process_options(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            text=True,
        )

    def run(self, clips: Sequence[Path]) -> dict[str, float]:
        """Process these clips in one call and return its times, `wall_s` and `cpu_s`.

        Raises:
            SystemUnavailableError: it failed.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps([str(clip) for clip in clips]) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())
        except (OSError, ValueError) as error:
            self._process.wait()
            self._stderr.seek(0)
            raise SystemUnavailableError(f"failed: {last_line(self._stderr.read())}") from error

    def close(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.communicate()
        self._stderr.close()


def last_line(text: str) -> str:
    """Return the last non-empty line, at most 200 characters, with absolute paths reduced to file names."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return re.sub(r"(?:/[^/\s'\"]+)+/", "", lines[-1] if lines else "no error message")[:MAX_REASON_CHARS]
