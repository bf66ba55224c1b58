"""Jobs and first answers in one SQLite file, which survives whatever happens to the service.

A job is `queued`, then `running`, then `done` or `failed`. Its result is written in the same transaction as its state,
so it is finished once or not at all: a job found `running` when the file is opened is queued again.
"""

import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from overtone.errors import InputError, OvertoneError

VERSION = 1
FILE = "overtone.sqlite"
MAX_STORED_RESPONSES = 100_000  # the oldest of more are forgotten before their time
MAX_STARTS = 5  # after which a job is given up: it may be what ends the service
SCHEMA = """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, turns TEXT NOT NULL, state TEXT NOT NULL,
    created_s REAL NOT NULL, finished_s REAL, duration_s REAL, starts INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '', result BLOB
);
CREATE INDEX jobs_by_state ON jobs (state, created_s);
CREATE TABLE firsts (
    key TEXT PRIMARY KEY, asked TEXT NOT NULL, created_s REAL NOT NULL, type TEXT NOT NULL, content BLOB NOT NULL
);
"""
JOB_COLUMNS = "id, owner, name, turns, state, created_s, finished_s, duration_s, starts, error"


class TimelineJob(NamedTuple):
    """A recording whose timeline is asked for.

    Attributes:
        id: under which the client finds it, and its upload lies in the folder.
        owner: name of the API key; "" without keys.
        name: of the recording, as the client calls it.
        turns: suffix of the file of turns that came with it; "" for none.
        state: queued, running, done or failed.
        created_s: when it came, in seconds since 1970.
        finished_s: when it was done or failed; None before.
        duration_s: length of the recording; None until it is done.
        starts: how often it was begun.
        error: why it failed.
    """

    id: str
    owner: str
    name: str
    turns: str
    state: str
    created_s: float
    finished_s: float | None
    duration_s: float | None
    starts: int
    error: str


class StoredResponse(NamedTuple):
    """The first answer to an idempotency key: to what was asked, its media type and its content."""

    asked: str
    type: str
    content: bytes


class JobStore:
    """The file, opened by one service at a time; any thread may use it.

    Args:
        folder: where it lies.

    Raises:
        InputError: another service has it open, or it is of another version.
        OvertoneError: it cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._base = sqlite3.connect(self._path, timeout=1.0, check_same_thread=False, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._base.close()
                raise
        except (sqlite3.Error, OSError) as error:
            if "locked" in str(error):
                raise InputError(f"{folder}: another service works in it; end that, or name another folder") from error
            raise OvertoneError(f"{self._path}: cannot be opened: {error}; name another folder") from error

    def _prepare(self) -> None:
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = NORMAL", "secure_delete = ON"):
            self._base.execute(f"PRAGMA {pragma}")
        with self._writing() as base:
            version = base.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, VERSION):
                raise InputError(f"{self._path}: of another version of Overtone; name another folder")
            if version == 0:
                for statement in SCHEMA.split(";\n"):
                    base.execute(statement)
                base.execute(f"PRAGMA user_version = {VERSION}")
            base.execute("UPDATE jobs SET state = 'queued' WHERE state = 'running'")
            _give_up(base)

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._base.close()

    def add(self, owner: str, name: str, turns: str, job_id: str, key: str = "", asked: str = "") -> TimelineJob:
        """A new job, which is queued; with an idempotency key, kept as its first answer at the same moment."""
        job = TimelineJob(job_id, owner, name, turns, "queued", time.time(), None, None, 0, "")
        with self._writing() as base:
            base.execute(f"INSERT INTO jobs ({JOB_COLUMNS}) VALUES ({', '.join('?' * len(job))})", job)
            if key:
                _keep(base, key, StoredResponse(asked, "", job_id.encode()))
        return job

    def job(self, job_id: str) -> TimelineJob | None:
        """The job with this id."""
        with self._lock:
            row = self._base.execute(f"SELECT {JOB_COLUMNS} FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return None if row is None else TimelineJob(*row)

    def result(self, job_id: str) -> bytes | None:
        """What was kept of a job that is done."""
        with self._lock:
            row = self._base.execute("SELECT result FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return None if row is None else row[0]

    def counts(self, owner: str | None = None) -> dict[str, int]:
        """State -> number of jobs; of one owner, or of all."""
        some = ("", ()) if owner is None else ("WHERE owner = ?", (owner,))
        with self._lock:
            return dict(self._base.execute(f"SELECT state, count(*) FROM jobs {some[0]} GROUP BY state", some[1]))

    def claim(self) -> TimelineJob | None:
        """The job that has waited longest, which is running from now on."""
        with self._writing() as base:
            row = base.execute(
                "UPDATE jobs SET state = 'running', starts = starts + 1 WHERE id = "
                "(SELECT id FROM jobs WHERE state = 'queued' ORDER BY created_s, id LIMIT 1) "
                f"RETURNING {JOB_COLUMNS}"
            ).fetchone()
        return None if row is None else TimelineJob(*row)

    def finish(self, job_id: str, result: bytes, duration_s: float) -> bool:
        """Whether the running job is done by this; not where it was deleted meanwhile."""
        return self._end(job_id, "done", result, duration_s, "")

    def fail(self, job_id: str, error: str) -> bool:
        """Whether the running job has failed by this; not where it was deleted meanwhile."""
        return self._end(job_id, "failed", None, None, error)

    def _end(self, job_id: str, state: str, result: bytes | None, duration_s: float | None, error: str) -> bool:
        with self._writing() as base:
            done = base.execute(
                "UPDATE jobs SET state = ?, finished_s = ?, result = ?, duration_s = ?, error = ? "
                "WHERE id = ? AND state = 'running'",
                (state, time.time(), result, duration_s, error, job_id),
            )
        return done.rowcount == 1

    def queue_again(self, job_id: str, *, counted: bool = False) -> None:
        """Puts a running job back, or gives it up after too many starts.

        Args:
            job_id: of the job.
            counted: whether this was a start; not where the work was ended with the service.
        """
        with self._writing() as base:
            base.execute(
                "UPDATE jobs SET state = 'queued', starts = starts - ? WHERE id = ? AND state = 'running'",
                (int(not counted), job_id),
            )
            _give_up(base)

    def delete(self, job_id: str) -> None:
        """Forgets a job and its result, in whatever state."""
        with self._writing() as base:
            base.execute("DELETE FROM jobs WHERE id = ?", (job_id,))

    def stored_response(self, key: str) -> StoredResponse | None:
        """The first answer to an idempotency key."""
        with self._lock:
            row = self._base.execute("SELECT asked, type, content FROM firsts WHERE key = ?", (key,)).fetchone()
        return None if row is None else StoredResponse(*row)

    def store_response(self, key: str, first: StoredResponse) -> None:
        """Keeps the first answer to an idempotency key."""
        with self._writing() as base:
            _keep(base, key, first)

    def forget(self, before_s: float) -> None:
        """Deletes jobs that were finished, and first answers that were given, before a time in seconds since 1970."""
        with self._writing() as base:
            base.execute("DELETE FROM jobs WHERE finished_s < ?", (before_s,))
            base.execute(
                "DELETE FROM firsts WHERE created_s < ? AND CAST(content AS TEXT) NOT IN "
                "(SELECT id FROM jobs WHERE state IN ('queued', 'running'))",
                (before_s,),
            )
            base.execute(
                "DELETE FROM firsts WHERE rowid <= (SELECT max(rowid) FROM firsts) - ?", (MAX_STORED_RESPONSES,)
            )

    def unfinished(self) -> set[str]:
        """Ids of jobs whose uploads are still needed."""
        with self._lock:
            rows = self._base.execute("SELECT id FROM jobs WHERE state IN ('queued', 'running')").fetchall()
        return {row[0] for row in rows}

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it, or nothing."""
        with self._lock:
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield self._base
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:  # a full disk has ended it already
                    self._base.execute("ROLLBACK")
                raise


def new_id() -> str:
    """An id that nobody can guess."""
    return uuid.uuid4().hex


def _give_up(base: sqlite3.Connection) -> None:
    base.execute(
        "UPDATE jobs SET state = 'failed', finished_s = ?, error = ? WHERE state = 'queued' AND starts >= ?",
        (time.time(), f"was begun {MAX_STARTS} times, and the service came to grief each time", MAX_STARTS),
    )


def _keep(base: sqlite3.Connection, key: str, first: StoredResponse) -> None:
    base.execute("INSERT OR IGNORE INTO firsts VALUES (?, ?, ?, ?, ?)", (key, first.asked, time.time(), *first[1:]))
