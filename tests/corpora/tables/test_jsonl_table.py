"""JSON Lines: columns are the keys of all lines, and a bad line does not affect the others."""

import os
import threading
from pathlib import Path

import pytest

from overtone.corpora.tables.jsonl_table import read
from overtone.corpora.tables.rows import Table
from overtone.errors import CorpusError


def table(text: str | bytes) -> Table:
    return read("t.jsonl", "", text.encode() if isinstance(text, str) else text, "a table")


def test_columns_and_types_are_those_of_all_lines() -> None:
    found = table(
        '\ufeff{"path": "a.wav", "n": 1, "x": 1, "ok": true, "mixed": 1}\r\n\n'
        '{"x": 2.5, "path": "ä.wav", "n": null, "mixed": "two", "more": {"p": [1, "é"]}, "wild": NaN}\n'
    )
    assert found.columns == ("path", "n", "x", "ok", "mixed", "more", "wild")
    assert found.types == {"n": int, "x": float, "ok": bool, "wild": float}
    first, second = found.rows
    assert first.position == "line 1" and second.position == "line 3"
    assert first.cells == ("a.wav", 1, 1.0, True, "1", None, None)
    assert second.cells == ("ä.wav", None, 2.5, None, "two", '{"p": [1, "é"]}', None)
    assert isinstance(first.cells[2], float)


def test_bad_lines_are_rows_with_an_error() -> None:
    rows = list(table(b'{"path": "a"}\n{"path": \n[1]\n\xff\n{"path": "b"}\n' + b"[" * 100_000).rows)
    assert [row.position for row in rows if row.error] == ["line 2", "line 3", "line 4", "line 6"]
    assert [row.error.split(" (")[0] for row in rows if row.error] == [
        "not JSON",
        "not a JSON object",
        "not UTF-8",
        "not JSON",
    ]
    assert [row.cells for row in rows if not row.error] == [("a",), ("b",)]


@pytest.mark.parametrize(("text", "problem"), [("", "is empty"), ("\n \n", "is empty"), ("path\n", "not JSON")])
def test_a_file_without_an_object_is_an_error(text: str, problem: str) -> None:
    with pytest.raises(CorpusError, match=rf"^t\.jsonl: {problem}.*; expected a table, one JSON object per line"):
        table(text)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"gone\.jsonl: cannot be read: No such file"):
        read(str(tmp_path / "gone.jsonl"), "", None, "a table")


@pytest.mark.skipif(os.name != "posix", reason="named pipes of POSIX")
def test_a_table_may_come_from_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "table.jsonl"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=('{"path": "a"}\n',))
    writer.start()
    assert [row.cells for row in read(str(pipe), "", None, "a table").rows] == [("a",)]
    writer.join()
