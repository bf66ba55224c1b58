"""The interval of a file that a row of a table names, in any common notation of times."""

import math
import re

from overtone.corpora.tables.rows import Value, cell_text
from overtone.errors import CorpusError

# "0 days 00:00:01.500000", as pandas and audformat write it, "1 day, 0:00:01.5", as Python does, or "0:01.5".
CLOCK_TIME = re.compile(r"(?:(\d+) days?,? +)?(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:[.,]\d+)?)")
NUMBER = re.compile(r"\d+(?:[.,]\d*)?(?:[eE][-+]?\d+)?|[.,]\d+")
UNKNOWN = ("", "NaT")  # the latter as pandas writes it


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
    text = cell_text(cell)
    if text in UNKNOWN:
        return None
    clock = CLOCK_TIME.fullmatch(text)
    if clock:
        days, hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in clock.groups())
        return ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    time_s = float(text.replace(",", ".")) if NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(time_s):
        raise CorpusError(f"{column} '{text}' is not a number of seconds such as 12.5")
    return time_s
