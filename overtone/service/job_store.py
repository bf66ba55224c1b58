"""Jobs and stored responses in one SQLite file, which survives a crash of the service.

A job is `queued`, then `running`, then `done` or `failed`; until then it may be `cancelled`. Its result is written in
the same transaction as its state, so it is finished at most once. A job that is `running` when the file is opened is
queued again.
"""

import json
import math
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from overtone.each_channel import ChannelChoice
from overtone.errors import InputError, OvertoneError
from overtone.service.correction_table import CorrectionTable
from overtone.service.job_records import JOB_COLUMNS, UNFINISHED, StoredResponse, TimelineJob

VERSION = 5  # of the schema and of the stored timelines
FILE = "overtone.sqlite"
MAX_STORED_RESPONSES = 100_000  # beyond that, the oldest are deleted before they expire
DEFAULT_CHOICE = ChannelChoice()
MAX_ATTEMPTS = 5  # a job that was started that often fails: it may be what crashes the service
SCHEMA = """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, turns_suffix TEXT NOT NULL, state TEXT NOT NULL,
    created_s REAL NOT NULL, finished_s REAL, duration_s REAL, attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '', adapt INTEGER NOT NULL DEFAULT 1, channel TEXT NOT NULL,
    channel_names TEXT NOT NULL, result BLOB
);
CREATE INDEX jobs_by_state ON jobs (state, created_s);
CREATE TABLE responses (
    key TEXT PRIMARY KEY, request_digest TEXT NOT NULL, created_s REAL NOT NULL, media_type TEXT NOT NULL,
    content BLOB NOT NULL
);
"""
# Not part of the version: an index that an older file lacks is added to it.
OWNER_INDEX = "CREATE INDEX IF NOT EXISTS jobs_by_owner ON jobs (owner, created_s, id)"
IS_UNFINISHED = f"state IN {UNFINISHED}"  # as SQL


class JobStore(CorrectionTable):
    """The SQLite file, opened by one service at a time; safe to use from any thread.

    Args:
        folder: folder of the file.

    Raises:
        InputError: another service has it open, or another version wrote it.
        OvertoneError: it cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self._path, timeout=1.0, check_same_thread=False, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._connection.close()
                raise
        except (sqlite3.Error, OSError) as error:
            if "locked" in str(error):
                raise InputError(f"{folder}: in use by another service; stop it, or name another folder") from error
            raise OvertoneError(f"{self._path}: cannot be opened: {error}; name another folder") from error

    def _prepare(self) -> None:
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = NORMAL", "secure_delete = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        with self._transaction() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, VERSION):
                raise InputError(
                    f"{self._path}: written by another version of Overtone; "
                    "move or delete this file (the jobs in it are lost), or name another folder"
                )
            if version == 0:
                for statement in SCHEMA.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute(OWNER_INDEX)
            self._create_corrections(connection)
            connection.execute("UPDATE jobs SET state = 'queued' WHERE state = 'running'")
            _fail_exhausted(connection)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def add(
        self,
        owner: str,
        name: str,
        turns_suffix: str,
        job_id: str,
        key: str = "",
        request_digest: str = "",
        adapt: bool = True,
        choice: ChannelChoice = DEFAULT_CHOICE,
    ) -> TimelineJob:
        """Add a queued job; with an idempotency key, also store it as the response, in the same transaction.

        Args:
            owner: name of the API key; "" without keys.
            name: name of the recording.
            turns_suffix: suffix of the uploaded speaker turns, such as ".rttm"; "" without turns.
            job_id: id of the job.
            key: idempotency key of the request; "" for none.
            request_digest: digest of the request that has the key.
            adapt: whether the recording is adapted to itself.
            choice: the channels that are used.
        """
        state = ("queued", time.time(), None, None, 0, "")
        channels = choice.channel, json.dumps(choice.names)
        job = TimelineJob(job_id, owner, name, turns_suffix, *state, adapt, *channels)
        with self._transaction() as connection:
            connection.execute(f"INSERT INTO jobs ({JOB_COLUMNS}) VALUES ({', '.join('?' * len(job))})", job)
            if key:
                _insert_response(connection, key, StoredResponse(request_digest, "", job_id.encode()))
        return job

    def job(self, job_id: str) -> TimelineJob | None:
        """Return the job with this id, if there is one."""
        with self._lock:
            row = self._connection.execute(f"SELECT {JOB_COLUMNS} FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return None if row is None else TimelineJob(*row)

    def page(self, owner: str, limit: int, before: tuple[float, str] | None = None) -> list[TimelineJob]:
        """Return the latest jobs of an owner, newest first.

        Args:
            owner: name of the API key.
            limit: largest number of jobs.
            before: creation time and id of a job, to get older ones only; None for the latest.
        """
        with self._lock:
            rows = self._connection.execute(
                f"SELECT {JOB_COLUMNS} FROM jobs WHERE owner = ? AND (created_s, id) < (?, ?) "
                "ORDER BY created_s DESC, id DESC LIMIT ?",
                (owner, *(before or (math.inf, "")), limit),
            ).fetchall()
        return [TimelineJob(*row) for row in rows]

    def result(self, job_id: str) -> bytes | None:
        """Return the result of a job; None unless it is done."""
        with self._lock:
            row = self._connection.execute("SELECT result FROM jobs WHERE id = ?", (job_id,)).fetchone()
        return None if row is None else row[0]

    def counts(self, owner: str | None = None) -> dict[str, int]:
        """Return the number of jobs by state, of one owner or of all."""
        where, values = ("", ()) if owner is None else ("WHERE owner = ?", (owner,))
        with self._lock:
            rows = self._connection.execute(f"SELECT state, count(*) FROM jobs {where} GROUP BY state", values)
            return dict(rows)

    def claim(self) -> TimelineJob | None:
        """Mark the oldest queued job as running and return it; None if no job is queued."""
        with self._transaction() as connection:
            row = connection.execute(
                "UPDATE jobs SET state = 'running', attempts = attempts + 1 WHERE id = "
                "(SELECT id FROM jobs WHERE state = 'queued' ORDER BY created_s, id LIMIT 1) "
                f"RETURNING {JOB_COLUMNS}"
            ).fetchone()
        return None if row is None else TimelineJob(*row)

    def finish(self, job_id: str, result: bytes, duration_s: float) -> bool:
        """Mark a running job as done and store its result; False if the job is not running, such as after a delete."""
        return self._end(job_id, "done", result, duration_s, "")

    def fail(self, job_id: str, error: str) -> bool:
        """Mark a running job as failed; False if the job is not running, such as after a delete."""
        return self._end(job_id, "failed", None, None, error)

    def cancel(self, job_id: str) -> bool:
        """Mark a queued or running job as cancelled; False if it has ended, or there is none."""
        return self._end(job_id, "cancelled", None, None, "", IS_UNFINISHED)

    def _end(
        self,
        job_id: str,
        state: str,
        result: bytes | None,
        duration_s: float | None,
        error: str,
        condition: str = "state = 'running'",
    ) -> bool:
        with self._transaction() as connection:
            cursor = connection.execute(
                "UPDATE jobs SET state = ?, finished_s = ?, result = ?, duration_s = ?, error = ? "
                f"WHERE id = ? AND {condition}",
                (state, time.time(), result, duration_s, error, job_id),
            )
        return cursor.rowcount == 1

    def requeue(self, job_id: str, *, count_attempt: bool = False) -> None:
        """Queue a running job again, or mark it as failed after `MAX_ATTEMPTS` attempts.

        Args:
            job_id: id of the job.
            count_attempt: whether the start counts as an attempt; False if the job was not at fault.
        """
        with self._transaction() as connection:
            connection.execute(
                "UPDATE jobs SET state = 'queued', attempts = attempts - ? WHERE id = ? AND state = 'running'",
                (int(not count_attempt), job_id),
            )
            _fail_exhausted(connection)

    def delete(self, job_id: str) -> None:
        """Delete a job in any state, with its result."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM jobs WHERE id = ?", (job_id,))

    def stored_response(self, key: str) -> StoredResponse | None:
        """Return the response stored under an idempotency key, if there is one."""
        with self._lock:
            row = self._connection.execute(
                "SELECT request_digest, media_type, content FROM responses WHERE key = ?", (key,)
            ).fetchone()
        return None if row is None else StoredResponse(*row)

    def store_response(self, key: str, response: StoredResponse) -> None:
        """Store the response to an idempotency key, unless one is stored already."""
        with self._transaction() as connection:
            _insert_response(connection, key, response)

    def delete_expired(self, before_s: float) -> None:
        """Delete jobs that ended, and responses that were stored, before a time in seconds since 1970.

        The response of an unfinished job stays: without it, a retry would create a second job.
        """
        with self._transaction() as connection:
            connection.execute("DELETE FROM jobs WHERE finished_s < ?", (before_s,))
            connection.execute(
                "DELETE FROM responses WHERE created_s < ? AND CAST(content AS TEXT) NOT IN "
                f"(SELECT id FROM jobs WHERE {IS_UNFINISHED})",
                (before_s,),
            )
            connection.execute(
                "DELETE FROM responses WHERE rowid <= (SELECT max(rowid) FROM responses) - ?", (MAX_STORED_RESPONSES,)
            )

    def unfinished_ids(self) -> set[str]:
        """Return the ids of queued and running jobs, whose uploads are still needed."""
        with self._lock:
            rows = self._connection.execute(f"SELECT id FROM jobs WHERE {IS_UNFINISHED}").fetchall()
        return {row[0] for row in rows}

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction, rolled back on an exception."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # a full disk has rolled it back already
                    self._connection.execute("ROLLBACK")
                raise


def new_id() -> str:
    """Return a random id that cannot be guessed."""
    return uuid.uuid4().hex


def _fail_exhausted(connection: sqlite3.Connection) -> None:
    connection.execute(
        "UPDATE jobs SET state = 'failed', finished_s = ?, error = ? WHERE state = 'queued' AND attempts >= ?",
        (time.time(), f"was started {MAX_ATTEMPTS} times, and the service crashed each time", MAX_ATTEMPTS),
    )


def _insert_response(connection: sqlite3.Connection, key: str, response: StoredResponse) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO responses VALUES (?, ?, ?, ?, ?)",
        (key, response.request_digest, time.time(), response.media_type, response.content),
    )
