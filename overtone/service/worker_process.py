"""The service's handle of one worker process: starts it, sends it tasks, and kills it."""

import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

from overtone.service.ipc import Channel, Message

EXIT_TIMEOUT_S = 60.0  # for a process whose channel is closed


class WorkerProcess:
    """A running program that speaks the protocol of `overtone.service.worker`.

    Args:
        command: command line that starts it.

    Attributes:
        channel: the connection to it.
    """

    def __init__(self, command: tuple[str, ...]) -> None:
        service_socket, worker_socket = socket.socketpair()
        try:
            with worker_socket:
                self._process = subprocess.Popen(
                    command, stdin=worker_socket.fileno(), stdout=subprocess.DEVNULL, start_new_session=True
                )
        except OSError:
            service_socket.close()
            raise
        self.channel = Channel(service_socket)

    def run_task(
        self, task: Message, payload: bytes, timeout_s: float, on_message: Callable[[Message], None]
    ) -> tuple[Message, bytes]:
        """Run a task and return its reply.

        Args:
            task: name and parameters of the task.
            payload: binary data of the task.
            timeout_s: time limit.
            on_message: called with each progress message before the reply.

        Raises:
            TimeoutError: the task takes longer than the limit.
            ConnectionError: the process has died.
        """
        deadline_s = time.monotonic() + timeout_s
        self.channel.send(task, payload, timeout_s)
        while True:
            message, content = self.channel.receive(max(1e-3, deadline_s - time.monotonic()))
            if "processed_s" not in message:
                return message, content
            on_message(message)

    @property
    def alive(self) -> bool:
        """Whether the process is running."""
        return self._process.poll() is None

    def cause_of_death(self) -> str:
        """Return the signal or the exit code that ended the process."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(EXIT_TIMEOUT_S)
        code = self._process.returncode or 0
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def stop(self) -> None:
        """Kill the process from any thread; the thread that serves it gets a `ConnectionError`."""
        self._process.kill()

    def kill(self) -> None:
        """Kill the process, wait for its end and close the channel; for the thread that serves it."""
        self._process.kill()
        self._process.wait()
        self.channel.close()
