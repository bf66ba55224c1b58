"""A dataset of parts: each whole, of the same columns, and there once however often it is written."""

import json
from pathlib import Path

import numpy as np
import pytest

from overtone.batch.inputs import Input
from overtone.batch.job import Partitioner, ResultSchema, compact_result
from overtone.batch.parquet_sink import ParquetSink
from overtone.batch.process_pool import WorkerDied
from overtone.datatypes import Prediction
from overtone.errors import OvertoneError

pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")

PLAN = {"model": "m", "inputs": "i"}
ROWS = ResultSchema(("who", "id"), {}, ("happy", "sad"), "tiny", 0.5)


def answer(name: str) -> Prediction:
    half = np.array([0.75, 0.25])
    result = {"probabilities": half, "branches": {"mel": half, "prosody": half}, "duration_s": 1.5, "prosody": {}}
    return ROWS.answer(Input(name, name, values=("ann", "7")), result)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_parts_are_one_table_even_where_nothing_was_answered(tmp_path: Path) -> None:
    import pyarrow.dataset

    dataset = ParquetSink(str(tmp_path / "out"))
    dataset.begin(PLAN)
    assert dataset.write(0, ROWS, [], [["ben", "1", "x.wav", "x.wav: no such file"]]) == {"answers": 0, "failures": 1}
    dataset.write(2, ROWS, [answer("a.wav"), answer("b.wav")], [])
    before = contents(tmp_path)
    dataset.write(2, ROWS, [answer("a.wav"), answer("b.wav")], [])
    assert contents(tmp_path) == before
    assert dataset.done() == {0, 2}
    report = dataset.finish(PLAN, ROWS, [0, 2])
    assert report == {**PLAN, "answers": 2, "failures": 1}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["answers", "batch.json", "failures.csv"]
    assert (tmp_path / "out" / "failures.csv").read_text() == "who,id,path,error\nben,1,x.wav,x.wav: no such file\n"
    files = sorted((tmp_path / "out" / "answers").iterdir())
    assert [file.name for file in files] == ["part-00000.parquet", "part-00002.parquet"]
    schemas = [pyarrow.dataset.dataset(file).schema for file in files]
    assert schemas[0].equals(schemas[1], check_metadata=True)
    table = pyarrow.dataset.dataset(tmp_path / "out" / "answers").to_table()
    assert table.column("path").to_pylist() == ["a.wav", "b.wav"]
    assert table.column("mel_p_sad").to_pylist() == [0.25, 0.25]


def test_another_batch_and_something_else_are_refused(tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    ParquetSink(out).begin(PLAN)
    ParquetSink(out).begin(PLAN)
    with pytest.raises(OvertoneError, match="out: the batch in this folder has other inputs;"):
        ParquetSink(out).begin({**PLAN, "inputs": "j"})
    ParquetSink(out).finish(PLAN, ROWS, [])
    assert ParquetSink(out).report(PLAN) == {**PLAN, "answers": 0, "failures": 0}
    with pytest.raises(OvertoneError, match="out: the batch in this folder has other model;"):
        ParquetSink(out).report({**PLAN, "model": "n"})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "dear.txt").write_text("to me")
    with pytest.raises(OvertoneError, match=r"mine: holds something else \(dear\.txt\)"):
        ParquetSink(str(tmp_path / "mine")).begin(PLAN)
    assert contents(tmp_path / "mine") == {"dear.txt": b"to me"}


def test_damage_and_loss_are_told(tmp_path: Path) -> None:
    dataset = ParquetSink(str(tmp_path))
    dataset.begin(PLAN)
    dataset.write(0, ROWS, [answer("a.wav")], [])
    with pytest.raises(OvertoneError, match=r"00001\.json: is gone"):
        dataset.finish(PLAN, ROWS, [0, 1])
    (tmp_path / "parts" / "00000.json").write_text('{"answers"')
    with pytest.raises(OvertoneError, match=r"00000\.json: cannot be read"):
        dataset.finish(PLAN, ROWS, [0])
    (tmp_path / "parts" / ".00007.json.x.part").write_text("")  # its writer died
    assert dataset.done() == {0}
    assert json.loads((tmp_path / "parts" / "plan.json").read_text()) == PLAN


def test_every_input_is_in_one_part_of_one_shard() -> None:
    rows = [Input(str(number), "") for number in range(23)]
    cuts = [Partitioner(rows, 4, (shard, 3)) for shard in (1, 2, 3)]
    assert [list(cut.parts) for cut in cuts] == [[0, 3], [1, 4], [2, 5]]
    found = [row for cut in cuts for part in cut.parts for row in cut.rows(part)]
    assert sorted(found, key=rows.index) == rows
    assert sum(map(len, cuts)) == len(rows)


def test_an_input_that_is_deadly_is_a_failure_with_a_cause() -> None:
    error = compact_result(Input("a.wav", "/in/a.wav"), WorkerDied("SIGALRM"))["error"]
    assert error.startswith("/in/a.wav: two processes died of it (SIGALRM): it takes too much memory or over 300 s, or")
