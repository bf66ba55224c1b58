"""All parts of a dataset have the same columns, and a part written again replaces itself."""

import json
from pathlib import Path

import numpy as np
import pytest

from overtone.batch.inputs import Input
from overtone.batch.job import Partitioner, ResultSchema, check_result
from overtone.batch.parquet_sink import ParquetSink
from overtone.batch.process_pool import WorkerDied
from overtone.datatypes import Prediction
from overtone.errors import OvertoneError

pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")

FINGERPRINT = {"model": "m", "inputs": "i"}
SCHEMA = ResultSchema(("who", "id"), {}, ("happy", "sad"), ("mel", "prosody"), "tiny", 0.5)


def make_prediction(name: str) -> Prediction:
    half = np.array([0.75, 0.25])
    result = {"probabilities": half, "branches": {"mel": half, "prosody": half}, "prosody": {}, "reference_clips": 0}
    result |= {"duration_s": 1.5, "speech_s": 1.2, "arousal": 0.75, "valence": None, "channel": ""}
    return SCHEMA.to_prediction(Input(name, name, values=("ann", "7")), result)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_parts_form_one_table_even_without_predictions(tmp_path: Path) -> None:
    import pyarrow.dataset

    sink = ParquetSink(str(tmp_path / "out"))
    sink.start(FINGERPRINT)
    assert sink.write_part(0, SCHEMA, [], [["ben", "1", "x.wav", "x.wav: no such file"]]) == {
        "predictions": 0,
        "failures": 1,
    }
    sink.write_part(2, SCHEMA, [make_prediction("a.wav"), make_prediction("b.wav")], [])
    before = contents(tmp_path)
    sink.write_part(2, SCHEMA, [make_prediction("a.wav"), make_prediction("b.wav")], [])
    assert contents(tmp_path) == before
    assert sink.completed_parts() == {0, 2}
    report = sink.finish(FINGERPRINT, SCHEMA, [0, 2])
    assert report == {**FINGERPRINT, "relative_to": "", "predictions": 2, "failures": 1}
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["batch.json", "failures.csv", "predictions"]
    assert (tmp_path / "out" / "failures.csv").read_text() == "who,id,path,error\nben,1,x.wav,x.wav: no such file\n"
    files = sorted((tmp_path / "out" / "predictions").iterdir())
    assert [file.name for file in files] == ["part-00000.parquet", "part-00002.parquet"]
    schemas = [pyarrow.dataset.dataset(file).schema for file in files]
    assert schemas[0].equals(schemas[1], check_metadata=True)
    table = pyarrow.dataset.dataset(tmp_path / "out" / "predictions").to_table()
    assert table.column("path").to_pylist() == ["a.wav", "b.wav"]
    assert table.column("mel_p_sad").to_pylist() == [0.25, 0.25]


def test_folders_of_another_batch_or_with_other_files_are_refused(tmp_path: Path) -> None:
    out = str(tmp_path / "out")
    ParquetSink(out).start(FINGERPRINT)
    ParquetSink(out).start(FINGERPRINT)
    with pytest.raises(OvertoneError, match="out: the batch in this folder differs in inputs;"):
        ParquetSink(out).start({**FINGERPRINT, "inputs": "j"})
    ParquetSink(out).finish(FINGERPRINT, SCHEMA, [])
    assert ParquetSink(out).read_report(FINGERPRINT) == {
        **FINGERPRINT,
        "relative_to": "",
        "predictions": 0,
        "failures": 0,
    }
    with pytest.raises(OvertoneError, match="out: the batch in this folder differs in model;"):
        ParquetSink(out).read_report({**FINGERPRINT, "model": "n"})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("keep")
    with pytest.raises(OvertoneError, match=r"mine: contains other files \(notes\.txt\)"):
        ParquetSink(str(tmp_path / "mine")).start(FINGERPRINT)
    assert contents(tmp_path / "mine") == {"notes.txt": b"keep"}


@pytest.mark.parametrize(
    "old_files",
    [
        {"parts/plan.json": '{"model": "m", "form": "parquet"}', "answers/part-00000.parquet": "x"},
        {"batch.json": '{"model": "m", "form": "parquet", "answers": 1, "failures": 0}'},
    ],
    ids=["interrupted", "finished"],
)
def test_a_folder_of_an_earlier_version_is_refused(tmp_path: Path, old_files: dict[str, str]) -> None:
    for name, content in old_files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    with pytest.raises(OvertoneError, match=r"made by an earlier version of Overtone; choose another output folder$"):
        ParquetSink(str(tmp_path)).read_report(FINGERPRINT)
    assert contents(tmp_path) == {name: content.encode() for name, content in old_files.items()}


def test_missing_and_damaged_parts_are_reported(tmp_path: Path) -> None:
    sink = ParquetSink(str(tmp_path))
    sink.start(FINGERPRINT)
    sink.write_part(0, SCHEMA, [make_prediction("a.wav")], [])
    with pytest.raises(OvertoneError, match=r"00001\.json: has disappeared"):
        sink.finish(FINGERPRINT, SCHEMA, [0, 1])
    (tmp_path / "parts" / "00000.json").write_text('{"predictions"')
    with pytest.raises(OvertoneError, match=r"00000\.json: cannot be read"):
        sink.finish(FINGERPRINT, SCHEMA, [0])
    (tmp_path / "parts" / ".00007.json.x.part").write_text("")  # its writer died
    assert sink.completed_parts() == {0}
    assert json.loads((tmp_path / "parts" / "fingerprint.json").read_text()) == FINGERPRINT


def test_every_input_is_in_one_part_of_one_shard() -> None:
    rows = [Input(str(number), "") for number in range(23)]
    partitions = [Partitioner(rows, 4, (shard, 3)) for shard in (1, 2, 3)]
    assert [list(partition.parts) for partition in partitions] == [[0, 3], [1, 4], [2, 5]]
    found = [row for partition in partitions for part in partition.parts for row in partition.rows(part)]
    assert sorted(found, key=rows.index) == rows
    assert sum(map(len, partitions)) == len(rows)


def test_an_input_that_kills_its_workers_is_a_failure_with_a_reason() -> None:
    error = check_result(Input("a.wav", "/in/a.wav"), WorkerDied("SIGALRM"))["error"]
    assert error.startswith("/in/a.wav: ") and "SIGALRM" in error and "300 s" in error
