"""The whole service without its doors: opened, used by whoever stands at a door, closed."""

import threading
from pathlib import Path
from typing import Any

from overtone.service.ipc import Message
from overtone.service.job_runner import JobRunner, clean_spool
from overtone.service.job_store import JobStore
from overtone.service.settings import Settings
from overtone.service.worker_pool import COMMAND, OverloadedError, WorkerPool

FIRST = 0
BEHIND = 10  # niceness: jobs take what clips and streams leave


class ServiceBackend:
    """What the service consists of.

    Args:
        settings: how it is set up.
        command: that starts a worker.

    Attributes:
        pool: for clips.
        store: jobs and first answers.
        runner: works on jobs.
        spool: folder of uploads that wait.

    Raises:
        OvertoneError: the folder cannot be used.
    """

    def __init__(self, settings: Settings, command: tuple[str, ...] = COMMAND) -> None:
        self.settings = settings
        self._command = command
        self.pool = self._pool(settings.workers, FIRST, settings.waiting)  # first: they start while the rest is made
        try:
            self.store = JobStore(settings.folder)
            self.spool: Path = settings.folder / "spool"
            clean_spool(self.spool, self.store.unfinished())
        except BaseException:
            self.pool.close(0)
            raise
        self._lock = threading.Lock()
        self._listeners: list[WorkerPool] = []
        self._background: list[WorkerPool] = []
        self.closing = False
        self.runner = JobRunner(self.store, self._timelines, self.spool, settings)

    @property
    def card(self) -> dict[str, Any]:
        """What the model file says of itself."""
        return self.pool.card

    @property
    def pools(self) -> dict[str, list[WorkerPool]]:
        """All pools, by what they do."""
        return {"clips": [self.pool], "timelines": self._background, "streams": self._listeners}

    def stream_pools(self) -> list[WorkerPool]:
        """Pools of one process each, which hear streams; started when they are first asked for."""
        with self._lock:
            while len(self._listeners) < self.settings.stream_workers and not self.closing:
                self._listeners.append(self._pool(1, FIRST))
            return self._listeners

    def _timelines(self) -> WorkerPool:
        """The pool for jobs; started with the first one.

        Raises:
            BusyError: the service ends.
        """
        with self._lock:
            if self.closing:
                raise OverloadedError("the service is about to end")
            if not self._background:
                self._background.append(self._pool(self.settings.timeline_workers, BEHIND))
            return self._background[0]

    def close(self) -> None:
        """Finishes what was taken, for as long as the settings allow; jobs that are not done stay in the store."""
        with self._lock:
            self.closing = True
        self.runner.stop()
        ending = [
            threading.Thread(target=pool.close, args=(self.settings.grace_s,))
            for pools in self.pools.values()
            for pool in pools
        ]
        for thread in ending:
            thread.start()
        for thread in ending:
            thread.join()
        self.runner.join()
        self.store.close()

    def _pool(self, workers: int, nice: int, waiting: int = 1_000_000) -> WorkerPool:
        setting: Message = {
            "model": self.settings.model,
            "uncertain_below": self.settings.uncertain_below,
            "nice": nice,
        }
        return WorkerPool(setting, workers, waiting, self._command)
