"""Reads a CSV table that a user wrote; every error names the file and the line.

Cells are separated by commas, semicolons or tabs, as the header is; cells that contain the separator are in double
quotes. UTF-8, with or without byte order mark, or UTF-16 with one, as spreadsheets write it.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from overtone._internal.delimited_text import delimited_rows
from overtone._internal.text_encoding import text_encoding
from overtone.corpora.tables.rows import Row, Table
from overtone.errors import CorpusError

NULL_CHARACTERS = "has null characters: not text, or UTF-16 without a byte order mark; save it as 'CSV UTF-8'"
BYTE_ORDER_MARK = "\ufeff"  # files that were joined have several


def read(name: str, folder: str, content: bytes | None, expected: str) -> Table:
    """Return a CSV file as a table.

    Args:
        name: path or URL of the file.
        folder: folder to which the paths in it are relative.
        content: content of the file; None to read it.
        expected: description of the expected content, for messages.

    Raises:
        CorpusError: it cannot be read, is empty, not UTF-8 or UTF-16, or not CSV, or its header has null characters.
    """
    lines = rows(name, expected, content)
    line, header = next(lines, (0, []))
    if not header:
        raise CorpusError(f"{name}: is empty; expected {expected}")
    if any("\0" in cell for cell in header):
        raise CorpusError(f"{name}, line {line}: {NULL_CHARACTERS}")
    columns = tuple(cell.strip().strip(BYTE_ORDER_MARK) for cell in header)
    return Table(name, columns, _rows(lines, len(columns)), (folder,), header=f"line {line}")


def _rows(lines: Iterator[tuple[int, list[str]]], width: int) -> Iterator[Row]:
    """Yield the rows, each with as many cells as there are columns."""
    for line, cells in lines:
        error = "" if len(cells) == width else f"{len(cells)} cells where the header has {width}"
        yield Row(f"line {line}", tuple([*cells, *[""] * width][:width]), error)


def rows(table: Path | str, expected: str, content: bytes | None = None) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the cells of the header and of every row that is not blank.

    Args:
        table: the file, or its name if the content is given.
        expected: description of the expected content, for messages.
        content: content of the file; None to read it.

    Raises:
        CorpusError: it cannot be read, is not UTF-8 or UTF-16, or not CSV.
    """
    try:
        with _open_text(table, content) as file:
            for row in delimited_rows(file):
                if row.error:
                    raise CorpusError(f"{table}, line {row.line}: not CSV: {row.error}")
                yield row.line, row.cells
    except UnicodeError as error:
        raise CorpusError(f"{table}: not UTF-8 ({getattr(error, 'reason', error)}); save it as 'CSV UTF-8'") from error
    except OSError as error:
        raise CorpusError(f"{table}: cannot be read: {error.strerror}; expected {expected}") from error


def _open_text(table: Path | str, content: bytes | None) -> TextIO:
    raw = Path(table).open("rb", buffering=0) if content is None else io.BytesIO(content)  # noqa: SIM115 (see below)
    file = io.BufferedReader(raw)
    encoding = text_encoding(file.peek())  # without seeking: it may be a pipe
    return io.TextIOWrapper(file, encoding=encoding, newline="")  # closes all three
