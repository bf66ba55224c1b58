"""Parquet: every type of column, the classes of Hugging Face datasets, and a missing package."""

import datetime
import decimal
import json
import sys
from pathlib import Path

import pytest

from overtone.corpora.tables.hub_features import class_names, parse_features
from overtone.corpora.tables.parquet_table import read
from overtone.errors import CorpusError, MissingExtraError

pa = pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
pq = pytest.importorskip("pyarrow.parquet")

FEATURES = {
    "path": {"dtype": "string", "_type": "Value"},
    "label": {"names": ["angry", "sad"], "_type": "ClassLabel"},
}


def test_every_type_of_column(tmp_path: Path) -> None:
    columns = {
        "path": pa.array(["a.wav", None], pa.large_string()),
        "label": pa.array(["sad", None]).dictionary_encode(),
        "code": pa.array([7, None], pa.int16()).dictionary_encode(),
        "start": pa.array([1_500_000_001, None], pa.duration("ns")),
        "end": pa.array([2_500, None], pa.duration("ms")),
        "share": pa.array([float("nan"), 0.25]),
        "sure": pa.array([True, None]),
        "day": pa.array([datetime.date(2024, 5, 17), None]),
        "price": pa.array([decimal.Decimal("1.50"), None]),
        "words": pa.array([["a", "b"], None]),
        "nothing": pa.array([None, None], pa.null()),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    table = read(str(tmp_path / "t.parquet"), "", None, "a table")
    assert table.columns == tuple(columns)
    assert {name: str(kind) for name, kind in table.types.items()} == {
        "code": "int16",
        "start": "double",
        "end": "double",
        "share": "double",
        "sure": "bool",
    }
    first, second = table.rows
    assert (first.position, second.position) == ("row 1", "row 2")
    assert first.cells[:7] == ("a.wav", "sad", 7, pytest.approx(1.500000001), 2.5, None, True)
    assert first.cells[7:] == ("2024-05-17", "1.50", "['a', 'b']", None)
    assert second.cells == (None, None, None, None, None, 0.25, None, None, None, None, None)


def test_class_labels_of_a_dataset_are_names(tmp_path: Path) -> None:
    metadata = {"huggingface": json.dumps({"info": {"features": FEATURES}})}
    table = pa.table({"path": list("abcd"), "label": [1, 0, -1, 5]}).replace_schema_metadata(metadata)
    pq.write_table(table, tmp_path / "t.parquet")
    found = read(str(tmp_path / "t.parquet"), "", None, "a table")
    assert [row.cells[1] for row in found.rows] == ["sad", "angry", None, "5"]
    assert found.types == {}


@pytest.mark.parametrize(
    "metadata",
    [
        *(b"", b"{}", b"[]", b'{"info": null}', b'{"info": {"features": {"a": 1}}}', b"\xff"),
        b'{"info": {"features": [1]}}',
        b'{"info": {"features": {"a": {"_type": "ClassLabel"}}}}',
    ],
)
def test_other_metadata_has_no_classes(metadata: bytes) -> None:
    assert class_names(parse_features(metadata)) == {}


def test_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    pq.write_table(pa.table({"path": ["a.wav"] * 1000}), tmp_path / "t.parquet", compression="zstd")
    content = (tmp_path / "t.parquet").read_bytes()
    for damaged in (b"not a table", content[:20], content[:-9] + b"x" * 9):
        with pytest.raises(CorpusError, match=r"^t\.parquet: cannot be read as Parquet"):
            read("t.parquet", "", damaged, "a table")
    with pytest.raises(CorpusError, match=r"t\.parquet: cannot be read as Parquet"):
        list(read("t.parquet", "", content[:4] + b"\0" * 20 + content[24:], "a table").rows)


def test_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'overtone\[parquet\]'"):
        read("t.parquet", "", b"", "a table")
