"""A pool of worker processes that survives the death of any of them: killed for lack of memory, or by a decoder crash.

    for number, result in run_tasks(make_task_function, tasks, processes=4):    # in order of completion
        ...

Tasks and results are sent as JSON. A worker reports every result at once, so its death affects only the task in
progress. A second worker retries that task; if it dies as well, the result is a `WorkerDied`.
"""

import json
import multiprocessing
import signal
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

from overtone.errors import OvertoneError

TASKS_PER_WORKER = 2  # one in progress, and one to start without waiting for the parent process
MAX_ATTEMPTS = 2  # worker deaths after which a task fails
MAX_FAILED_STARTS = 3  # consecutive; more cannot be a coincidence
EXIT_TIMEOUT_S = 10.0

TaskFunction = Callable[[Any], Any]  # task -> result, both JSON values


class WorkerDied(NamedTuple):
    """The result of a task whose workers died.

    Attributes:
        reason: a signal name or an exit code.
    """

    reason: str


class Worker:
    """A process that runs one task after the other.

    Args:
        make_task_function: returns the function that runs a task; called in the process, which imports it by name.
    """

    def __init__(self, make_task_function: Callable[[], TaskFunction]) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy the locks of onnxruntime's threads
        self.connection, worker_connection = context.Pipe()
        self._process = context.Process(target=_worker_main, args=(worker_connection, make_task_function), daemon=True)
        with _sigint_blocked():
            self._process.start()
        worker_connection.close()
        self.assigned: deque[tuple[int, Any]] = deque()
        self.ready = False

    def send(self, number: int, task: Any) -> None:
        """Assign one more task to the worker."""
        self.assigned.append((number, task))
        with suppress(ConnectionError):  # a dead worker is detected when its connection is read
            self.connection.send_bytes(json.dumps(task).encode())

    def exit_reason(self) -> str:
        """Return why a dead worker ended: the name of a signal or its exit code."""
        self._process.join(EXIT_TIMEOUT_S)  # the connection is closed, but the process may still be exiting
        code = self._process.exitcode or 0
        self.stop()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def stop(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self.connection.close()


def run_tasks(
    make_task_function: Callable[[], TaskFunction], tasks: Iterable[tuple[int, Any]], processes: int
) -> Iterator[tuple[int, Any]]:
    """Yield the number and the result of each task, in order of completion.

    Args:
        make_task_function: returns the function that runs a task; a module-level function, or a `functools.partial`
            of one.
        tasks: number and task, a JSON value.
        processes: the maximum number of worker processes.

    Raises:
        OvertoneError: raised by `make_task_function`, or no worker starts.
    """
    pool = _Pool(make_task_function, tasks, processes)
    try:
        while pool.has_pending():
            for worker in pool.readable_workers():
                message = _receive(worker)
                if message is None:
                    yield from pool.reap(worker)
                elif "failed" in message:
                    raise OvertoneError(message["failed"])
                elif "ready" in message:
                    worker.ready = True
                    pool.dispatch(worker)
                else:
                    number, _ = worker.assigned.popleft()
                    pool.dispatch(worker)
                    yield number, message["result"]
    finally:
        pool.stop()


class _Pool:
    """The workers, and the tasks that are not assigned to one."""

    def __init__(
        self, make_task_function: Callable[[], TaskFunction], tasks: Iterable[tuple[int, Any]], processes: int
    ) -> None:
        self._make_task_function = make_task_function
        self._processes = processes
        self._tasks = iter(tasks)
        self._returned: deque[tuple[int, Any]] = deque()  # tasks of dead workers
        self._deaths: Counter[int] = Counter()
        self._failed_starts = 0
        self._workers: list[Worker] = []

    def has_pending(self) -> bool:
        """Start workers for unassigned tasks, up to the maximum, and return whether any task is in progress."""
        while len(self._workers) < self._processes and (task := self._next_task()) is not None:
            self._workers.append(Worker(self._make_task_function))
            self._workers[-1].send(*task)
        return any(worker.assigned for worker in self._workers)

    def readable_workers(self) -> list[Worker]:
        """Wait for workers that have sent a message or died, and return them."""
        readable = wait([worker.connection for worker in self._workers])
        return [worker for worker in self._workers if worker.connection in readable]

    def dispatch(self, worker: Worker) -> None:
        """Fill the task queue of a worker."""
        while len(worker.assigned) < TASKS_PER_WORKER and (task := self._next_task()) is not None:
            worker.send(*task)

    def reap(self, worker: Worker) -> Iterator[tuple[int, WorkerDied]]:
        """Take back the tasks of a dead worker; yield the result of the task in progress if it has no attempt left."""
        self._workers.remove(worker)
        reason = worker.exit_reason()
        self._failed_starts = 0 if worker.ready else self._failed_starts + 1
        if self._failed_starts == MAX_FAILED_STARTS:
            raise OvertoneError(
                f"a worker process dies during startup ({reason}); if memory is short, try fewer processes"
            )
        if worker.ready and worker.assigned:
            number, _ = worker.assigned[0]
            self._deaths[number] += 1
            if self._deaths[number] == MAX_ATTEMPTS:
                worker.assigned.popleft()
                yield number, WorkerDied(reason)
        self._returned.extend(worker.assigned)

    def stop(self) -> None:
        """Kill all workers."""
        for worker in self._workers:
            worker.stop()

    def _next_task(self) -> tuple[int, Any] | None:
        return self._returned.popleft() if self._returned else next(self._tasks, None)


def _receive(worker: Worker) -> dict[str, Any] | None:
    """Return the next message of a worker, or None if it has died."""
    try:
        return json.loads(worker.connection.recv_bytes())
    except (EOFError, OSError):
        return None


def _worker_main(connection: Connection, make_task_function: Callable[[], TaskFunction]) -> None:
    """Run tasks until the parent process closes the connection or ends, however it ends."""

    def send(**message: Any) -> None:
        connection.send_bytes(json.dumps(message).encode())

    with suppress(EOFError, ConnectionError):
        try:
            run_task = make_task_function()
        except OvertoneError as error:
            send(failed=str(error))
            return
        send(ready=True)
        while True:
            send(result=run_task(json.loads(connection.recv_bytes())))


@contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Block SIGINT in processes started here: a terminal sends it to all of them, but the parent stops its workers."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # multiprocessing would start it here, and unblock SIGINT by doing so
    previous = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, previous)
