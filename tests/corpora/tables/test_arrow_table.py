"""Arrow streams and files: class labels from the folder, and damaged content."""

import json
from pathlib import Path

import numpy as np
import pytest
from hub_dataset import FEATURES, rows, write_arrow

from overtone.corpora.tables.arrow_table import read
from overtone.errors import CorpusError

pa = pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")


@pytest.mark.parametrize("is_file", [False, True])
def test_rows_of_all_batches(tmp_path: Path, is_file: bool) -> None:
    path = write_arrow(tmp_path / "d.arrow", rows(range(5)), is_file=is_file)
    for content in (None, path.read_bytes()):
        table = read(str(path), "", content, "a table")
        assert table.columns == ("audio", "label", "speaker")
        assert [(row.position, row.cells) for row in table.rows] == [
            (f"row {k + 1}", (f"{k}.wav", ("anger", "sadness")[k % 2], f"s{k % 2}")) for k in range(5)
        ]


def test_class_labels_of_the_folder(tmp_path: Path) -> None:
    table = pa.table({"path": ["a.wav", "b.wav"], "label": [1, 0]})
    with pa.ipc.new_stream(str(tmp_path / "d.arrow"), table.schema) as writer:
        writer.write_table(table)
    assert [row.cells[1] for row in read(str(tmp_path / "d.arrow"), "", None, "").rows] == [1, 0]
    for content, names in (("[]", [1, 0]), (json.dumps({"features": FEATURES}), ["sadness", "anger"])):
        (tmp_path / "dataset_info.json").write_text(content)
        assert [row.cells[1] for row in read(str(tmp_path / "d.arrow"), "", None, "").rows] == names


def test_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    content = write_arrow(tmp_path / "d.arrow", rows(range(5))).read_bytes()
    (tmp_path / "empty.arrow").touch()
    changed = (content.replace(b"speaker", b"speake\xff"), content.replace(b"0.wav", b"0.wa\xff", 1))
    for damaged in (b"not a table", b"", content[:20], content[: len(content) // 2], b"ARROW1" + content, *changed):
        with pytest.raises(CorpusError, match=r"^d\.arrow: cannot be read as Arrow"):
            list(read("d.arrow", "", damaged, "a table").rows)
    for name in ("empty.arrow", "missing.arrow"):
        with pytest.raises(CorpusError, match=f"{name}: cannot be read as Arrow"):
            read(str(tmp_path / name), "", None, "a table")


def test_wrong_offsets_end_no_process() -> None:
    table = pa.record_batch({"path": ["a.wav", "bb.wav"]})
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_batch(table)
    valid, wrong = (np.array([0, *ends], np.int32).tobytes() for ends in ((5, 11), (1 << 29, 1 << 30)))
    content = stream.getvalue().to_pybytes()
    assert content.count(valid) == 1
    assert len(list(read("d.arrow", "", content, "a table").rows)) == 2
    with pytest.raises(CorpusError, match=r"d\.arrow: cannot be read as Arrow"):
        list(read("d.arrow", "", content.replace(valid, wrong), "a table").rows)
