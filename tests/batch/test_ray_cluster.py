"""`overtone batch --engine ray` on a real Ray cluster: a head node and a second node on this machine."""

import csv
import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import s3_server
import soundfile
import tiny_model

from overtone.batch.ray_engine import MIN_PART_SIZE

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from benchmarks.ray_nodes import Cluster, Node  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray comes with the [ray] extra"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]

RATE_HZ = 16_000
ROWS = 8 * MIN_PART_SIZE + 5
TIMEOUT_S = 240
# Dead nodes are detected within seconds; too short for a cluster over a network.
FAST_HEALTH_CHECKS = {"RAY_health_check_initial_delay_ms": "0", "RAY_health_check_period_ms": "500"}
# Imported at the start of every Python process: workers then crash on one file and hang on another.
SITECUSTOMIZE = """
import sys
if any("default_worker" in argument or "spawn_main" in argument for argument in sys.orig_argv):
    import os, signal
    import overtone.batch.input_tasks as config
    is_special = config.is_special
    def is_special_or_crash(path):
        if path.name == "crash.wav":
            os.kill(os.getpid(), signal.SIGSEGV)
        if path.name == "hang.wav":
            signal.pause()
        return is_special(path)
    config.is_special, config.MAX_TASK_S = is_special_or_crash, 2
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, an audio file, a manifest of its segments that fills nine parts and has three bad rows, and a crash."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "sitecustomize.py").write_text(SITECUSTOMIZE)
    tiny_model.write(folder / "tiny.onnx")
    soundfile.write(folder / "long.wav", np.random.default_rng(3).normal(0, 0.2, 60 * RATE_HZ), RATE_HZ)
    rows = [["long.wav", f"{0.1 * k:.1f}", f"{0.1 * k + 5:.1f}", k] for k in range(ROWS)]
    rows[7][0], rows[70][0], rows[100][0] = "crash.wav", "hang.wav", "gone.wav"
    with (folder / "m.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "start_s", "end_s", "number"], *rows])
    return folder


@pytest.fixture(scope="module")
def cluster(work: Path, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A head node with one core; the workers of all nodes die on two files, and use object storage if installed."""
    storage = request.getfixturevalue("s3") if s3_server.program() else {}
    paths = os.pathsep.join([str(work), str(PROJECT)])
    with Cluster(cpus=1, environment={"PYTHONPATH": paths, **FAST_HEALTH_CHECKS, **storage}) as running:
        yield running


def start(cluster: Cluster, work: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "overtone", "batch", *arguments, "--model", str(work / "tiny.onnx")]
    return subprocess.Popen(
        command, cwd=PROJECT, env=cluster.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end_s = time.monotonic() + TIMEOUT_S
    while not condition():
        assert process.poll() is None, f"the process ended too early: {process.communicate()[1]}"
        assert time.monotonic() < end_s, "timeout"
        time.sleep(0.01)


def wait_for_exit(process: subprocess.Popen[str]) -> tuple[int, str]:
    try:
        _, err = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
    return process.returncode, err


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def parts_in(out: Path) -> int:
    return len(list((out / "parts").glob("0*.json")))


def kill_while_busy(node: Node, process: subprocess.Popen[str]) -> None:
    """Kills the node while it runs a part."""
    wait_for(node.is_at_work, process)
    node.kill()
    assert process.poll() is None, "the batch ended before the node was killed"


def test_no_input_is_lost_or_duplicated_when_nodes_and_driver_are_killed(
    work: Path, cluster: Cluster, tmp_path: Path
) -> None:
    import pyarrow.dataset

    local = start(cluster, work, str(work / "m.csv"), "--output", str(tmp_path / "local"), "--format", "parquet")
    assert wait_for_exit(local)[0] == 1
    out = tmp_path / "out"
    arguments = [str(work / "m.csv"), "--output", str(out), "--engine", "ray"]
    node = cluster.add()
    driver = start(cluster, work, *arguments)
    wait_for(lambda: parts_in(out) > 0, driver)
    driver.send_signal(signal.SIGKILL)
    wait_for_exit(driver)
    done = contents(out / "predictions")
    assert not (out / "batch.json").exists()

    again = start(cluster, work, *arguments)
    kill_while_busy(node, again)
    code, err = wait_for_exit(again)
    assert (code, err) == (1, f"overtone: 3 of {ROWS} inputs could not be recognised; see {out}/failures.csv\n")
    assert sorted(path.name for path in out.iterdir()) == ["batch.json", "failures.csv", "predictions"]
    assert done.items() <= contents(out / "predictions").items()
    tables = [
        pyarrow.dataset.dataset(path).to_table()
        for path in (out / "predictions", tmp_path / "local" / "predictions.parquet")
    ]
    assert tables[0].equals(tables[1])
    assert tables[0].num_rows == ROWS - 3
    failures = (out / "failures.csv").read_text()
    expected = (tmp_path / "local" / "failures.csv").read_text()
    assert failures == expected.replace("more than 300 s", "more than 2 s"), (
        "the local message comes from an unpatched process"
    )
    for name, message in {
        "crash": "two worker processes died on this file (SIGSEGV): ",
        "hang": "two worker processes died on this file (SIGALRM): it needs too much memory or more than 2 s",
        "gone": "no such file",
    }.items():
        assert f"{work}/{name}.wav: {message}" in failures


def test_object_storage_to_object_storage(work: Path, cluster: Cluster, s3: dict[str, str], tmp_path: Path) -> None:
    import pyarrow.dataset

    system = s3_server.bucket(s3, "archive")
    for name in ("a.wav", "b/c d.wav", "broken.wav"):
        samples = np.random.default_rng(len(name)).normal(0, 0.2, RATE_HZ)
        soundfile.write(tmp_path / "x.wav", samples, RATE_HZ)
        with system.open_output_stream(f"archive/calls/{name}") as stream:
            stream.write((tmp_path / "x.wav").read_bytes() if name != "broken.wav" else b"not audio")
    arguments = ["s3://archive/calls", "--output", "s3://archive/out", "--engine", "ray"]
    for _ in range(2):  # the second time, the batch is already done
        assert wait_for_exit(start(cluster, work, *arguments)) == (
            1,
            "overtone: 1 of 3 inputs could not be recognised; see s3://archive/out/failures.csv\n",
        )
    table = pyarrow.dataset.dataset("archive/out/predictions", filesystem=system).to_table()
    assert table.column("path").to_pylist() == ["s3://archive/calls/a.wav", "s3://archive/calls/b/c d.wav"]
    with system.open_input_stream("archive/out/failures.csv") as stream:
        (failure,) = csv.DictReader(stream.read().decode().splitlines())
    assert failure["error"].startswith("s3://archive/calls/broken.wav: ")
    names = [entry.base_name for entry in system.get_file_info(pyarrow.fs.FileSelector("archive/out"))]
    assert sorted(names) == ["batch.json", "failures.csv", "predictions"]


def test_a_missing_cluster_is_reported(work: Path, cluster: Cluster, tmp_path: Path) -> None:
    not_started = Cluster(cpus=1)
    code, err = wait_for_exit(
        start(not_started, work, str(work / "long.wav"), "--output", str(tmp_path / "out"), "--engine", "ray")
    )
    assert code == 1
    assert "overtone: cannot connect to a Ray cluster (" in err
    assert not (tmp_path / "out").exists()
