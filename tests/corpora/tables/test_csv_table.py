"""Tables as spreadsheets write them: separators, encodings, decimal commas."""

import os
import threading
from pathlib import Path

import pytest

from overtone.corpora.tables.csv_table import read, rows
from overtone.errors import CorpusError

CELLS = [["path", "emotion", "said"], ["a, b; c.wav", 'very "calm"', "one\ttwo\nthree"], ["ä.wav", "", "no"]]


def written(separator: str) -> str:
    """Return the cells as a table, each in double quotes where needed."""
    needs = (separator, '"', "\n")
    lines = [
        separator.join(
            '"' + cell.replace('"', '""') + '"' if any(sign in cell for sign in needs) else cell for cell in row
        )
        for row in CELLS
    ]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_separator_line_end_and_encoding(separator: str, end: str, encoding: str, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    content = ("\n\n" + written(separator)).replace("\n", end).encode(encoding)
    table.write_bytes(content)
    expected = [[cell.replace("\n", end) for cell in row] for row in CELLS]
    assert [cells for _, cells in rows(table, "")] == expected
    assert [cells for _, cells in rows("given.csv", "", content)] == expected


@pytest.mark.skipif(os.name != "posix", reason="named pipes of POSIX")
def test_a_table_may_come_from_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "table.csv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("\n" + written(";"), "utf-8"))
    writer.start()
    assert [(line, cells) for line, cells in rows(pipe, "")] == [(2, CELLS[0]), (4, CELLS[1]), (5, CELLS[2])]
    writer.join()


def test_a_single_column_is_separated_by_commas(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text('path\n"a,b.wav"\nc;d.wav\n', "utf-8")
    assert [cells for _, cells in rows(table, "")] == [["path"], ["a,b.wav"], ["c;d.wav"]]


def test_separators_in_quoted_names_of_columns_do_not_count(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text('path,"id;a;b;c",emotion\na.wav,1,sad\n', "utf-8")
    assert [cells for _, cells in rows(table, "")] == [["path", "id;a;b;c", "emotion"], ["a.wav", "1", "sad"]]


@pytest.mark.parametrize("content", [b"\xff\xfeA", b"path\n\xff.wav", "path\n\u00e4".encode("utf-16")[:-1]])
def test_other_encodings_are_refused(content: bytes) -> None:
    with pytest.raises(CorpusError, match=r"^t\.csv: not UTF-8 "):
        list(rows("t.csv", "", content))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32", "utf-8"])
def test_null_characters_are_told_as_such(encoding: str) -> None:
    with pytest.raises(CorpusError, match=r"^t\.csv, line 1: has null characters"):
        read("t.csv", "", "path,emotion\na.wav,sad\n".replace("path", "pa\0th").encode(encoding), "")


def test_byte_order_marks_of_joined_files() -> None:
    table = read("t.csv", "", "\ufeff\ufeffpath,emotion\na.wav,sad\n".encode(), "")
    assert table.columns == ("path", "emotion")
