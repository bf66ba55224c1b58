"""The corrections of jobs, as a table of the job store. They are deleted with their job."""

import sqlite3
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager

# Not part of the version of the store: an older file gets the table when it is opened.
STATEMENTS = (
    "CREATE TABLE IF NOT EXISTS corrections (job_id TEXT PRIMARY KEY, content BLOB NOT NULL, timeline BLOB NOT NULL)",
    "CREATE TRIGGER IF NOT EXISTS corrections_of_deleted_jobs AFTER DELETE ON jobs "
    "BEGIN DELETE FROM corrections WHERE job_id = OLD.id; END",
)


class CorrectionTable(ABC):
    """The part of the job store that keeps corrections; safe to use from any thread."""

    _connection: sqlite3.Connection
    _lock: threading.Lock

    @abstractmethod
    def _transaction(self) -> AbstractContextManager[sqlite3.Connection]:
        """One write transaction, rolled back on an exception."""

    @staticmethod
    def _create_corrections(connection: sqlite3.Connection) -> None:
        for statement in STATEMENTS:
            connection.execute(statement)

    def set_corrections(
        self,
        job_id: str,
        content: bytes,
        timeline: bytes,
        check: Callable[[bytes | None], None] = lambda current: None,
    ) -> bool:
        """Store the corrections of a finished job in place of earlier ones; False if the job is gone.

        Args:
            job_id: id of the job.
            content: the corrections.
            timeline: the corrected timeline, encoded; empty if nothing is corrected.
            check: gets the earlier corrections, None if there are none, in the same transaction; if it raises an
                exception, nothing is stored.
        """
        with self._transaction() as connection:
            row = connection.execute("SELECT content FROM corrections WHERE job_id = ?", (job_id,)).fetchone()
            check(row[0] if row else None)
            cursor = connection.execute(
                "INSERT OR REPLACE INTO corrections SELECT id, ?, ? FROM jobs WHERE id = ? AND state = 'done'",
                (content, timeline, job_id),
            )
        return cursor.rowcount == 1

    def corrections(self, job_id: str) -> bytes | None:
        """Return the corrections of a job; None if there are none."""
        return self._read("content", job_id)

    def corrected_timeline(self, job_id: str) -> bytes | None:
        """Return the encoded corrected timeline of a job; None if nothing is corrected."""
        return self._read("timeline", job_id) or None

    def _read(self, column: str, job_id: str) -> bytes | None:
        with self._lock:
            row = self._connection.execute(f"SELECT {column} FROM corrections WHERE job_id = ?", (job_id,)).fetchone()
        return None if row is None else row[0]
