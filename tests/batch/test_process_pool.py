"""Every task has a result, whatever happens to the worker processes."""

import os
import sys
from functools import partial
from pathlib import Path

import pytest
from worker_functions import die_at_startup, make_crashing, make_doubler, make_nothing, make_pid_reporter

from overtone.batch.process_pool import WorkerDied, run_tasks
from overtone.errors import OvertoneError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


def test_each_task_has_its_result() -> None:
    assert dict(run_tasks(make_doubler, enumerate(range(20)), processes=2)) == {n: 2 * n for n in range(20)}


def test_no_process_starts_without_tasks() -> None:
    assert list(run_tasks(die_at_startup, [], 2)) == []


def test_a_death_affects_only_the_task_in_progress(tmp_path: Path) -> None:
    tasks = ["a", "killed", "b", "exits", "once", "c", "d"]
    found = dict(run_tasks(partial(make_crashing, str(tmp_path)), enumerate(tasks), processes=2))
    assert found == {0: "A", 1: WorkerDied("SIGKILL"), 2: "B", 3: WorkerDied("exit code 7"), 4: "ONCE", 5: "C", 6: "D"}


def test_errors_of_worker_startup_are_raised() -> None:
    with pytest.raises(OvertoneError, match=r"m\.onnx: is broken"):
        list(run_tasks(make_nothing, [(0, 0)], 2))


def test_processes_that_die_at_startup_end_the_batch() -> None:
    with pytest.raises(OvertoneError, match=r"startup \(exit code 3\)"):
        list(run_tasks(die_at_startup, [(0, 0)], 1))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_closing_the_generator_ends_the_workers() -> None:
    running = run_tasks(make_pid_reporter, [(0, 0), (1, 60)], 1)
    _, pid = next(running)
    assert Path(f"/proc/{pid}").exists()
    running.close()
    assert not Path(f"/proc/{pid}").exists()
