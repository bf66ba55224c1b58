"""`overtone serve` as a process: started, asked, watched, killed."""

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

PAGE_KB = 1024
END_S = 120.0


class Service:
    """One that runs.

    Attributes:
        port: at 127.0.0.1.
        started_s: from the call of the command until it said that it is ready.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "overtone", "serve", "--port", "0", "--data", str(folder), *options]
        begin_s = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.port = int(line.rsplit(":", 1)[1])
        assert self.ask("GET", "/ready")[0] == 200
        self.started_s = time.perf_counter() - begin_s

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], Any]:
        """Status, headers and content of one answer; JSON as what it says."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            named = {"Content-Type": "application/octet-stream"} | {
                name.replace("_", "-"): text for name, text in headers.items()
            }
            connection.request(method, path, body, named)
            response = connection.getresponse()
            content = response.read()
            told = {name.lower(): text for name, text in response.getheaders()}
            return response.status, told, json.loads(content) if "json" in told.get("content-type", "") else content

    def memory_mb(self) -> float:
        """Of the service and its workers, what they share counted once."""
        return memory_mb(self.process.pid)

    def cpu_s(self) -> dict[str, float]:
        """Seconds of a core that the service itself and its workers have taken."""
        ticks = os.sysconf("SC_CLK_TCK")
        seconds = {"service": 0.0, "workers": 0.0}
        for pid in (self.process.pid, *_children(self.process.pid)):
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                name = "service" if pid == self.process.pid else "workers"
                seconds[name] += (int(fields[11]) + int(fields[12])) / ticks
        return seconds

    def gauge(self, line: str) -> float:
        """A value of its metrics."""
        text = self.ask("GET", "/metrics")[2].decode()
        return float(next(row for row in text.splitlines() if row.startswith(line)).rsplit(" ", 1)[1])

    def kill(self) -> None:
        """As a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self) -> int:
        """As it is told to; its exit status."""
        self.process.terminate()
        return self.process.wait(END_S)


@contextlib.contextmanager
def service(folder: Path, *options: str) -> Iterator[Service]:
    """A service until the end of the block."""
    running = Service(folder, *options)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.end()
        assert running.process.stdout is not None
        running.process.stdout.close()


def memory_mb(pid: int) -> float:
    """Of a process and its children, what they share counted once."""
    total_kb = 0
    for one in (pid, *_children(pid)):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total_kb += int(line.split()[1])
    return total_kb * PAGE_KB / 1e6


def _children(pid: int) -> list[int]:
    files = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in files for child in file.read_text().split()]
