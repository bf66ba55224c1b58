"""Reads a CSV table that a user wrote; every error names the file and the line.

Cells are separated by commas, semicolons or tabs, as the header is; cells that contain the separator are in double
quotes. UTF-8, with or without byte order mark, or UTF-16 with one, as spreadsheets write it.
"""

import codecs
import csv
import io
import math
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TextIO

from overtone.errors import CorpusError

MAX_SHOWN_LINES = 10
SEPARATORS = ",;\t"  # the first one where a header has none, as it has one column


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
            start = list(_until_header(file))
            lines = csv.reader(chain(start, file), strict=True, delimiter=_separator(start))
            try:
                for row in lines:
                    if any(cell.strip() for cell in row):
                        yield lines.line_num, row
            except csv.Error as error:
                raise CorpusError(f"{table}, line {lines.line_num}: not CSV: {error}") from error
    except UnicodeError as error:
        raise CorpusError(f"{table}: not UTF-8 ({getattr(error, 'reason', error)}); save it as 'CSV UTF-8'") from error
    except OSError as error:
        raise CorpusError(f"{table}: cannot be read: {error.strerror}; expected\n{expected}") from error


def _open_text(table: Path | str, content: bytes | None) -> TextIO:
    raw = Path(table).open("rb", buffering=0) if content is None else io.BytesIO(content)  # noqa: SIM115 (see below)
    file = io.BufferedReader(raw)
    is_utf_16 = file.peek().startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # without seeking: it may be a pipe
    return io.TextIOWrapper(file, encoding="utf-16" if is_utf_16 else "utf-8-sig", newline="")  # closes all three


def _until_header(file: TextIO) -> Iterator[str]:
    """Yield the lines until the header, the first one that is not blank."""
    for line in file:
        yield line
        if line.strip():
            return


def _separator(start: Sequence[str]) -> str:
    """Return the separator that is most frequent in the last of these lines, the header, outside quotes."""
    unquoted = "".join("".join(start[-1:]).split('"')[::2])
    return max(SEPARATORS, key=unquoted.count)


def check_unique(columns: Sequence[str], place: str) -> None:
    """Check that no two columns have the same name.

    Args:
        columns: names of the columns.
        place: file and line, for the message.

    Raises:
        CorpusError: two have.
    """
    for name in columns:
        if columns.count(name) > 1:
            raise CorpusError(f"{place}: duplicate column '{name}'; remove one of them")


def parse_interval(start: str, end: str) -> tuple[float | None, float | None]:
    """Return the start and the end of an interval in seconds; None for an empty cell.

    Args:
        start: cell of the column `start_s`.
        end: cell of the column `end_s`.

    Raises:
        CorpusError: one is not a number of seconds, with a decimal point or comma, or the end is not after the start.
    """
    start_s, end_s = _parse_seconds(start, "start_s"), _parse_seconds(end, "end_s")
    if end_s is not None and end_s <= (start_s or 0.0):
        raise CorpusError(f"end_s {end_s} is not after start_s {start_s or 0.0}")
    return start_s, end_s


def format_errors(table: Path | str, errors: Sequence[str]) -> str:
    """Return all errors of a table, each "line N: ...", as one message with the first ten of them."""
    if len(errors) == 1:
        return f"{table}, {errors[0]}"
    more = len(errors) - MAX_SHOWN_LINES
    shown = [*errors[:MAX_SHOWN_LINES], *([f"... and {more} more"] if more > 0 else [])]
    return f"{table}: {len(errors)} invalid lines:\n" + "\n".join(f"  {line}" for line in shown)


def _parse_seconds(text: str, column: str) -> float | None:
    """Return a time in seconds, >= 0; None for an empty cell."""
    if not text:
        return None
    try:
        time_s = float(text.replace(",", "."))
    except ValueError:
        time_s = math.nan
    if not (math.isfinite(time_s) and time_s >= 0) or "_" in text:
        raise CorpusError(f"{column} '{text}' is not a number of seconds such as 12.5")
    return time_s
