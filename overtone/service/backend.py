"""The service behind the HTTP API: worker pools, job store and job runner, started and closed together."""

import threading
from pathlib import Path
from typing import Any

from overtone.service.ipc import Message
from overtone.service.job_runner import JobRunner, clean_spool
from overtone.service.job_store import JobStore
from overtone.service.settings import Settings
from overtone.service.worker_pool import COMMAND, UNLIMITED, OverloadedError, WorkerPool

NORMAL_NICENESS = 0
JOB_NICENESS = 10  # jobs get the CPU time that clips and streams leave


class ServiceBackend:
    """Worker pools, job store and job runner of one service.

    Args:
        settings: limits and folders.
        command: command line that starts a worker.

    Attributes:
        settings: limits and folders.
        pool: workers for clips.
        store: jobs and stored responses.
        runner: runs queued jobs.
        spool: folder of uploads that belong to unfinished jobs.
        closing: whether the service is shutting down.

    Raises:
        OvertoneError: the data folder cannot be used.
    """

    def __init__(self, settings: Settings, command: tuple[str, ...] = COMMAND) -> None:
        self.settings = settings
        self._command = command
        # The clip workers load their model while the rest is set up.
        self.pool = self._start_pool(settings.workers, NORMAL_NICENESS, settings.max_queue)
        try:
            self.store = JobStore(settings.folder)
            self.spool: Path = settings.folder / "spool"
            clean_spool(self.spool, self.store.unfinished_ids())
        except BaseException:
            self.pool.close(0)
            raise
        self._lock = threading.Lock()
        self._stream_pools: list[WorkerPool] = []
        self._timeline_pools: list[WorkerPool] = []
        self.closing = False
        self.runner = JobRunner(self.store, self._timeline_pool, self.spool, settings)

    @property
    def card(self) -> dict[str, Any]:
        """The model card, with the uncertainty threshold in use as `uncertain_below`."""
        return self.pool.card

    @property
    def pools(self) -> dict[str, list[WorkerPool]]:
        """All running pools by purpose: clips, timelines, streams."""
        return {"clips": [self.pool], "timelines": self._timeline_pools, "streams": self._stream_pools}

    def stream_pools(self) -> list[WorkerPool]:
        """Return the pools for streams, of one worker each; the first call starts them."""
        with self._lock:
            while len(self._stream_pools) < self.settings.stream_workers and not self.closing:
                self._stream_pools.append(self._start_pool(1, NORMAL_NICENESS))
            return self._stream_pools

    def _timeline_pool(self) -> WorkerPool:
        """Return the pool for jobs; the first call starts it.

        Raises:
            OverloadedError: the service is shutting down.
        """
        with self._lock:
            if self.closing:
                raise OverloadedError("the service is shutting down")
            if not self._timeline_pools:
                self._timeline_pools.append(self._start_pool(self.settings.timeline_workers, JOB_NICENESS))
            return self._timeline_pools[0]

    def close(self) -> None:
        """Shut down: finish accepted tasks within `shutdown_grace_s`; unfinished jobs stay in the store."""
        with self._lock:
            self.closing = True
        self.runner.stop()
        threads = [
            threading.Thread(target=pool.close, args=(self.settings.shutdown_grace_s,))
            for pools in self.pools.values()
            for pool in pools
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.runner.join()
        self.store.close()

    def _start_pool(self, workers: int, nice: int, max_queue: int = UNLIMITED) -> WorkerPool:
        config: Message = {
            "model": self.settings.model,
            "uncertain_below": self.settings.uncertain_below,
            "emotions": self.settings.emotions,
            "branches": self.settings.branches,
            "nice": nice,
        }
        return WorkerPool(config, workers, max_queue, self._command)
