"""A worker's process, seen from the service."""

import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress

from overtone.service.ipc import Channel, Message

END_S = 60.0  # for a process whose channel is closed to be gone


class WorkerProcess:
    """A program that speaks as `overtone.service.worker` does.

    Args:
        command: that starts it.
    """

    def __init__(self, command: tuple[str, ...]) -> None:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = subprocess.Popen(
                    command, stdin=theirs.fileno(), stdout=subprocess.DEVNULL, start_new_session=True
                )
        except OSError:
            ours.close()
            raise
        self.channel = Channel(ours)

    def run_task(
        self, task: Message, payload: bytes, within_s: float, on_message: Callable[[Message], None]
    ) -> tuple[Message, bytes]:
        """The result of a task.

        Args:
            task: what to do.
            payload: the bytes beside it.
            within_s: how long it may take.
            on_message: told what comes before the result.

        Raises:
            TimeoutError: it takes longer.
            ConnectionError: the process has died.
        """
        until = time.monotonic() + within_s
        self.channel.send(task, payload, within_s)
        while True:
            message, content = self.channel.receive(max(1e-3, until - time.monotonic()))
            if "processed_s" not in message:
                return message, content
            on_message(message)

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def cause_of_death(self) -> str:
        """What it died of."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)
        code = self._process.returncode or 0
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def stop(self) -> None:
        """Ends it; its thread learns so."""
        self._process.kill()

    def kill(self) -> None:
        """Ends it, from its own thread."""
        self._process.kill()
        self._process.wait()
        self.channel.close()
