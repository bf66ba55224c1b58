"""A part gives the same file on every node and in every process, or a reason why it failed."""

import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from worker_functions import make_hanging

from overtone._internal.pyarrow_import import import_pyarrow
from overtone.batch.inputs import Inputs, collect_inputs
from overtone.batch.job import make_schema, to_task
from overtone.batch.parquet_sink import ParquetSink
from overtone.batch.process_pool import WorkerDied, run_tasks
from overtone.batch.ray_engine import part_size
from overtone.batch.ray_task import RayTask, run_part
from overtone.batch.recogniser_config import RecogniserConfig, fingerprints

pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")

RATE_HZ = 16_000
NAMES = ("a.wav", "gone.wav", "b.wav")


@pytest.fixture
def config(tmp_path: Path) -> RecogniserConfig:
    tiny_model.write(tmp_path / "tiny.onnx")
    return RecogniserConfig(str(tmp_path / "tiny.onnx"))


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    for number, name in enumerate(("a.wav", "b.wav")):
        soundfile.write(tmp_path / name, np.random.default_rng(number).normal(0, 0.2, RATE_HZ), RATE_HZ)
    (tmp_path / "m.csv").write_text("path,who\na.wav,ann\ngone.wav,ben\nb.wav,cleo\n")
    return collect_inputs([str(tmp_path / "m.csv")])


@pytest.fixture
def task(tmp_path: Path, config: RecogniserConfig, inputs: Inputs) -> RayTask:
    schema = make_schema(inputs, config.load(lambda error: None))
    return RayTask(str(tmp_path / "out"), config, tuple(fingerprints(config).items()), schema)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_isolated_part_is_the_same(task: RayTask, inputs: Inputs, tmp_path: Path) -> None:
    found = []
    for isolated in (False, True):
        assert run_part(task, 3, inputs.rows, isolated) == {"predictions": 2, "failures": 1}
        found.append(contents(tmp_path / "out"))
    assert found[0] == found[1]
    assert sorted(found[0]) == ["parts/00003.json", "predictions/part-00003.parquet"]
    table = import_pyarrow().parquet.read_table(tmp_path / "out" / "predictions" / "part-00003.parquet")
    assert table.select(["who", "path"]).to_pylist() == [
        {"who": "ann", "path": "a.wav"},
        {"who": "cleo", "path": "b.wav"},
    ]
    report = ParquetSink(task.output).finish({}, task.schema, [3])
    assert report == {"relative_to": str(tmp_path), "predictions": 2, "failures": 1}
    failures = (tmp_path / "out" / "failures.csv").read_text()
    assert failures == f"who,path,error\nben,gone.wav,{tmp_path}/gone.wav: no such file\n"


def test_audio_in_object_storage_gives_the_same_predictions_as_files(
    task: RayTask, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from overtone.batch import object_storage

    run_part(task, 0, inputs.rows, False)
    monkeypatch.setattr(object_storage, "read_bytes", lambda url: (tmp_path / url.rpartition("/")[2]).read_bytes())
    run_part(task, 1, [row._replace(path=f"s3://x/{row.name}") for row in inputs.rows], False)
    monkeypatch.undo()
    found = contents(tmp_path / "out")
    assert found["predictions/part-00000.parquet"] == found["predictions/part-00001.parquet"]
    assert b'"s3://x/gone.wav: no such file"' in found["parts/00001.json"]


def test_a_node_with_another_model_or_other_code_is_reported(task: RayTask, inputs: Inputs) -> None:
    other = tuple((name, "x" if name in ("model", "code") else value) for name, value in task.expected)
    result = run_part(task._replace(expected=other), 0, inputs.rows, False)
    assert "differs from the machine that runs the command in model, code; " in result["failed"]


def test_a_folder_that_cannot_be_written_is_reported(task: RayTask, inputs: Inputs, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    assert str(tmp_path / "out") in run_part(task, 0, inputs.rows, False)["failed"]


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="needs POSIX alarms")
def test_a_process_that_hangs_is_killed(config: RecogniserConfig, inputs: Inputs) -> None:
    found = dict(
        run_tasks(partial(make_hanging, config.model, "b.wav"), enumerate(map(to_task, inputs.rows)), processes=1)
    )
    assert found[2] == WorkerDied("SIGALRM")
    assert "probabilities" in found[0] and "no such file" in found[1]["error"]


@pytest.mark.parametrize(
    ("inputs", "size"),
    [(0, 64), (64_000, 64), (64_001, 128), (1_000_000, 1024), (4_096_000, 4096), (10**9, 4096)],
)
def test_parts_grow_with_the_size_of_the_batch(inputs: int, size: int) -> None:
    assert part_size(inputs) == size
