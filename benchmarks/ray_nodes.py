"""A Ray cluster on this machine: a head and nodes, each of processes of its own, any of which can be killed at once.

with Cluster(cpus=1) as cluster:
    node = cluster.add()
    subprocess.run(command, env=cluster.environment)
    node.kill()
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

HOST = "127.0.0.1"
MARK = "OVERTONE_NODE"  # in the environment of every process of a node, and of those that these start
STORE_BYTES = 80_000_000
PATIENCE_S = 120


class Node:
    """One node: all processes that `ray start` leaves behind.

    Args:
        words: more options of `ray start`.
        environment: of its processes.

    Raises:
        RuntimeError: it does not start.
    """

    def __init__(self, *words: str, environment: dict[str, str]) -> None:
        self._mark = f"{MARK}={uuid.uuid4().hex}"
        name, _, value = self._mark.partition("=")
        command = [
            *(sys.executable, "-m", "ray.scripts.scripts", "start", *words),
            *(f"--node-ip-address={HOST}", f"--object-store-memory={STORE_BYTES}", "--disable-usage-stats"),
            *("--min-worker-port=0", "--max-worker-port=0"),  # nodes of one machine would share the usual range
        ]
        try:
            done = subprocess.run(
                command, env=environment | {name: value}, capture_output=True, text=True, timeout=PATIENCE_S
            )
        except BaseException:
            self.kill()
            raise
        if done.returncode:
            self.kill()
            raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")

    def pids(self) -> list[int]:
        """Its processes that live."""
        found = []
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and self._mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
            except OSError:  # ended meanwhile, or somebody else's
                continue
        return found

    def is_at_work(self) -> bool:
        """Whether one of its processes is at a part of a batch: Ray names processes after what they do."""
        return any(_command(pid).startswith(b"ray::answer_part") for pid in self.pids())

    def kill(self) -> None:
        """Ends all of it at once, as a machine that loses its power."""
        end_s = time.monotonic() + PATIENCE_S
        while pids := self.pids():
            for pid in pids:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            if time.monotonic() > end_s:
                raise RuntimeError(f"cannot kill {pids}")
            time.sleep(0.05)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


class Cluster:
    """A head with so many cores, and what is added to it; all of it ends with the `with`.

    Args:
        cpus: that the head offers.
        environment: more variables for all processes.
    """

    def __init__(self, cpus: int, environment: dict[str, str] | None = None) -> None:
        with socket.socket() as free:
            free.bind((HOST, 0))
            self.address = f"{HOST}:{free.getsockname()[1]}"
        self._folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # names of sockets must be short
        quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ADDRESS": "", "OMP_NUM_THREADS": "1"}
        self._environment = os.environ | quiet | (environment or {})
        self.environment = self._environment | {"RAY_ADDRESS": self.address}
        self._cpus = cpus
        self._nodes: list[Node] = []

    def __enter__(self) -> "Cluster":
        port = self.address.rpartition(":")[2]
        try:
            self._start(
                *("--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={self._folder}"),
                cpus=self._cpus,
            )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for node in reversed(self._nodes):
            node.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, cpus: int = 1) -> Node:
        """One node more."""
        return self._start(f"--address={self.address}", cpus=cpus)

    def _start(self, *words: str, cpus: int) -> Node:
        self._nodes.append(Node(*words, f"--num-cpus={cpus}", environment=self._environment))
        return self._nodes[-1]
