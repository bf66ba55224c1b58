"""Every task has its result, whatever becomes of the processes."""

import os
import sys
from functools import partial
from pathlib import Path

import pytest
from odd_workers import doubler, dying, pid_of_worker, refusing, stillborn

from overtone.batch.process_pool import WorkerDied, results
from overtone.errors import OvertoneError

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def test_each_task_has_its_result() -> None:
    assert dict(results(doubler, enumerate(range(20)), jobs=2)) == {n: 2 * n for n in range(20)}


def test_no_task_needs_no_process() -> None:
    assert list(results(stillborn, [], 2)) == []


def test_a_death_costs_the_task_that_it_was_at(tmp_path: Path) -> None:
    tasks = ["a", "killed", "b", "exits", "once", "c", "d"]
    found = dict(results(partial(dying, str(tmp_path)), enumerate(tasks), jobs=2))
    assert found == {0: "A", 1: WorkerDied("SIGKILL"), 2: "B", 3: WorkerDied("exit code 7"), 4: "ONCE", 5: "C", 6: "D"}


def test_what_cannot_be_made_is_told() -> None:
    with pytest.raises(OvertoneError, match=r"m\.onnx: is broken"):
        list(results(refusing, [(0, 0)], 2))


def test_processes_that_die_at_once_are_told() -> None:
    with pytest.raises(OvertoneError, match=r"a process dies while it starts \(exit code 3\)"):
        list(results(stillborn, [(0, 0)], 1))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_who_stops_listening_leaves_no_process() -> None:
    running = results(pid_of_worker, [(0, 0), (1, 60)], 1)
    _, pid = next(running)
    assert Path(f"/proc/{pid}").exists()
    running.close()
    assert not Path(f"/proc/{pid}").exists()
