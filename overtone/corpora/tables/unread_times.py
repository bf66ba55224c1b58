"""Columns of a table that a person wrote and that are times of intervals, but not in the columns of intervals.

    path,emotion,begin,stop             also start_frame,end_frame or "Start Time"
    a.wav,happy,1.5,2.75                the interval would be the whole file

A row with a number in such a column is an error. Others, such as the time of day of a call, are not.
"""

import re
from collections.abc import Mapping

from overtone._internal.column_names import Column
from overtone.corpora.tables.rows import Row, Table, cell_text
from overtone.errors import CorpusError

WORD_BREAK = re.compile(r"[\W_]+|(?<=[a-z\d])(?=[A-Z])")
NUMBER = re.compile(r"-?\d{1,9}(?:[.,]\d*)?")  # with more digits, a date
STARTS, ENDS = {"start", "begin", "onset", "offset", "tmin", "xmin"}, {"end", "stop", "offset", "tmax", "xmax"}
DURATIONS = {"duration", "dur"}
UNITS = {
    *("time", "t", "in", "s", "sec", "secs", "second", "seconds", "ms", "msec", "millis", "milliseconds"),
    *("frame", "frames", "sample", "samples", "min", "minutes"),
}


def unread_times(table: Table, columns: Mapping[str, Column]) -> dict[str, int]:
    """Return the columns with times of intervals that are not read, and their places.

    Args:
        table: a table; if a program has made it, or if it contains the audio, there are none.
        columns: the columns that are read, by meaning.
    """
    if table.made_by_program or table.has_audio:
        return {}
    wanted = [] if "start_s" in columns else [STARTS]
    if "end_s" not in columns and "duration_s" not in columns:
        wanted.append(ENDS | DURATIONS if "start_s" in columns else ENDS)
    read = {column.place for column in columns.values()}
    return {
        name: index
        for index, name in enumerate(table.columns)
        if index not in read and any(_is_time(name, names) for names in wanted)
    }


def check_times_read(row: Row, unread: Mapping[str, int]) -> None:
    """Check that a row has no number in the columns that `unread_times` returns.

    Raises:
        CorpusError: it has one.
    """
    for name, index in unread.items():
        if NUMBER.fullmatch(cell_text(row.cells[index])):
            raise CorpusError(
                f"the column '{name}' is not read; write the interval in seconds in the columns 'start_s' and 'end_s', "
                "or rename the column if it is about something else"
            )


def _is_time(name: str, names: set[str]) -> bool:
    """Return whether the name of a column is one of these, perhaps with a unit: "start_ms" or "Start (s)"."""
    words = [word.lower() for word in WORD_BREAK.split(name) if word]
    return bool(set(words) & names) and set(words) <= names | UNITS
