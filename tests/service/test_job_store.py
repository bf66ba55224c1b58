"""Jobs survive, and are finished once."""

import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from overtone.errors import InputError, OvertoneError
from overtone.service.job_store import FILE, MAX_STARTS, JobStore, StoredResponse

DIES_WITH_A_JOB = """
import os, signal, sys
from pathlib import Path
from overtone.service.job_store import Store
store = Store(Path(sys.argv[1]))
for name in ("a", "b", "c"):
    store.add("", f"{name}.wav", "", name)
store.finish(store.claim().id, b"result of a", 1.0)
store.claim()
os.kill(os.getpid(), signal.SIGKILL)
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


def test_jobs_survive_a_service_that_is_killed(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", DIES_WITH_A_JOB, str(tmp_path)], check=False)
    assert done.returncode == -9
    store = JobStore(tmp_path)
    assert store.result("a") == b"result of a"
    again = [store.claim(), store.claim(), store.claim()]
    assert [(job.id, job.starts) for job in again if job is not None] == [("b", 2), ("c", 1)]
    store.close()


def test_a_job_that_ends_the_service_is_given_up(tmp_path: Path) -> None:
    for start in range(MAX_STARTS):
        store = JobStore(tmp_path)
        if start == 0:
            store.add("", "bomb.wav", "", "bomb")
        assert store.claim() is not None
        store.close()
    store = JobStore(tmp_path)
    job = store.job("bomb")
    assert job is not None
    assert job.state == "failed"
    assert "5 times" in job.error
    store.close()


def test_a_job_that_is_put_back_is_not_counted(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    store.add("", "a.wav", "", "a")
    for _ in range(2 * MAX_STARTS):
        job = store.claim()
        assert job is not None
        assert job.starts == 1
        store.queue_again("a")
    store.delete("a")
    assert store.claim() is None
    store.close()


def test_what_is_old_is_forgotten(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    store.add("", "a.wav", "", "a", "key of a", "asked")
    store.add("", "b.wav", "", "b")
    store.store_response("key", StoredResponse("asked", "text/csv", b"content"))
    store.store_response("key", StoredResponse("asked", "text/csv", b"second"))
    assert store.stored_response("key") == StoredResponse("asked", "text/csv", b"content")
    assert store.stored_response("key of a") == StoredResponse("asked", "", b"a")
    store.claim()
    store.fail("a", "is broken")
    assert store.unfinished() == {"b"}
    store.forget(time.time() - 60)
    assert store.job("a") is not None
    store.forget(time.time() + 60)
    assert store.job("a") is None
    assert store.job("b") is not None, "it has not been done yet"
    assert store.stored_response("key") is None
    store.close()


def test_one_service_works_in_a_folder(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    with pytest.raises(InputError, match="another service works in it"):
        JobStore(tmp_path)
    store.close()
    JobStore(tmp_path).close()


def test_a_folder_of_another_version_or_kind_is_told(tmp_path: Path) -> None:
    base = sqlite3.connect(tmp_path / FILE)
    base.execute("PRAGMA user_version = 99")
    base.commit()
    base.close()
    with pytest.raises(InputError, match="another version"):
        JobStore(tmp_path)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(OvertoneError, match="cannot be opened"):
        JobStore(tmp_path / "file")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / FILE).write_bytes(b"no data base" * 100)
    with pytest.raises(OvertoneError, match="cannot be opened"):
        JobStore(tmp_path / "bad")


def test_no_more_first_answers_are_kept_than_may(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("overtone.service.job_store.MOST_FIRSTS", 3)
    store = JobStore(tmp_path)
    for number in range(10):
        store.store_response(str(number), StoredResponse("asked", "text/csv", b""))
    store.forget(0)
    assert [number for number in range(10) if store.stored_response(str(number))] == [7, 8, 9]
    store.close()


def test_what_is_deleted_is_gone_from_the_disk(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    store.add("", "a.wav", "", "a")
    store.claim()
    store.finish("a", b"a secret timeline" * 1000, 1.0)
    store.delete("a")
    store.close()
    assert b"secret" not in (tmp_path / FILE).read_bytes()


def test_a_transaction_that_cannot_be_kept_is_over(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    store._base.execute(f"PRAGMA max_page_count = {store._base.execute('PRAGMA page_count').fetchone()[0] + 2}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        store.store_response("large", StoredResponse("", "", bytes(100_000)))
    store.add("", "a.wav", "", "a")
    assert store.stored_response("large") is None
    assert store.job("a") is not None
    store.close()


def test_the_first_answer_is_kept_for_as_long_as_its_job_waits(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    store.add("", "a.wav", "", "a", "key", "asked")
    store.store_response("other", StoredResponse("asked", "text/plain", b"\xff\0"))
    store.forget(time.time() + 1)
    assert store.stored_response("key") == StoredResponse("asked", "", b"a"), "or a retry would begin a second job"
    assert store.stored_response("other") is None
    assert store.claim() is not None
    store.finish("a", b"result", 1.0)
    store.forget(time.time() + 1)
    assert store.stored_response("key") is None
    store.close()
