"""A Ray cluster on this machine: a head node and further nodes in separate processes, which can be killed.

    with Cluster(cpus=1) as cluster:
        node = cluster.add()
        subprocess.run(command, env=cluster.environment)
        node.kill()

Run as a program, this module is a watchdog: it waits for the end of its standard input and then kills all processes
with the mark in its argument, so that no process of the cluster survives if the process that started it is killed.
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from contextlib import suppress
from pathlib import Path

HOST = "127.0.0.1"
# Environment variables that mark every process of a cluster, or of a node, and their child processes.
CLUSTER_MARK, NODE_MARK = "OVERTONE_CLUSTER", "OVERTONE_NODE"
OBJECT_STORE_BYTES = 80_000_000
TIMEOUT_S = 120
KILL_RETRY_S = 0.05
BUSY_PROCESS = b"ray::run_part"  # Ray names a worker process after the task that it runs


class Node:
    """One node: all processes that `ray start` starts.

    Args:
        options: further options of `ray start`.
        environment: environment of its processes.

    Raises:
        RuntimeError: it does not start.
    """

    def __init__(self, *options: str, environment: dict[str, str]) -> None:
        identity = uuid.uuid4().hex
        self._mark = f"{NODE_MARK}={identity}"
        command = [
            *(sys.executable, "-m", "ray.scripts.scripts", "start", *options),
            *(f"--node-ip-address={HOST}", f"--object-store-memory={OBJECT_STORE_BYTES}", "--disable-usage-stats"),
            *("--min-worker-port=0", "--max-worker-port=0"),  # the default ranges of nodes on one machine overlap
        ]
        marked_environment = environment | {NODE_MARK: identity}
        done = subprocess.run(command, env=marked_environment, capture_output=True, text=True, timeout=TIMEOUT_S)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")

    def is_at_work(self) -> bool:
        """Return whether one of its processes is running a part of a batch."""
        return any(_command_line(pid).startswith(BUSY_PROCESS) for pid in find_pids(self._mark))

    def kill(self) -> None:
        """Kill all its processes at once, like a power failure."""
        kill_all(self._mark)


class Cluster:
    """A head node and added nodes; all of them end with the `with` block, or with the process that started them.

    Args:
        cpus: number of cores that the head node offers.
        environment: further environment variables of all processes.

    Attributes:
        address: host and port of the head node.
        environment: environment of a process that connects to the cluster.
    """

    def __init__(self, cpus: int, environment: dict[str, str] | None = None) -> None:
        with socket.socket() as free_port:
            free_port.bind((HOST, 0))
            self.address = f"{HOST}:{free_port.getsockname()[1]}"
        settings = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ADDRESS": "", "OMP_NUM_THREADS": "1"}
        settings |= {"RAY_raylet_start_wait_time_s": str(TIMEOUT_S)}  # a busy machine starts slowly
        settings |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}  # Ray listens beyond HOST
        identity = uuid.uuid4().hex
        self._mark = f"{CLUSTER_MARK}={identity}"
        self._environment = os.environ | settings | (environment or {}) | {CLUSTER_MARK: identity}
        self.environment = self._environment | {"RAY_ADDRESS": self.address}
        self._cpus = cpus

    def __enter__(self) -> "Cluster":
        port = self.address.rpartition(":")[2]
        self._folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # socket paths must be short
        self._watchdog = subprocess.Popen(
            [sys.executable, __file__, self._mark], stdin=subprocess.PIPE, start_new_session=True
        )
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
        self._watchdog.communicate()  # closes its standard input: it kills all processes of the cluster
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, cpus: int = 1) -> Node:
        """Start another node and return it."""
        return self._start(f"--address={self.address}", cpus=cpus)

    def _start(self, *options: str, cpus: int) -> Node:
        return Node(*options, f"--num-cpus={cpus}", environment=self._environment)


def find_pids(mark: str) -> list[int]:
    """Return the running processes that have a mark, `NAME=value`, in their environment."""
    pids = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                pids.append(int(folder.name))
        except OSError:  # it has ended, or belongs to another user
            continue
    return pids


def kill_all(mark: str) -> None:
    """Kill the processes with a mark, including those that they start in the meantime.

    Raises:
        RuntimeError: some of them are still running after the timeout.
    """
    end_s = time.monotonic() + TIMEOUT_S
    while pids := find_pids(mark):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > end_s:
            raise RuntimeError(f"cannot kill {pids}")
        time.sleep(KILL_RETRY_S)


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


if __name__ == "__main__":
    sys.stdin.read()
    kill_all(sys.argv[1])
