"""Which tables of a folder are read: one named `manifest`, those of a batch, or all."""

import json
from pathlib import Path

import pytest

from overtone.corpora.tables import read_tables
from overtone.errors import CorpusError


def write(folder: Path, *names: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in names:
        is_json = name.endswith(("jsonl", "ndjson"))
        (folder / name).write_text(json.dumps({"path": name}) if is_json else f"path\n{name}\n")


def cells(location: Path | str) -> list[object]:
    return [row.cells[0] for table in read_tables(str(location), "a table") for row in table.rows]


def test_all_tables_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path, "b.csv", "c.JSONL", "a.tsv", ".hidden.csv", "notes.txt")
    (tmp_path / "c.JSONL").write_text('{"path": "c.JSONL"}')
    assert cells(tmp_path) == ["a.tsv", "b.csv", "c.JSONL"]
    assert cells(f"{tmp_path}#b.csv") == ["b.csv"]
    assert cells(f"{tmp_path}#c.JSONL,a.tsv") == ["c.JSONL", "a.tsv"]
    with pytest.raises(CorpusError, match=r"no table 'd\.csv' in it; there are a\.tsv, b\.csv, c\.JSONL"):
        cells(f"{tmp_path}#d.csv")
    with pytest.raises(CorpusError, match=r"b\.csv: is one table; omit #x"):
        cells(f"{tmp_path}/b.csv#x")


def test_a_manifest_is_the_only_table(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", "manifest.jsonl")
    assert cells(tmp_path) == ["manifest.jsonl"]


def test_a_hash_in_the_name_of_a_file_is_no_selection(tmp_path: Path) -> None:
    write(tmp_path, "take#1.csv")
    assert cells(tmp_path / "take#1.csv") == ["take#1.csv"]


def test_failures_of_a_batch_are_not_read(tmp_path: Path) -> None:
    write(tmp_path, "failures.csv", "predictions.csv")
    (tmp_path / "batch.json").write_text("{}")
    assert cells(tmp_path) == ["predictions.csv"]


def test_a_folder_without_tables_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    with pytest.raises(CorpusError, match=rf"^{tmp_path}: a folder without a table"):
        cells(tmp_path)
