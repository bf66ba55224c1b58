"""A CSV table that somebody wrote -> its rows, every fault told with file and line.

UTF-8, with or without byte order mark; cells with commas in double quotes.
"""

import csv
import io
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from overtone.errors import CorpusError

SHOWN_BAD_LINES = 10


def rows(table: Path | str, expected: str, content: bytes | None = None) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of the header and of every row that is not blank.

    Args:
        table: the file, or its name where the content is given.
        expected: what should be in it, for messages.
        content: of the file; None to read it.

    Raises:
        CorpusError: it cannot be read, is not UTF-8, or not CSV.
    """
    try:
        with _text(table, content) as file:
            lines = csv.reader(file, strict=True)
            try:
                for row in lines:
                    if any(cell.strip() for cell in row):
                        yield lines.line_num, row
            except csv.Error as error:
                raise CorpusError(f"{table}, line {lines.line_num}: not CSV: {error}") from error
    except UnicodeDecodeError as error:
        raise CorpusError(f"{table}: not UTF-8 ({error.reason}); save it as 'CSV UTF-8'") from error
    except OSError as error:
        raise CorpusError(f"{table}: cannot be read: {error.strerror}; expected\n{expected}") from error


def _text(table: Path | str, content: bytes | None) -> TextIO:
    if content is None:
        return Path(table).open(encoding="utf-8-sig", newline="")
    return io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")


def check_unique(columns: Sequence[str], place: str) -> None:
    """Nothing, where no two columns have one name.

    Raises:
        CorpusError: two have; `place` stands in front of the message.
    """
    for name in columns:
        if columns.count(name) > 1:
            raise CorpusError(f"{place}: column '{name}' is there twice; keep one")


def parse_interval(start: str, end: str) -> tuple[float | None, float | None]:
    """Where a stretch begins and ends, in seconds; None for the ends of the file.

    Args:
        start: cell of the column `start_s`.
        end: cell of the column `end_s`.

    Raises:
        CorpusError: one is no number of seconds, or the end is not after the start.
    """
    start_s, end_s = _seconds(start, "start_s"), _seconds(end, "end_s")
    if end_s is not None and end_s <= (start_s or 0.0):
        raise CorpusError(f"end_s {end_s} is not after start_s {start_s or 0.0}")
    return start_s, end_s


def format_errors(table: Path | str, bad: Sequence[str]) -> str:
    """All bad lines of a table in one message, the first ten in full."""
    if len(bad) == 1:
        return f"{table}, {bad[0]}"
    more = len(bad) - SHOWN_BAD_LINES
    shown = [*bad[:SHOWN_BAD_LINES], *([f"... and {more} more"] if more > 0 else [])]
    return f"{table}: {len(bad)} bad lines:\n" + "\n".join(f"  {line}" for line in shown)


def _seconds(text: str, column: str) -> float | None:
    """A time in seconds, >= 0; None where the cell is empty."""
    if not text:
        return None
    try:
        time_s = float(text)
    except ValueError:
        time_s = math.nan
    if not (math.isfinite(time_s) and time_s >= 0) or "_" in text:
        raise CorpusError(f"{column} '{text}' is not a number of seconds such as 12.5")
    return time_s
