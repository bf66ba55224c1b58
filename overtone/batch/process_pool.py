"""Tasks -> results, by processes of which any may die: killed for its memory, or by a decoder that crashes.

    for number, result in results(make, tasks, jobs=4):    # as they come, not in order
        ...

Tasks and results travel as JSON. A worker says what it has done after every task, so that a death costs the one task
that it was at; that one is given to a second worker, and only if it dies of it too is the result a `WorkerDied`.
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

AHEAD = 2  # tasks a worker has at hand: one it is at and one to go on with at once
MAX_ATTEMPTS = 2  # deaths after which a task is given up
FAILED_STARTS = 3  # in a row, after which it is not the fault of chance
PATIENCE_S = 10.0

Work = Callable[[Any], Any]


class WorkerDied(NamedTuple):
    """Instead of the result of a task: what its workers died of."""

    how: str


class Worker:
    """A process that does one task after the other.

    Args:
        make: gives what does a task; called in the process, which imports it by name.
    """

    def __init__(self, make: Callable[[], Work]) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would inherit the threads of onnxruntime, half dead
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs, make), daemon=True)
        with _ctrl_c_held():
            self._process.start()
        theirs.close()
        self.asked: deque[tuple[int, Any]] = deque()
        self.ready = False

    def ask(self, number: int, task: Any) -> None:
        """Gives it one more task."""
        self.asked.append((number, task))
        with suppress(ConnectionError):  # it has died, which is seen when it is read from
            self.connection.send_bytes(json.dumps(task).encode())

    def cause_of_death(self) -> str:
        """What it died of, as the name of a signal or its exit code."""
        self._process.join(PATIENCE_S)  # it has closed the connection, and may still be about to end
        code = self._process.exitcode or 0
        self.stop()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"

    def stop(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self.connection.close()


def results(make: Callable[[], Work], tasks: Iterable[tuple[int, Any]], jobs: int) -> Iterator[tuple[int, Any]]:
    """Number and result of each task, in the order in which they are done.

    Args:
        make: gives what does a task; a function of a module, or a `functools.partial` of one.
        tasks: number and what is to be done, as JSON knows it.
        jobs: processes at most.

    Raises:
        OvertoneError: raised by `make`, or no worker comes to life.
    """
    crew = _Crew(make, tasks, jobs)
    try:
        while crew.has_pending():
            for worker in crew.readable_workers():
                message = _received(worker)
                if message is None:
                    yield from crew.reap(worker)
                elif "failed" in message:
                    raise OvertoneError(message["failed"])
                elif "ready" in message:
                    worker.ready = True
                    crew.dispatch(worker)
                else:
                    number, _ = worker.asked.popleft()
                    crew.dispatch(worker)
                    yield number, message["result"]
    finally:
        crew.stop()


class _Crew:
    """The workers, and the tasks that none of them has yet."""

    def __init__(self, make: Callable[[], Work], tasks: Iterable[tuple[int, Any]], jobs: int) -> None:
        self._make = make
        self._jobs = jobs
        self._left = iter(tasks)
        self._back: deque[tuple[int, Any]] = deque()  # from workers that died
        self._deaths: Counter[int] = Counter()
        self._failed_starts = 0
        self._workers: list[Worker] = []

    def has_pending(self) -> bool:
        """Whether anything is left to wait for; there are as many workers then as there is work for."""
        while len(self._workers) < self._jobs and (task := self._following()) is not None:
            self._workers.append(Worker(self._make))
            self._workers[-1].ask(*task)
        return any(worker.asked for worker in self._workers)

    def readable_workers(self) -> list[Worker]:
        """Waits for workers that have something to say, or have died."""
        heard = wait([worker.connection for worker in self._workers])
        return [worker for worker in self._workers if worker.connection in heard]

    def dispatch(self, worker: Worker) -> None:
        """Gives it what it can have at hand."""
        while len(worker.asked) < AHEAD and (task := self._following()) is not None:
            worker.ask(*task)

    def reap(self, worker: Worker) -> Iterator[tuple[int, WorkerDied]]:
        """Takes back the tasks of a worker that has died; the one it was at only if it was the first to die of it."""
        self._workers.remove(worker)
        how = worker.cause_of_death()
        self._failed_starts = 0 if worker.ready else self._failed_starts + 1
        if self._failed_starts == FAILED_STARTS:
            raise OvertoneError(f"jobs: a process dies while it starts ({how}); fewer need less memory")
        if worker.ready and worker.asked:
            number, _ = worker.asked[0]
            self._deaths[number] += 1
            if self._deaths[number] == MAX_ATTEMPTS:
                worker.asked.popleft()
                yield number, WorkerDied(how)
        self._back.extend(worker.asked)

    def stop(self) -> None:
        """Ends all processes."""
        for worker in self._workers:
            worker.stop()

    def _following(self) -> tuple[int, Any] | None:
        return self._back.popleft() if self._back else next(self._left, None)


def _received(worker: Worker) -> dict[str, Any] | None:
    """The next message; None from a worker that has died."""
    try:
        return json.loads(worker.connection.recv_bytes())
    except (EOFError, OSError):
        return None


def _work(connection: Connection, make: Callable[[], Work]) -> None:
    """What a worker does: ends with the process that started it, however that ends."""

    def send(**message: Any) -> None:
        connection.send_bytes(json.dumps(message).encode())

    with suppress(EOFError, ConnectionError):
        try:
            work = make()
        except OvertoneError as error:
            send(failed=str(error))
            return
        send(ready=True)
        while True:
            send(result=work(json.loads(connection.recv_bytes())))


@contextmanager
def _ctrl_c_held() -> Iterator[None]:
    """Processes started in here never see Ctrl-C: it goes to all that a terminal runs, and the first one stops them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # multiprocessing would start it in here, and let Ctrl-C through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
