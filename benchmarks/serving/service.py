"""`overtone serve` as a process: start it, send requests, read its memory, CPU time and metrics, stop or kill it."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KIB_BYTES = 1024
REQUEST_TIMEOUT_S = 60
SHUTDOWN_TIMEOUT_S = 120.0


class Service:
    """A running service.

    Args:
        folder: its state folder.
        options: further options of `overtone serve`.

    Attributes:
        process: the process of the command.
        port: its port at 127.0.0.1.
        started_s: seconds from the command to a `/ready` with status 200.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "overtone", "serve", "--port", "0", "--state-dir", str(folder), *options]
        begin_s = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.port = int(line.rsplit(":", 1)[1])
        assert self.request("GET", "/ready")[0] == 200
        self.started_s = time.perf_counter() - begin_s

    def request(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], Any]:
        """Return status, headers and content of the response to one request; JSON content is parsed.

        Args:
            method: such as "GET".
            path: with its query.
            body: of the request.
            headers: of the request, with `_` for `-`.
        """
        timeout = REQUEST_TIMEOUT_S
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)) as connection:
            sent = {"Content-Type": "application/octet-stream"}
            sent |= {name.replace("_", "-"): text for name, text in headers.items()}
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            content = response.read()
            received = {name.lower(): text for name, text in response.getheaders()}
            is_json = "json" in received.get("content-type", "")
            return response.status, received, json.loads(content) if is_json else content

    def memory_mb(self) -> float:
        """Return the memory of the service and its workers; shared memory counts once."""
        return memory_mb(self.process.pid)

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU seconds of the service itself and of its workers."""
        ticks_per_s = os.sysconf("SC_CLK_TCK")
        seconds = {"service": 0.0, "workers": 0.0}
        for pid in (self.process.pid, *_child_pids(self.process.pid)):
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                name = "service" if pid == self.process.pid else "workers"
                seconds[name] += (int(fields[11]) + int(fields[12])) / ticks_per_s
        return seconds

    def metric(self, name: str) -> float:
        """Return the value of a metric, named with its labels."""
        text = self.request("GET", "/metrics")[2].decode()
        return float(next(line for line in text.splitlines() if line.startswith(name)).rsplit(" ", 1)[1])

    def kill(self) -> None:
        """Kill the service with SIGKILL, without a shutdown."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Stop the service with SIGTERM and return its exit status."""
        self.process.terminate()
        return self.process.wait(SHUTDOWN_TIMEOUT_S)


@contextlib.contextmanager
def service(folder: Path, *options: str) -> Iterator[Service]:
    """Run a service until the end of the `with` block.

    Args:
        folder: its state folder.
        options: further options of `overtone serve`.
    """
    running = Service(folder, *options)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.stop()
        assert running.process.stdout is not None
        running.process.stdout.close()


def memory_mb(pid: int) -> float:
    """Return the memory of a process and its children (proportional set size, so that shared memory counts once)."""
    total_kib = 0
    for each in (pid, *_child_pids(pid)):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total_kib += int(line.split()[1])
    return total_kib * KIB_BYTES / 1e6


def _child_pids(pid: int) -> list[int]:
    files = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in files for child in file.read_text().split()]
