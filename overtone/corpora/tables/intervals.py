"""The interval of a file that a row of a table names, in any common notation of times."""

from collections.abc import Mapping, Sequence

from overtone._internal.clock_times import parse_seconds
from overtone._internal.column_names import TIMES, Column
from overtone.corpora.tables.rows import Value, cell_text
from overtone.errors import CorpusError


def read_interval(cells: Sequence[Value], columns: Mapping[str, Column]) -> tuple[float | None, float | None]:
    """Return the start and the end of the interval that a row names, in seconds; None where it is unknown.

    Args:
        cells: all cells of the row.
        columns: as `overtone.corpora.tables.columns.find_columns` returns them.

    Raises:
        CorpusError: a time is invalid, or the end is not after the start.
    """
    start_s, end_s, duration_s = (
        _parse_seconds(cells[columns[name].place], name, columns[name].per_second) if name in columns else None
        for name in TIMES
    )
    if duration_s is not None:
        end_s = round((start_s or 0.0) + duration_s, 6)
    return _check_order(start_s, end_s)


def parse_interval(start: Value, end: Value) -> tuple[float | None, float | None]:
    """Return the start and the end of an interval in seconds; None for an empty cell.

    Args:
        start: cell of the column `start_s`: a number of seconds, with a decimal point or comma, or a clock time such as
            "0 days 00:00:01.5".
        end: cell of the column `end_s`.

    Raises:
        CorpusError: one is no such time, or the end is not after the start.
    """
    return _check_order(_parse_seconds(start, "start_s"), _parse_seconds(end, "end_s"))


def _check_order(start_s: float | None, end_s: float | None) -> tuple[float | None, float | None]:
    if end_s is not None and end_s <= (start_s or 0.0):
        raise CorpusError(f"end_s {end_s} is not after start_s {start_s or 0.0}")
    return start_s, end_s


def _parse_seconds(cell: Value, column: str, per_second: int = 1) -> float | None:
    """Return a time in seconds, >= 0; None for an unknown one.

    Args:
        cell: a number, or a clock time.
        column: its column, for messages.
        per_second: how many units of the number are one second.
    """
    text = cell_text(cell)
    try:
        time = parse_seconds(text)
    except ValueError as error:
        raise CorpusError(f"{column} {error}") from error
    return time if time is None or ":" in text else time / per_second
