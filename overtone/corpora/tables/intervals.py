"""The interval of a file that a row of a table names, in any common notation of times."""

from overtone._internal.clock_times import parse_seconds
from overtone.corpora.tables.rows import Value, cell_text
from overtone.errors import CorpusError


def parse_interval(start: Value, end: Value) -> tuple[float | None, float | None]:
    """Return the start and the end of an interval in seconds; None for an empty cell.

    Args:
        start: cell of the column `start_s`: a number of seconds, with a decimal point or comma, or a clock time such as
            "0 days 00:00:01.5".
        end: cell of the column `end_s`.

    Raises:
        CorpusError: one is no such time, or the end is not after the start.
    """
    start_s, end_s = _parse_seconds(start, "start_s"), _parse_seconds(end, "end_s")
    if end_s is not None and end_s <= (start_s or 0.0):
        raise CorpusError(f"end_s {end_s} is not after start_s {start_s or 0.0}")
    return start_s, end_s


def _parse_seconds(cell: Value, column: str) -> float | None:
    """Return a time in seconds, >= 0; None for an unknown one."""
    try:
        return parse_seconds(cell_text(cell))
    except ValueError as error:
        raise CorpusError(f"{column} {error}") from error
