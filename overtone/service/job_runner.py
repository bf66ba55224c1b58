"""Jobs in the store -> timelines in the store, one after the other, in the background."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from overtone.errors import OvertoneError
from overtone.service.ipc import Message
from overtone.service.job_store import JobStore, TimelineJob
from overtone.service.settings import Settings
from overtone.service.worker_pool import CancelledTaskError, OverloadedError, TaskFailedError, WorkerPool

HOUSEKEEPING_S = 60.0
BREAK_S = 1.0
TROUBLE_S = 10.0  # between two attempts to keep something, such as on a full disk


class JobProgress(NamedTuple):
    """How much of a recording has been heard by now."""

    processed_s: float
    duration_s: float


class JobRunner:
    """Threads that take jobs and have a pool do them.

    Args:
        store: with the jobs.
        pool: gives what makes timelines, once there is a job.
        spool: folder with the uploads, each called as its job.
        settings: limits.
    """

    def __init__(self, store: JobStore, pool: Callable[[], WorkerPool], spool: Path, settings: Settings) -> None:
        self.heard: dict[str, JobProgress] = {}
        self._store, self._pool, self._spool, self._settings = store, pool, spool, settings
        self._changed = threading.Condition()
        self._closing = False
        works = (*[self._work] * settings.timeline_workers, self._purge_expired)
        self._threads = [threading.Thread(target=work, daemon=True) for work in works]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Says that there is a new job."""
        with self._changed:
            self._changed.notify_all()

    def delete(self, job_id: str) -> None:
        """Forgets a job with all that belongs to it; one that is running ends soon."""
        self._store.delete(job_id)
        self.clear(job_id)

    def clear(self, job_id: str) -> None:
        """Deletes the uploads of a job."""
        self.heard.pop(job_id, None)
        for path in (self._spool / job_id, *self._spool.glob(f"{job_id}.*")):
            path.unlink(missing_ok=True)

    def stop(self) -> None:
        """Takes no more jobs; what is running goes on for as long as its pool lets it."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def join(self) -> None:
        """Waits until all is put down."""
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while not self._closing:
            try:
                job = self._store.claim()
            except sqlite3.Error as error:
                self._rest(f"no job can be begun: {error}")
                continue
            if job is None:
                with self._changed:
                    self._changed.wait(BREAK_S)  # or until there is one
                continue
            try:
                self._do(job)
            except Exception as error:  # the job must not be lost, and the next ones must not wait for ever
                self._put_back(job, error)

    def _put_back(self, job: TimelineJob, error: Exception) -> None:
        """Has a job begun again, as soon as that can be written down; a full disk is not the fault of the job."""
        full = isinstance(error, sqlite3.Error)
        self._rest(f"job {job.id}: could not be kept, and is begun again: {error}", None if full else error)
        while not self._closing:  # else it is found running when the store is opened, which is the same
            try:
                self._store.queue_again(job.id, counted=not full)
            except sqlite3.Error as trouble:
                self._rest(f"job {job.id}: cannot be begun again: {trouble}")
            else:
                return

    def _rest(self, why: str, error: Exception | None = None) -> None:
        """Waits for better times."""
        logging.getLogger(__name__).error(why, exc_info=error)
        with self._changed:
            self._changed.wait_for(lambda: self._closing, TROUBLE_S)

    def _do(self, job: TimelineJob) -> None:
        """Has a job done, and keeps what came of it."""
        try:
            task = self._pool().submit(
                self._task(job),
                within_s=self._settings.recording_time_s,
                on_message=lambda message: self._note(job.id, message),
            )
            told, content = task.result()
        except OverloadedError:
            self._store.queue_again(job.id)
            return
        except (TaskFailedError, CancelledTaskError) as error:
            self._store.fail(job.id, f"{job.name}: {error}")
        else:
            if "refused" in told:
                self._store.fail(job.id, told["refused"])
            else:
                self._store.finish(job.id, content, told["duration_s"])
        self.clear(job.id)

    def _task(self, job: TimelineJob) -> Message:
        return {
            "do": "timeline",
            "path": str(self._spool / job.id),
            "turns": str(turns_path(self._spool, job)) if job.turns else None,
            "name": job.name,
            "longest_s": self._settings.recording_s,
        }

    def _note(self, job_id: str, message: Message) -> None:
        if self._store.job(job_id) is None:
            raise CancelledTaskError("was deleted")
        self.heard[job_id] = JobProgress(message["processed_s"], message["duration_s"])

    def _purge_expired(self) -> None:
        """Forgets what has been kept for long enough, now and every minute."""
        while not self._closing:
            with suppress(sqlite3.Error):  # of a full disk; it is tried again
                self._store.forget(time.time() - self._settings.keep_s)
            with self._changed:
                self._changed.wait_for(lambda: self._closing, HOUSEKEEPING_S)


def turns_path(spool: Path, job: TimelineJob) -> Path:
    """Where the file of turns of a job lies."""
    return spool / f"{job.id}{job.turns}"


def clean_spool(spool: Path, needed: set[str]) -> None:
    """Makes the folder of uploads, and deletes what nobody needs in it.

    Raises:
        OvertoneError: it cannot be made.
    """
    try:
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in spool.iterdir():
            if path.name.split(".")[0] not in needed:
                path.unlink()
    except OSError as error:
        raise OvertoneError(f"{spool}: cannot be used for uploads: {error.strerror}; name another folder") from error
