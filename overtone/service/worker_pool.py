"""Tasks -> results, by a few processes of which any may crash or hang: it is replaced, and costs the task it was at.

    pool = Pool(setting, workers=2)
    pool.submit({"do": "recognise", ...}, payload, within_s=20).result()

Each process has a thread here that speaks with it. A task at which a process dies is given to a second one; if that
dies too, or one takes longer than it may, the task has failed and not the service.
"""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from overtone.errors import ModelError, OvertoneError, ServiceError
from overtone.service.ipc import Message
from overtone.service.worker_process import WorkerProcess

COMMAND = (sys.executable, "-m", "overtone.service.worker")
MAX_ATTEMPTS = 2  # deaths after which a task is given up
START_S = 60.0
MAX_BACKOFF_S = 30.0  # between two attempts to start a process that does not come to life
MIN_BACKOFF_S = 0.1
LOOK_S = 0.5  # between two looks at a process that has nothing to do
ENDED = "the service has ended; try again later"


class TaskFailedError(ServiceError):
    """A task that kills who works on it, or takes longer than it may."""


class OverloadedError(ServiceError):
    """No more tasks may wait, or one has waited for too long."""


class CancelledTaskError(ServiceError):
    """Nobody wants the result of the task any more."""


def nothing() -> bytes:
    """No payload."""
    return b""


@dataclass
class Task:
    """Something to do, for whoever is free.

    Attributes:
        message: says what.
        payload: gives the bytes beside it, once they are needed.
        within_s: how long it may take.
        on_message: told what comes before the result; where it raises `CancelledTaskError`, the work ends.
        expires_s: on the monotonic clock: when it is too late to begin.
    """

    message: Message
    payload: Callable[[], bytes]
    within_s: float
    on_message: Callable[[Message], None]
    expires_s: float
    result: Future[tuple[Message, bytes]] = field(default_factory=Future)
    deaths: int = 0


class WorkerPool:
    """The processes and the tasks that wait for them.

    Args:
        setting: what each is told first: model, uncertain_below, nice.
        workers: how many.
        waiting: tasks that may wait.
        command: that starts one.
    """

    def __init__(
        self, setting: Message, workers: int, waiting: int = 1_000_000, command: tuple[str, ...] = COMMAND
    ) -> None:
        self.card: dict[str, Any] = {}
        self.deaths = 0
        self.busy = 0
        self._setting, self._most, self._command = setting, waiting, command
        self._tasks: deque[Task] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._failed = self._trouble = ""
        self._crew: list[WorkerProcess | None] = [None] * workers
        self._threads = [threading.Thread(target=self._serve, args=(place,), daemon=True) for place in range(workers)]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Tasks that nobody works on yet."""
        return len(self._tasks)

    @property
    def full(self) -> bool:
        """Whether no more tasks may wait."""
        return len(self._tasks) >= self._most

    @property
    def ready(self) -> bool:
        """Whether anybody is there to work."""
        return not self._closing and any(self._crew)

    def wait_until_ready(self, within_s: float = START_S) -> None:
        """Waits for the first process.

        Raises:
            ModelError: it cannot do its work.
            OvertoneError: it does not come to life.
        """
        with self._changed:
            self._changed.wait_for(lambda: any(self._crew) or self._failed, within_s)
            if self._failed:
                raise ModelError(self._failed)
            if not any(self._crew):
                raise OvertoneError(f"service: no worker has come to life within {within_s:.0f} s: {self._trouble}")

    def submit(
        self,
        message: Message,
        payload: Callable[[], bytes] = nothing,
        *,
        within_s: float,
        waits_s: float = float("inf"),
        on_message: Callable[[Message], None] = lambda message: None,
    ) -> Future[tuple[Message, bytes]]:
        """The result to be of a task: a message and bytes. It fails with `TaskFailedError`, `OverloadedError` or `CancelledTaskError`.

        Args:
            message: what to do.
            payload: gives the bytes beside it, once they are needed.
            within_s: how long the work may take.
            waits_s: how long it may wait before.
            on_message: told what comes before the result; where it raises `CancelledTaskError`, the work ends.

        Raises:
            BusyError: too many wait already, or the service is about to end.
        """
        task = Task(message, payload, within_s, on_message, time.monotonic() + waits_s)
        with self._changed:
            if self.full or self._closing:
                raise OverloadedError("the service has all it can do; try again later")
            self._tasks.append(task)
            self._changed.notify()
        return task.result

    def close(self, within_s: float) -> None:
        """Takes no more tasks, waits for those it has, and ends the processes."""
        until = time.monotonic() + within_s
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        for process in self._crew:
            if process is not None:
                process.stop()
        for thread in self._threads:
            thread.join(START_S)
        while self._tasks:
            task = self._tasks.popleft()
            if not task.result.cancelled():
                task.result.set_exception(OverloadedError(ENDED))

    def _serve(self, place: int) -> None:
        """What a thread does: keeps one process alive and gives it tasks."""
        break_s = MIN_BACKOFF_S
        while not self._closing:
            try:
                process = self._started(place)
            except OSError as error:  # it died or hung as it started, or there is no room for another process
                self._trouble = str(error)
                self._closed_within(break_s)
                break_s = min(2 * break_s, MAX_BACKOFF_S)
                continue
            if process is None:
                return
            while (task := self._next(process)) is not None and self._done(process, task):
                break_s = MIN_BACKOFF_S
            self._crew[place] = None
            process.kill()
            if task is None and not self._closing:  # it has died of nothing that it was asked
                self.deaths += 1
                self._closed_within(break_s)
                break_s = min(2 * break_s, MAX_BACKOFF_S)

    def _started(self, place: int) -> "WorkerProcess | None":
        """A process that is ready; None where it cannot do its work at all."""
        process = WorkerProcess(self._command)
        try:
            process.channel.send(self._setting)
            told, _ = process.channel.receive(START_S)
        except OSError:
            process.kill()
            raise
        with self._changed:
            self._failed = told.get("failed", "")
            self.card = told.get("ready", self.card)
            self._crew[place] = None if self._failed else process
            self._changed.notify_all()
        if self._failed:
            process.kill()
        return self._crew[place]

    def _closed_within(self, break_s: float) -> None:
        """Waits for so long, unless the service ends."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing, break_s)

    def _next(self, process: "WorkerProcess") -> Task | None:
        """The next task for a process; None when the service ends, or the process has."""
        while True:
            with self._changed:
                while not self._tasks and not self._closing and process.alive:
                    self._changed.wait(LOOK_S)
                if not self._tasks or not process.alive:
                    return None
                task = self._tasks.popleft()
            if task.deaths == 0 and not task.result.set_running_or_notify_cancel():
                continue
            if time.monotonic() > task.expires_s:
                task.result.set_exception(OverloadedError("the service has too much to do; try again later"))
                continue
            return task

    def _done(self, process: "WorkerProcess", task: Task) -> bool:
        """Whether the process lives on after the task."""
        try:
            payload = task.payload()
        except Exception as error:  # such as a file that was closed by who has given up waiting
            task.result.set_exception(CancelledTaskError(str(error)))
            return True
        with self._changed:
            self.busy += 1
        try:
            result = process.run_task(task.message, payload, task.within_s, task.on_message)
        except ConnectionError:
            self._on_worker_death(process, task)
        except TimeoutError:
            self.deaths += 1
            task.result.set_exception(
                TaskFailedError(f"takes longer than {task.within_s:.0f} s; cut it, or convert it first")
            )
        except Exception as error:  # of who was told on the way
            task.result.set_exception(error)
        else:
            task.result.set_result(result)
            return True
        finally:
            with self._changed:
                self.busy -= 1
        return False

    def _on_worker_death(self, process: "WorkerProcess", task: Task) -> None:
        """Gives the task to another process, or up."""
        if self._closing:
            task.result.set_exception(OverloadedError(ENDED))
            return
        self.deaths += 1
        task.deaths += 1
        how = process.cause_of_death()
        if task.deaths < MAX_ATTEMPTS:
            with self._changed:
                self._tasks.appendleft(task)
                self._changed.notify()
        else:
            task.result.set_exception(
                TaskFailedError(
                    f"crashes the decoder, or needs too much memory ({how}); try: ffmpeg -i INPUT OUTPUT.wav"
                )
            )
