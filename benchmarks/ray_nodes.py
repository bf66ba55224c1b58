"""A Ray cluster on this machine: a head and nodes, each of processes of its own, any of which can be killed at once.

    with Cluster(cpus=1) as cluster:
        node = cluster.add()
        subprocess.run(command, env=cluster.environment)
        node.kill()

Run as a program, this ends the processes with the mark that it is given, once its standard input ends: a guard, for
when whoever started them is killed.
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
# In the environment of every process of a cluster, or of a node, and of those that these start.
CLUSTER_MARK, NODE_MARK = "OVERTONE_CLUSTER", "OVERTONE_NODE"
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
        identity = uuid.uuid4().hex
        self._mark = f"{NODE_MARK}={identity}"
        command = [
            *(sys.executable, "-m", "ray.scripts.scripts", "start", *words),
            *(f"--node-ip-address={HOST}", f"--object-store-memory={STORE_BYTES}", "--disable-usage-stats"),
            *("--min-worker-port=0", "--max-worker-port=0"),  # nodes of one machine would share the usual range
        ]
        marked = environment | {NODE_MARK: identity}
        done = subprocess.run(command, env=marked, capture_output=True, text=True, timeout=PATIENCE_S)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")

    def is_at_work(self) -> bool:
        """Whether one of its processes is at a part of a batch: Ray names processes after what they do."""
        return any(_command(pid).startswith(b"ray::answer_part") for pid in pids_of(self._mark))

    def kill(self) -> None:
        """Ends all of it at once, as a machine that loses its power."""
        end_all(self._mark)


class Cluster:
    """A head with so many cores, and what is added to it; all of it ends with the `with`, or with its process.

    Args:
        cpus: that the head offers.
        environment: more variables for all processes.
    """

    def __init__(self, cpus: int, environment: dict[str, str] | None = None) -> None:
        with socket.socket() as free:
            free.bind((HOST, 0))
            self.address = f"{HOST}:{free.getsockname()[1]}"
        quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ADDRESS": "", "OMP_NUM_THREADS": "1"}
        quiet |= {"RAY_raylet_start_wait_time_s": str(PATIENCE_S)}  # a machine with other work starts slowly
        quiet |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}  # Ray does not keep to HOST
        identity = uuid.uuid4().hex
        self._mark = f"{CLUSTER_MARK}={identity}"
        self._environment = os.environ | quiet | (environment or {}) | {CLUSTER_MARK: identity}
        self.environment = self._environment | {"RAY_ADDRESS": self.address}
        self._cpus = cpus

    def __enter__(self) -> "Cluster":
        port = self.address.rpartition(":")[2]
        self._folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # names of sockets must be short
        self._guard = subprocess.Popen(
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
        self._guard.communicate()  # ends what it guards
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, cpus: int = 1) -> Node:
        """One node more."""
        return self._start(f"--address={self.address}", cpus=cpus)

    def _start(self, *words: str, cpus: int) -> Node:
        return Node(*words, f"--num-cpus={cpus}", environment=self._environment)


def pids_of(mark: str) -> list[int]:
    """The living processes that have a mark in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:  # ended meanwhile, or somebody else's
            continue
    return found


def end_all(mark: str) -> None:
    """Kills the processes with a mark, and those that they start meanwhile.

    Raises:
        RuntimeError: some of them live on.
    """
    end_s = time.monotonic() + PATIENCE_S
    while pids := pids_of(mark):
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > end_s:
            raise RuntimeError(f"cannot kill {pids}")
        time.sleep(0.05)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


if __name__ == "__main__":
    sys.stdin.read()
    end_all(sys.argv[1])
