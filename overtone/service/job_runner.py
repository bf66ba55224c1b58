"""Run queued jobs in the background, one per timeline worker, and store their timelines."""

import json
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
from overtone.service.job_records import TimelineJob
from overtone.service.job_store import JobStore
from overtone.service.settings import Settings
from overtone.service.worker_pool import CancelledTaskError, OverloadedError, TaskFailedError, WorkerPool

PURGE_INTERVAL_S = 60.0
POLL_INTERVAL_S = 1.0
RETRY_DELAY_S = 10.0  # after a failed write to the store, such as on a full disk


class JobProgress(NamedTuple):
    """How much of a recording has been processed so far, in seconds."""

    processed_s: float
    duration_s: float


class JobRunner:
    """Threads that claim jobs and run them in a worker pool.

    Args:
        store: the jobs.
        pool: returns the worker pool; called for each job, so that the pool starts with the first one.
        spool: folder of the uploads; each file is named after its job.
        settings: limits.

    Attributes:
        progress: progress of the running jobs by job id.
    """

    def __init__(self, store: JobStore, pool: Callable[[], WorkerPool], spool: Path, settings: Settings) -> None:
        self.progress: dict[str, JobProgress] = {}
        self._store, self._pool, self._spool, self._settings = store, pool, spool, settings
        self._changed = threading.Condition()
        self._closing = False
        targets = (*[self._run_jobs] * settings.timeline_workers, self._purge_expired)
        self._threads = [threading.Thread(target=target, daemon=True) for target in targets]
        for thread in self._threads:
            thread.start()

    def wake(self) -> None:
        """Notify the threads of a new job."""
        with self._changed:
            self._changed.notify_all()

    def delete(self, job_id: str) -> None:
        """Delete a job with its uploads and result; a running one is cancelled at its next progress message."""
        self._store.delete(job_id)
        self.delete_uploads(job_id)

    def cancel(self, job_id: str) -> None:
        """Mark an unfinished job as cancelled and delete its uploads; one that has ended stays as it is."""
        if self._store.cancel(job_id):
            self.delete_uploads(job_id)

    def delete_uploads(self, job_id: str) -> None:
        """Delete the uploads and the progress of a job."""
        self.progress.pop(job_id, None)
        for path in (self._spool / job_id, *self._spool.glob(f"{job_id}.*")):
            path.unlink(missing_ok=True)

    def stop(self) -> None:
        """Claim no more jobs; running ones continue until their pool is closed."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def join(self) -> None:
        """Wait until all threads have ended."""
        for thread in self._threads:
            thread.join()

    def _run_jobs(self) -> None:
        while not self._closing:
            try:
                job = self._store.claim()
            except sqlite3.Error as error:
                self._log_and_wait(f"cannot start the next job: {error}")
                continue
            if job is None:
                with self._changed:
                    self._changed.wait(POLL_INTERVAL_S)
                continue
            try:
                self._run(job)
            except Exception as error:  # the job must not be lost, and must not block the ones after it
                self._requeue(job, error)

    def _requeue(self, job: TimelineJob, error: Exception) -> None:
        """Queue a job again once the store accepts writes; a store error does not count as an attempt of the job."""
        store_failed = isinstance(error, sqlite3.Error)
        message = f"job {job.id}: its result cannot be stored; the job is queued again: {error}"
        self._log_and_wait(message, None if store_failed else error)
        while not self._closing:  # at shutdown the job stays `running`, and is queued when the store is opened again
            try:
                self._store.requeue(job.id, count_attempt=not store_failed)
            except sqlite3.Error as write_error:
                self._log_and_wait(f"job {job.id}: cannot be queued again: {write_error}")
            else:
                return

    def _log_and_wait(self, message: str, error: Exception | None = None) -> None:
        """Log an error, then wait for `RETRY_DELAY_S` or until the service shuts down."""
        logging.getLogger(__name__).error(message, exc_info=error)
        with self._changed:
            self._changed.wait_for(lambda: self._closing, RETRY_DELAY_S)

    def _run(self, job: TimelineJob) -> None:
        """Run a job and store its result."""
        try:
            task = self._pool().submit(
                self._make_task(job),
                timeout_s=self._settings.recording_timeout_s,
                on_message=lambda message: self._update_progress(job.id, message),
            )
            reply, content = task.result()
        except OverloadedError:
            self._store.requeue(job.id)
            return
        except (TaskFailedError, CancelledTaskError) as error:
            self._store.fail(job.id, f"{job.name}: {error}")
        else:
            if "rejected" in reply:
                self._store.fail(job.id, reply["rejected"])
            else:
                self._store.finish(job.id, content, reply["duration_s"])
        self.delete_uploads(job.id)

    def _make_task(self, job: TimelineJob) -> Message:
        return {
            "task": "timeline",
            "path": str(self._spool / job.id),
            "turns": str(turns_path(self._spool, job)) if job.turns_suffix else None,
            "name": job.name,
            "adapt": bool(job.adapt),
            "channel": job.channel,
            "channel_names": json.loads(job.channel_names),
            "max_duration_s": self._settings.max_recording_s,
        }

    def _update_progress(self, job_id: str, message: Message) -> None:
        job = self._store.job(job_id)
        if job is None or job.state != "running":
            raise CancelledTaskError("the job was deleted or cancelled")
        self.progress[job_id] = JobProgress(message["processed_s"], message["duration_s"])

    def _purge_expired(self) -> None:
        """Delete expired jobs and responses at once and then every `PURGE_INTERVAL_S`."""
        while not self._closing:
            with suppress(sqlite3.Error):  # such as a full disk; the next round tries again
                self._store.delete_expired(time.time() - self._settings.keep_s)
            with self._changed:
                self._changed.wait_for(lambda: self._closing, PURGE_INTERVAL_S)


def turns_path(spool: Path, job: TimelineJob) -> Path:
    """Return the path of the file of speaker turns of a job."""
    return spool / f"{job.id}{job.turns_suffix}"


def clean_spool(spool: Path, job_ids: set[str]) -> None:
    """Create the folder of uploads, and delete the files that belong to none of the jobs.

    Raises:
        OvertoneError: the folder cannot be created or cleaned.
    """
    try:
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in spool.iterdir():
            if path.name.split(".")[0] not in job_ids:
                path.unlink()
    except OSError as error:
        raise OvertoneError(f"{spool}: cannot be used for uploads: {error.strerror}; name another folder") from error
