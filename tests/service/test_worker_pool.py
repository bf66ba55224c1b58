"""A worker process that dies or hangs costs its own task only, and is replaced."""

import contextlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path

import pytest
from faulty_service_worker import COMMAND

from overtone.errors import ModelError, OvertoneError
from overtone.service.worker_pool import CancelledTaskError, OverloadedError, TaskFailedError, WorkerPool

pytestmark = pytest.mark.skipif(os.name != "posix", reason="uses POSIX signals")


@contextlib.contextmanager
def running_pool(
    workers: int, max_queue: int = 1000, model: str = "", grace_s: float = 10, command: tuple[str, ...] = COMMAND
) -> Iterator[WorkerPool]:
    """A pool that is closed at the end of the block."""
    pool = WorkerPool({"model": model}, workers, max_queue, command)
    try:
        yield pool
    finally:
        pool.close(grace_s)


def test_all_workers_run_tasks() -> None:
    with running_pool(2) as pool:
        pool.wait_until_ready()
        assert pool.ready
        assert pool.card["id"] == "faulty"
        content = os.urandom(1_000_000)
        tasks = [pool.submit({"behaviour": "sleeps0.2"}, lambda: content, timeout_s=30) for _ in range(6)]
        results = [task.result(60) for task in tasks]
    assert all(payload == content for _, payload in results)
    assert len({reply["pid"] for reply, _ in results}) == 2


def test_a_crash_costs_only_the_task_that_was_running(tmp_path: Path) -> None:
    with running_pool(1) as pool:
        marker = str(tmp_path / "marker")
        behaviours = ("", "dies", "", "dies once", "rejects")
        tasks = [pool.submit({"behaviour": name, "marker": marker}, timeout_s=30) for name in behaviours]
        wait(tasks, 60)
        assert "prediction" in tasks[0].result()[0]
        with pytest.raises(TaskFailedError, match=r"crashes the decoder, or needs too much memory \(signal 11\)"):
            tasks[1].result()
        assert "prediction" in tasks[2].result()[0]
        assert "prediction" in tasks[3].result()[0], "a task is tried again in a second process"
        assert tasks[4].result()[0] == {"rejected": "x: is not an audio file"}
        assert pool.deaths == 3


def test_a_process_that_dies_while_idle_costs_no_task() -> None:
    with running_pool(2) as pool:
        until_s = time.monotonic() + 30
        while not all(pool._processes):
            assert time.monotonic() < until_s
            time.sleep(0.01)
        for process in pool._processes:
            process.stop()  # type: ignore[union-attr]
            process.cause_of_death()  # type: ignore[union-attr]
        assert "prediction" in pool.submit({}, timeout_s=30).result(60)[0]


def test_a_pool_whose_process_has_died_is_not_ready() -> None:
    with running_pool(1) as pool:
        pool.wait_until_ready()
        pool._processes[0].stop()  # type: ignore[union-attr]
        until_s = time.monotonic() + 30
        while pool.ready:
            assert time.monotonic() < until_s
            time.sleep(0.01)
        while not pool.ready:
            assert time.monotonic() < until_s
            time.sleep(0.01)
        assert pool.deaths == 1


def test_a_hang_costs_only_the_task_that_was_running() -> None:
    with running_pool(1) as pool:
        slow = pool.submit({"behaviour": "sleeps60"}, timeout_s=0.5)
        following = pool.submit({}, timeout_s=30)
        with pytest.raises(TaskFailedError, match="takes longer than"):
            slow.result(60)
        assert "prediction" in following.result(60)[0]


def test_the_queue_is_bounded_in_length_and_time() -> None:
    with running_pool(1, max_queue=2) as pool:
        pool.wait_until_ready()
        running = pool.submit({"behaviour": "sleeps1"}, timeout_s=30)
        while pool.queue_length:
            time.sleep(0.01)
        queued = [pool.submit({}, timeout_s=30), pool.submit({}, timeout_s=30, max_wait_s=0.1)]
        assert pool.full
        with pytest.raises(OverloadedError, match="at its limit"):
            pool.submit({}, timeout_s=30)
        assert "prediction" in running.result(60)[0]
        assert "prediction" in queued[0].result(60)[0]
        with pytest.raises(OverloadedError, match="overloaded"):
            queued[1].result(60)


def test_a_task_can_be_cancelled_by_its_callbacks() -> None:
    def cancel(message: dict[str, float]) -> None:
        assert message == {"processed_s": 1.0, "duration_s": 2.0}
        raise CancelledTaskError("was deleted")

    def fail(message: dict[str, float]) -> None:
        raise KeyError("x")

    def read_closed_file() -> bytes:
        raise ValueError("I/O operation on closed file")

    with running_pool(1) as pool:
        with pytest.raises(CancelledTaskError, match="was deleted"):
            pool.submit({"behaviour": "reports"}, timeout_s=30, on_message=cancel).result(60)
        with pytest.raises(KeyError):
            pool.submit({"behaviour": "reports"}, timeout_s=30, on_message=fail).result(60)
        with pytest.raises(CancelledTaskError, match="closed file"):
            pool.submit({}, read_closed_file, timeout_s=30).result(60)
        assert "prediction" in pool.submit({}, timeout_s=30).result(60)[0]
        assert pool.deaths == 0


def test_close_waits_for_accepted_tasks_up_to_a_timeout() -> None:
    with running_pool(1) as pool:
        short = pool.submit({"behaviour": "sleeps0.3"}, timeout_s=30)
    assert "prediction" in short.result(0)[0]
    with pytest.raises(OverloadedError, match="at its limit"):
        pool.submit({}, timeout_s=1)
    with running_pool(1, grace_s=0.2) as pool:
        pool.wait_until_ready()
        long, queued = pool.submit({"behaviour": "sleeps60"}, timeout_s=60), pool.submit({}, timeout_s=60)
    for task in (long, queued):
        with pytest.raises(OverloadedError, match="has stopped"):
            task.result(0)


def test_a_worker_that_cannot_start_is_reported() -> None:
    with running_pool(1, model="broken") as pool, pytest.raises(ModelError, match=r"m\.onnx: is broken"):
        pool.wait_until_ready()
    for command in (COMMAND, ("/no/such/program",)):
        with running_pool(1, model="dies at start", command=command) as pool:
            with pytest.raises(OvertoneError, match=r"no worker has started within 1 s: .*(closed|No such file)"):
                pool.wait_until_ready(1)
            assert not pool.ready
