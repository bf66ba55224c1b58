"""Whatever becomes of a process: its task alone is lost, and another process takes its place."""

import contextlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path

import pytest
from odd_service_worker import COMMAND

from overtone.errors import ModelError, OvertoneError
from overtone.service.worker_pool import CancelledTaskError, OverloadedError, TaskFailedError, WorkerPool

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@contextlib.contextmanager
def pool_of(
    workers: int, waiting: int = 1000, model: str = "", grace_s: float = 10, command: tuple[str, ...] = COMMAND
) -> Iterator[WorkerPool]:
    pool = WorkerPool({"model": model}, workers, waiting, command)
    try:
        yield pool
    finally:
        pool.close(grace_s)


def test_tasks_have_their_results_by_all_workers() -> None:
    with pool_of(2) as pool:
        pool.wait_until_ready()
        assert pool.ready
        assert pool.card["id"] == "odd"
        content = os.urandom(1_000_000)
        tasks = [pool.submit({"how": "sleeps0.2"}, lambda: content, within_s=30) for _ in range(6)]
        results = [task.result(60) for task in tasks]
    assert all(payload == content for _, payload in results)
    assert len({told["pid"] for told, _ in results}) == 2


def test_a_death_costs_the_task_that_it_was_at(tmp_path: Path) -> None:
    with pool_of(1) as pool:
        mark = str(tmp_path / "mark")
        tasks = [pool.submit({"how": how, "mark": mark}, within_s=30) for how in ("", "dies", "", "once", "refuses")]
        wait(tasks, 60)
        assert "answer" in tasks[0].result()[0]
        with pytest.raises(TaskFailedError, match=r"crashes the decoder, or needs too much memory \(signal 11\)"):
            tasks[1].result()
        assert "answer" in tasks[2].result()[0]
        assert "answer" in tasks[3].result()[0], "a second process does what one has died of by chance"
        assert tasks[4].result()[0] == {"refused": "x: is no sound"}
        assert pool.deaths == 3


def test_a_death_of_who_had_nothing_to_do_is_no_fault_of_the_next_task() -> None:
    with pool_of(2) as pool:
        until_s = time.monotonic() + 30
        while not all(pool._crew):
            assert time.monotonic() < until_s
            time.sleep(0.01)
        for process in pool._crew:
            process.stop()  # type: ignore[union-attr]
            process.cause_of_death()  # type: ignore[union-attr]
        assert "answer" in pool.submit({}, within_s=30).result(60)[0]


def test_who_has_died_is_not_there_to_work() -> None:
    with pool_of(1) as pool:
        pool.wait_until_ready()
        pool._crew[0].stop()  # type: ignore[union-attr]
        until_s = time.monotonic() + 30
        while pool.ready:
            assert time.monotonic() < until_s
            time.sleep(0.01)
        while not pool.ready:
            assert time.monotonic() < until_s
            time.sleep(0.01)
        assert pool.deaths == 1


def test_a_hang_costs_its_task() -> None:
    with pool_of(1) as pool:
        slow = pool.submit({"how": "sleeps60"}, within_s=0.5)
        next_one = pool.submit({}, within_s=30)
        with pytest.raises(TaskFailedError, match="takes longer than"):
            slow.result(60)
        assert "answer" in next_one.result(60)[0]


def test_no_more_wait_than_may() -> None:
    with pool_of(1, waiting=2) as pool:
        pool.wait_until_ready()
        working = pool.submit({"how": "sleeps1"}, within_s=30)
        while pool.waiting:
            time.sleep(0.01)
        waiting = [pool.submit({}, within_s=30), pool.submit({}, within_s=30, waits_s=0.1)]
        assert pool.full
        with pytest.raises(OverloadedError, match="all it can do"):
            pool.submit({}, within_s=30)
        assert "answer" in working.result(60)[0]
        assert "answer" in waiting[0].result(60)[0]
        with pytest.raises(OverloadedError, match="too much to do"):
            waiting[1].result(60)


def test_work_that_nobody_wants_ends() -> None:
    def unwanted(message: dict[str, float]) -> None:
        assert message == {"processed_s": 1.0, "duration_s": 2.0}
        raise CancelledTaskError("was deleted")

    def confused(message: dict[str, float]) -> None:
        raise KeyError("x")

    def closed() -> bytes:
        raise ValueError("I/O operation on closed file")

    with pool_of(1) as pool:
        with pytest.raises(CancelledTaskError, match="was deleted"):
            pool.submit({"how": "tells"}, within_s=30, on_message=unwanted).result(60)
        with pytest.raises(KeyError):
            pool.submit({"how": "tells"}, within_s=30, on_message=confused).result(60)
        with pytest.raises(CancelledTaskError, match="closed file"):
            pool.submit({}, closed, within_s=30).result(60)
        assert "answer" in pool.submit({}, within_s=30).result(60)[0]
        assert pool.deaths == 0


def test_the_end_waits_for_what_was_taken_but_not_for_ever() -> None:
    with pool_of(1) as pool:
        short = pool.submit({"how": "sleeps0.3"}, within_s=30)
    assert "answer" in short.result(0)[0]
    with pytest.raises(OverloadedError, match="has all it can do"):
        pool.submit({}, within_s=1)
    with pool_of(1, grace_s=0.2) as pool:
        pool.wait_until_ready()
        long, behind = pool.submit({"how": "sleeps60"}, within_s=60), pool.submit({}, within_s=60)
    for task in (long, behind):
        with pytest.raises(OverloadedError, match="has ended"):
            task.result(0)


def test_a_model_that_cannot_be_used_is_told() -> None:
    with pool_of(1, model="refused") as pool, pytest.raises(ModelError, match=r"m\.onnx: is broken"):
        pool.wait_until_ready()
    for command in (COMMAND, ("/no/such/program",)):
        with pool_of(1, model="stillborn", command=command) as pool:
            with pytest.raises(OvertoneError, match=r"no worker has come to life within 1 s: .*(gone|No such file)"):
                pool.wait_until_ready(1)
            assert not pool.ready
