"""A part is answered the same by whoever does it, or says why not; what its process dies of is found."""

import signal
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from odd_workers import hanging

from overtone.batch.inputs import Inputs, collect_inputs
from overtone.batch.job import make_schema, to_task
from overtone.batch.parquet_sink import ParquetSink
from overtone.batch.process_pool import WorkerDied, results
from overtone.batch.ray_engine import part_inputs
from overtone.batch.ray_task import RayTask, run_part
from overtone.batch.recogniser_config import RecogniserConfig, fingerprints
from overtone.formats import parquet

pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")

RATE_HZ = 16_000
NAMES = ("a.wav", "gone.wav", "b.wav")


@pytest.fixture
def setting(tmp_path: Path) -> RecogniserConfig:
    tiny_model.write(tmp_path / "tiny.onnx")
    return RecogniserConfig(str(tmp_path / "tiny.onnx"))


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    for number, name in enumerate(("a.wav", "b.wav")):
        soundfile.write(tmp_path / name, np.random.default_rng(number).normal(0, 0.2, RATE_HZ), RATE_HZ)
    (tmp_path / "m.csv").write_text("path,who\na.wav,ann\ngone.wav,ben\nb.wav,cleo\n")
    return collect_inputs([str(tmp_path / "m.csv")])


@pytest.fixture
def whole(tmp_path: Path, setting: RecogniserConfig, inputs: Inputs) -> RayTask:
    rows = make_schema(inputs, setting.recogniser(lambda error: None))
    return RayTask(str(tmp_path / "out"), setting, tuple(fingerprints(setting).items()), rows)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_alone_or_not_a_part_is_the_same(whole: RayTask, inputs: Inputs, tmp_path: Path) -> None:
    found = []
    for alone in (False, True):
        assert run_part(whole, 3, inputs.rows, alone) == {"answers": 2, "failures": 1}
        found.append(contents(tmp_path / "out"))
    assert found[0] == found[1]
    assert sorted(found[0]) == ["answers/part-00003.parquet", "parts/00003.json"]
    table = parquet.import_pyarrow().parquet.read_table(tmp_path / "out" / "answers" / "part-00003.parquet")
    assert table.select(["who", "path"]).to_pylist() == [
        {"who": "ann", "path": "a.wav"},
        {"who": "cleo", "path": "b.wav"},
    ]
    report = ParquetSink(whole.out).finish({}, whole.rows, [3])
    assert report == {"answers": 2, "failures": 1}
    failures = (tmp_path / "out" / "failures.csv").read_text()
    assert failures == f"who,path,error\nben,gone.wav,{tmp_path}/gone.wav: no such file\n"


def test_sounds_of_a_store_are_answered_as_files(
    whole: RayTask, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from overtone.batch import object_storage

    run_part(whole, 0, inputs.rows, False)
    monkeypatch.setattr(object_storage, "read_bytes", lambda place: (tmp_path / place.rpartition("/")[2]).read_bytes())
    run_part(whole, 1, [row._replace(path=f"s3://x/{row.name}") for row in inputs.rows], False)
    monkeypatch.undo()
    found = contents(tmp_path / "out")
    assert found["answers/part-00000.parquet"] == found["answers/part-00001.parquet"]
    assert b'"s3://x/gone.wav: no such file"' in found["parts/00001.json"]


def test_a_node_with_another_model_or_other_code_says_so(whole: RayTask, inputs: Inputs) -> None:
    other = tuple((name, "x" if name in ("model", "code") else mark) for name, mark in whole.expected)
    told = run_part(whole._replace(expected=other), 0, inputs.rows, False)
    assert "has other model, other code than the machine that runs the batch; install" in told["failed"]


def test_what_cannot_be_written_is_told(whole: RayTask, inputs: Inputs, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    assert "cannot write" in run_part(whole, 0, inputs.rows, False)["failed"]


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="alarms of POSIX")
def test_who_hangs_dies(setting: RecogniserConfig, inputs: Inputs) -> None:
    found = dict(results(partial(hanging, setting.model, "b.wav"), enumerate(map(to_task, inputs.rows)), jobs=1))
    assert found[2] == WorkerDied("SIGALRM")
    assert "probabilities" in found[0] and "no such file" in found[1]["error"]


@pytest.mark.parametrize(
    ("inputs", "size"),
    [(0, 64), (64_000, 64), (64_001, 128), (1_000_000, 1024), (4_096_000, 4096), (10**9, 4096)],
)
def test_parts_grow_with_the_batch(inputs: int, size: int) -> None:
    assert part_inputs(inputs) == size
