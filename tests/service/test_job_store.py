"""Jobs survive a crash, are finished at most once, and expire."""

import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from overtone.errors import InputError, OvertoneError
from overtone.service.job_records import StoredResponse
from overtone.service.job_store import FILE, MAX_ATTEMPTS, VERSION, JobStore

KILLED_WITH_A_RUNNING_JOB = """
import os, signal, sys
from pathlib import Path
from overtone.service.job_store import JobStore
store = JobStore(Path(sys.argv[1]))
for name in ("a", "b", "c"):
    store.add("", f"{name}.wav", "", name)
store.finish(store.claim().id, b"result of a", 1.0)
store.claim()
os.kill(os.getpid(), signal.SIGKILL)
"""
SCHEMA_1 = """
CREATE TABLE jobs (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, turns TEXT NOT NULL, state TEXT NOT NULL,
    created_s REAL NOT NULL, finished_s REAL, duration_s REAL, starts INTEGER NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '', result BLOB
);
CREATE TABLE firsts (
    key TEXT PRIMARY KEY, asked TEXT NOT NULL, created_s REAL NOT NULL, type TEXT NOT NULL, content BLOB NOT NULL
);
INSERT INTO jobs VALUES ('a', '', 'a.wav', '', 'running', 1, NULL, NULL, 1, '', NULL);
PRAGMA user_version = 1;
"""


def test_a_job_is_claimed_and_finished_once(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    for number in range(20):
        store.add("anna", f"{number}.wav", "", f"{number:02}")
    claimed: list[str] = []

    def work() -> None:
        while (job := store.claim()) is not None:
            claimed.append(job.id)
            assert store.finish(job.id, job.id.encode(), 2.0)
            assert not store.finish(job.id, b"again", 2.0)
            assert not store.fail(job.id, "again")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == [f"{number:02}" for number in range(20)]
    assert store.result("07") == b"07"
    assert store.counts() == store.counts("anna") == {"done": 20}
    assert store.counts("ben") == {}
    store.close()


def test_jobs_survive_a_killed_service(tmp_path: Path) -> None:
    process = subprocess.run([sys.executable, "-c", KILLED_WITH_A_RUNNING_JOB, str(tmp_path)], check=False)
    assert process.returncode == -9
    store = JobStore(tmp_path)
    assert store.result("a") == b"result of a"
    claimed = [store.claim(), store.claim(), store.claim()]
    assert [(job.id, job.attempts) for job in claimed if job is not None] == [("b", 2), ("c", 1)]
    store.close()


def test_a_job_that_crashes_the_service_repeatedly_fails(tmp_path: Path) -> None:
    for attempt in range(MAX_ATTEMPTS):
        store = JobStore(tmp_path)
        if attempt == 0:
            store.add("", "bomb.wav", "", "bomb")
        assert store.claim() is not None
        store.close()
    store = JobStore(tmp_path)
    job = store.job("bomb")
    assert job is not None
    assert job.state == "failed"
    assert "5 times" in job.error
    store.close()


def test_a_requeued_job_does_not_count_as_an_attempt(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    store.add("", "a.wav", "", "a")
    for _ in range(2 * MAX_ATTEMPTS):
        job = store.claim()
        assert job is not None
        assert job.attempts == 1
        store.requeue("a")
    store.delete("a")
    assert store.claim() is None
    store.close()


def test_ended_jobs_and_responses_expire(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    store.add("", "a.wav", "", "a", "key of a", "digest")
    store.add("", "b.wav", "", "b")
    store.store_response("key", StoredResponse("digest", "text/csv", b"content"))
    store.store_response("key", StoredResponse("digest", "text/csv", b"second"))
    assert store.stored_response("key") == StoredResponse("digest", "text/csv", b"content")
    assert store.stored_response("key of a") == StoredResponse("digest", "", b"a")
    store.claim()
    store.fail("a", "is broken")
    assert store.unfinished_ids() == {"b"}
    store.delete_expired(time.time() - 60)
    assert store.job("a") is not None
    store.delete_expired(time.time() + 60)
    assert store.job("a") is None
    assert store.job("b") is not None, "a queued job does not expire"
    assert store.stored_response("key") is None
    store.close()


def test_a_folder_is_used_by_one_service_at_a_time(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    with pytest.raises(InputError, match="in use by another service"):
        JobStore(tmp_path)
    store.close()
    JobStore(tmp_path).close()


@pytest.mark.parametrize("script", [SCHEMA_1, f"PRAGMA user_version = {VERSION + 1}"])
def test_a_store_of_another_version_is_refused_unchanged(tmp_path: Path, script: str) -> None:
    file = tmp_path / FILE
    connection = sqlite3.connect(file)
    connection.executescript(script)
    tables = connection.execute("SELECT * FROM sqlite_master").fetchall()
    connection.close()
    with pytest.raises(InputError) as refused:
        JobStore(tmp_path)
    assert str(file) in str(refused.value)
    assert "another version of Overtone; move or delete this file" in str(refused.value)
    assert "\n" not in str(refused.value)
    connection = sqlite3.connect(file)
    assert connection.execute("SELECT * FROM sqlite_master").fetchall() == tables
    assert tables == [] or connection.execute("SELECT id, state FROM jobs").fetchall() == [("a", "running")]
    connection.close()
    file.unlink()
    store = JobStore(tmp_path)
    assert store.counts() == {}
    store.close()


def test_a_folder_or_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OvertoneError, match="cannot be opened"):
        JobStore(tmp_path / "file")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / FILE).write_bytes(b"not a database" * 100)
    with pytest.raises(OvertoneError, match="cannot be opened"):
        JobStore(tmp_path / "bad")


def test_the_number_of_stored_responses_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("overtone.service.job_store.MAX_STORED_RESPONSES", 3)
    store = JobStore(tmp_path)
    for number in range(10):
        store.store_response(str(number), StoredResponse("digest", "text/csv", b""))
    store.delete_expired(0)
    assert [number for number in range(10) if store.stored_response(str(number))] == [7, 8, 9]
    store.close()


def test_deleted_results_are_erased_from_the_disk(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    store.add("", "a.wav", "", "a")
    store.claim()
    store.finish("a", b"a secret timeline" * 1000, 1.0)
    store.delete("a")
    store.close()
    assert b"secret" not in (tmp_path / FILE).read_bytes()


def test_a_failed_transaction_is_rolled_back(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        store.store_response("large", StoredResponse("", "", bytes(100_000)))
    store.add("", "a.wav", "", "a")
    assert store.stored_response("large") is None
    assert store.job("a") is not None
    store.close()


def test_the_response_of_an_unfinished_job_does_not_expire(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    store.add("", "a.wav", "", "a", "key", "digest")
    store.store_response("other", StoredResponse("digest", "text/plain", b"\xff\0"))
    store.delete_expired(time.time() + 1)
    assert store.stored_response("key") == StoredResponse("digest", "", b"a"), "a retry would create a second job"
    assert store.stored_response("other") is None
    assert store.claim() is not None
    store.finish("a", b"result", 1.0)
    store.delete_expired(time.time() + 1)
    assert store.stored_response("key") is None
    store.close()
