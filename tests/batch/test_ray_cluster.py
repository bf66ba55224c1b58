"""`overtone batch --engine ray` on a real cluster of Ray: a head and a node, processes of their own on this machine."""

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

from overtone.batch.ray_engine import SMALLEST_PART

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT))

from benchmarks.ray_nodes import Cluster, Node  # noqa: E402

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray comes with the [ray] extra"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]

RATE_HZ = 16_000
ROWS = 8 * SMALLEST_PART + 5
PATIENCE_S = 240
# Nodes that are gone are noticed within seconds, which a cluster over a network must not be.
HASTY = {"RAY_health_check_initial_delay_ms": "0", "RAY_health_check_period_ms": "500"}
# Imported by every Python that starts; what does the work then dies of one file, and hangs at another.
DEADLY = """
import sys
if any("default_worker" in word or "spawn_main" in word for word in sys.orig_argv):
    import os, signal
    import overtone.batch.recogniser_config as setting
    is_special = setting.is_special
    def is_special_or_deadly(path):
        if path.name == "crash.wav":
            os.kill(os.getpid(), signal.SIGSEGV)
        if path.name == "hang.wav":
            signal.pause()
        return is_special(path)
    setting.is_special, setting.LONGEST_WORK_S = is_special_or_deadly, 2
"""


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, a sound, a manifest of stretches of it that fills nine parts, three rows of it bad, and what kills."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "sitecustomize.py").write_text(DEADLY)
    tiny_model.write(folder / "tiny.onnx")
    soundfile.write(folder / "long.wav", np.random.default_rng(3).normal(0, 0.2, 60 * RATE_HZ), RATE_HZ)
    rows = [["long.wav", f"{0.1 * k:.1f}", f"{0.1 * k + 5:.1f}", k] for k in range(ROWS)]
    rows[7][0], rows[70][0], rows[100][0] = "crash.wav", "hang.wav", "gone.wav"
    with (folder / "m.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "start_s", "end_s", "number"], *rows])
    return folder


@pytest.fixture(scope="module")
def cluster(work: Path, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A head with one core, whose nodes are deadly to two files, and see the store where there is one."""
    store = request.getfixturevalue("s3") if s3_server.program() else {}
    paths = os.pathsep.join([str(work), str(PROJECT)])
    with Cluster(cpus=1, environment={"PYTHONPATH": paths, **HASTY, **store}) as running:
        yield running


def start(cluster: Cluster, work: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "overtone", "batch", *words, "--model", str(work / "tiny.onnx")]
    return subprocess.Popen(
        command, cwd=PROJECT, env=cluster.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def wait_for(happened: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not happened():
        assert process.poll() is None, f"it ended too soon: {process.communicate()[1]}"
        assert time.monotonic() < end_s, "it never happened"
        time.sleep(0.01)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    try:
        _, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    return process.returncode, err


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def parts_in(out: Path) -> int:
    return len(list((out / "parts").glob("0*.json")))


def killed_at_work(node: Node, process: subprocess.Popen[str]) -> None:
    """The node is killed while it answers a part."""
    wait_for(node.is_at_work, process)
    node.kill()
    assert process.poll() is None, "the batch was over before"


def test_nothing_is_lost_or_there_twice_when_nodes_and_driver_are_killed(
    work: Path, cluster: Cluster, tmp_path: Path
) -> None:
    import pyarrow.dataset

    local = start(cluster, work, str(work / "m.csv"), "--output", str(tmp_path / "local"), "--format", "parquet")
    assert ended(local)[0] == 1
    out = tmp_path / "out"
    words = [str(work / "m.csv"), "--output", str(out), "--engine", "ray"]
    node = cluster.add()
    driver = start(cluster, work, *words)
    wait_for(lambda: parts_in(out) > 0, driver)
    driver.send_signal(signal.SIGKILL)
    ended(driver)
    done = contents(out / "answers")
    assert not (out / "batch.json").exists()

    again = start(cluster, work, *words)
    killed_at_work(node, again)
    code, err = ended(again)
    assert (code, err) == (1, f"overtone: 3 of {ROWS} could not be recognised; {out}/failures.csv says why\n")
    assert sorted(path.name for path in out.iterdir()) == ["answers", "batch.json", "failures.csv"]
    assert done.items() <= contents(out / "answers").items()
    tables = [
        pyarrow.dataset.dataset(place).to_table() for place in (out / "answers", tmp_path / "local" / "answers.parquet")
    ]
    assert tables[0].equals(tables[1])
    assert tables[0].num_rows == ROWS - 3
    failures = (out / "failures.csv").read_text()
    expected = (tmp_path / "local" / "failures.csv").read_text()
    assert failures == expected.replace("over 300 s", "over 2 s"), "the process that says so here is not patched"
    for name, told in {
        "crash": "two processes died of it (SIGSEGV): ",
        "hang": "two processes died of it (SIGALRM): it takes too much memory or over 2 s",
        "gone": "no such file",
    }.items():
        assert f"{work}/{name}.wav: {told}" in failures


def test_from_a_store_to_a_store(work: Path, cluster: Cluster, s3: dict[str, str], tmp_path: Path) -> None:
    import pyarrow.dataset

    system = s3_server.bucket(s3, "archive")
    for name in ("a.wav", "b/c d.wav", "broken.wav"):
        sound = np.random.default_rng(len(name)).normal(0, 0.2, RATE_HZ)
        soundfile.write(tmp_path / "x.wav", sound, RATE_HZ)
        with system.open_output_stream(f"archive/calls/{name}") as stream:
            stream.write((tmp_path / "x.wav").read_bytes() if name != "broken.wav" else b"no sound")
    words = ["s3://archive/calls", "--output", "s3://archive/answers", "--engine", "ray"]
    for _ in range(2):  # done already, the second time
        assert ended(start(cluster, work, *words)) == (
            1,
            "overtone: 1 of 3 could not be recognised; s3://archive/answers/failures.csv says why\n",
        )
    table = pyarrow.dataset.dataset("archive/answers/answers", filesystem=system).to_table()
    assert table.column("path").to_pylist() == ["s3://archive/calls/a.wav", "s3://archive/calls/b/c d.wav"]
    with system.open_input_stream("archive/answers/failures.csv") as stream:
        (failure,) = csv.DictReader(stream.read().decode().splitlines())
    assert failure["error"].startswith("s3://archive/calls/broken.wav: not a sound that can be read")
    names = [one.base_name for one in system.get_file_info(pyarrow.fs.FileSelector("archive/answers"))]
    assert sorted(names) == ["answers", "batch.json", "failures.csv"]


def test_no_cluster_is_told(work: Path, cluster: Cluster, tmp_path: Path) -> None:
    nowhere = Cluster(cpus=1)  # not started
    code, err = ended(
        start(nowhere, work, str(work / "long.wav"), "--output", str(tmp_path / "out"), "--engine", "ray")
    )
    assert code == 1
    assert "overtone: no Ray cluster can be reached from here (" in err
    assert not (tmp_path / "out").exists()
