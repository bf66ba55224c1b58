"""A pool of worker processes that run tasks; a process that crashes or hangs is replaced.

    pool = WorkerPool(config, workers=2)
    pool.submit({"task": "recognise", ...}, payload, timeout_s=20).result()

Each process is served by a thread of the service. A task whose process dies is tried in a second one. If that dies too,
or the task exceeds its time limit, the task fails and the service continues.
"""

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from overtone.errors import ModelError, OptionError, OvertoneError, ServiceError
from overtone.service.ipc import Message
from overtone.service.worker_process import WorkerProcess

COMMAND = (sys.executable, "-m", "overtone.service.worker")
UNLIMITED = 1_000_000  # queued tasks
MAX_ATTEMPTS = 2  # a task at which that many processes have died fails
START_TIMEOUT_S = 60.0
MIN_BACKOFF_S = 0.1  # before a process is started again
MAX_BACKOFF_S = 30.0
POLL_INTERVAL_S = 0.5  # between two checks whether an idle process is alive
STOPPED = "the service has stopped; try again later"


class TaskFailedError(ServiceError):
    """The task crashes its worker process, or exceeds its time limit."""


class OverloadedError(ServiceError):
    """The queue is full, the task waited too long in it, or the service is shutting down."""


class CancelledTaskError(ServiceError):
    """The caller does not want the result of the task any more."""


def no_payload() -> bytes:
    """Return an empty payload."""
    return b""


@dataclass
class Task:
    """A task in the queue or in progress.

    Attributes:
        message: name and parameters of the task.
        payload: returns the binary data; called when the task starts.
        timeout_s: time that the task may take.
        on_message: called with each progress message; the task ends when it raises `CancelledTaskError`.
        expires_s: latest start, on the monotonic clock.
        result: the reply, or the error.
        deaths: processes that died at this task.
    """

    message: Message
    payload: Callable[[], bytes]
    timeout_s: float
    on_message: Callable[[Message], None]
    expires_s: float
    result: Future[tuple[Message, bytes]] = field(default_factory=Future)
    deaths: int = 0


class WorkerPool:
    """Worker processes and the queue of tasks for them.

    Args:
        config: first message to each worker: model, uncertain_below, emotions, branches, nice.
        workers: number of processes.
        max_queue: tasks that may wait.
        command: command line that starts a worker.

    Attributes:
        card: the model card that the workers report; empty until one is ready.
        deaths: processes that have died or hung.
        busy: processes that run a task.
    """

    def __init__(
        self, config: Message, workers: int, max_queue: int = UNLIMITED, command: tuple[str, ...] = COMMAND
    ) -> None:
        self.card: dict[str, Any] = {}
        self.deaths = 0
        self.busy = 0
        self._config, self._max_queue, self._command = config, max_queue, command
        self._tasks: deque[Task] = deque()
        self._changed = threading.Condition()
        self._closing = False
        self._model_error: OvertoneError | None = None
        self._start_error = ""
        self._processes: list[WorkerProcess | None] = [None] * workers
        self._threads = [threading.Thread(target=self._serve, args=(index,), daemon=True) for index in range(workers)]
        for thread in self._threads:
            thread.start()

    @property
    def queue_length(self) -> int:
        """Number of tasks that wait for a process."""
        return len(self._tasks)

    @property
    def full(self) -> bool:
        """Whether the queue is full."""
        return len(self._tasks) >= self._max_queue

    @property
    def ready(self) -> bool:
        """Whether at least one process can run tasks."""
        return not self._closing and any(self._processes)

    def wait_until_ready(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait for the first process to be ready.

        Raises:
            ModelError: the workers cannot load the model.
            OptionError: it lacks a class or a branch.
            OvertoneError: no process is ready in time.
        """
        with self._changed:
            self._changed.wait_for(lambda: any(self._processes) or self._model_error, timeout_s)
            if self._model_error:
                raise self._model_error
            if not any(self._processes):
                raise OvertoneError(f"service: no worker has started within {timeout_s:.0f} s: {self._start_error}")

    def submit(
        self,
        message: Message,
        payload: Callable[[], bytes] = no_payload,
        *,
        timeout_s: float,
        max_wait_s: float = float("inf"),
        on_message: Callable[[Message], None] = lambda message: None,
    ) -> Future[tuple[Message, bytes]]:
        """Queue a task and return a future of its reply: a message and a payload.

        The future fails with `TaskFailedError`, `OverloadedError`, `CancelledTaskError` or an error of `on_message`.

        Args:
            message: name and parameters of the task.
            payload: returns the binary data; called when the task starts.
            timeout_s: time that the task may take.
            max_wait_s: time that it may wait in the queue.
            on_message: called with each progress message; the task ends when it raises `CancelledTaskError`.

        Raises:
            OverloadedError: the queue is full, or the service is shutting down.
        """
        task = Task(message, payload, timeout_s, on_message, time.monotonic() + max_wait_s)
        with self._changed:
            if self.full or self._closing:
                raise OverloadedError("the service is at its limit; try again later")
            self._tasks.append(task)
            self._changed.notify()
        return task.result

    def close(self, timeout_s: float) -> None:
        """Refuse new tasks, wait for the accepted ones, and end the processes."""
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(max(0.0, deadline_s - time.monotonic()))
        for process in self._processes:
            if process is not None:
                process.stop()
        for thread in self._threads:
            thread.join(START_TIMEOUT_S)
        while self._tasks:
            task = self._tasks.popleft()
            if not task.result.cancelled():
                task.result.set_exception(OverloadedError(STOPPED))

    def _serve(self, index: int) -> None:
        """Keep one process running and give it tasks; the body of each thread."""
        backoff_s = MIN_BACKOFF_S
        while not self._closing:
            try:
                process = self._start_process(index)
            except OSError as error:  # it died or hung at the start, or the system allows no more processes
                self._start_error = str(error)
                self._wait_unless_closing(backoff_s)
                backoff_s = min(2 * backoff_s, MAX_BACKOFF_S)
                continue
            if process is None:
                return
            while (task := self._next_task(process)) is not None and self._run(process, task):
                backoff_s = MIN_BACKOFF_S
            self._processes[index] = None
            process.kill()
            if task is None and not self._closing:  # it died while idle
                self.deaths += 1
                self._wait_unless_closing(backoff_s)
                backoff_s = min(2 * backoff_s, MAX_BACKOFF_S)

    def _start_process(self, index: int) -> WorkerProcess | None:
        """Start a process and return it once it is ready; None if it cannot load the model."""
        process = WorkerProcess(self._command)
        try:
            process.channel.send(self._config)
            reply, _ = process.channel.receive(START_TIMEOUT_S)
        except OSError:
            process.kill()
            raise
        with self._changed:
            self._model_error = _load_error(reply)
            self.card = reply.get("ready", self.card)
            self._processes[index] = None if self._model_error else process
            self._changed.notify_all()
        if self._model_error:
            process.kill()
        return self._processes[index]

    def _wait_unless_closing(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing, seconds)

    def _next_task(self, process: WorkerProcess) -> Task | None:
        """Return the next task for a process; None when the service shuts down or the process has died."""
        while True:
            with self._changed:
                while not self._tasks and not self._closing and process.alive:
                    self._changed.wait(POLL_INTERVAL_S)
                if not self._tasks or not process.alive:
                    return None
                task = self._tasks.popleft()
            if task.deaths == 0 and not task.result.set_running_or_notify_cancel():
                continue
            if time.monotonic() > task.expires_s:
                task.result.set_exception(OverloadedError("the service is overloaded; try again later"))
                continue
            return task

    def _run(self, process: WorkerProcess, task: Task) -> bool:
        """Run a task and return whether the process can take another one."""
        try:
            payload = task.payload()
        except Exception as error:  # such as a file closed by a caller that has given up
            task.result.set_exception(CancelledTaskError(str(error)))
            return True
        with self._changed:
            self.busy += 1
        try:
            result = process.run_task(task.message, payload, task.timeout_s, task.on_message)
        except ConnectionError:
            self._on_worker_death(process, task)
        except TimeoutError:
            self.deaths += 1
            task.result.set_exception(
                TaskFailedError(f"takes longer than {task.timeout_s:.0f} s; cut it, or convert it first")
            )
        except Exception as error:  # raised by on_message
            task.result.set_exception(error)
        else:
            task.result.set_result(result)
            return True
        finally:
            with self._changed:
                self.busy -= 1
        return False

    def _on_worker_death(self, process: WorkerProcess, task: Task) -> None:
        """Queue the task again for another process, or fail it after `MAX_ATTEMPTS` deaths."""
        if self._closing:
            task.result.set_exception(OverloadedError(STOPPED))
            return
        self.deaths += 1
        task.deaths += 1
        cause = process.cause_of_death()
        if task.deaths < MAX_ATTEMPTS:
            with self._changed:
                self._tasks.appendleft(task)
                self._changed.notify()
        else:
            task.result.set_exception(
                TaskFailedError(
                    f"crashes the decoder, or needs too much memory ({cause}); try: ffmpeg -i INPUT OUTPUT.wav"
                )
            )


def _load_error(reply: Message) -> OvertoneError | None:
    """Return the error of a worker that could not load the model; None if it is ready."""
    if "failed" not in reply:
        return None
    return OptionError(reply["failed"]) if reply.get("is_option_error") else ModelError(reply["failed"])
