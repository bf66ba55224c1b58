"""Columns of a table that a person wrote and that are times of intervals, but not in the columns of intervals.

    path,emotion,begin,stop             also start_frame,end_frame or "Start Time"
    a.wav,happy,1.5,2.75                the interval would be the whole file

A row with a number in such a column is an error. Others, such as the time of day of a call, are not; where the other
end of the interval is read, so is a clock time.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

from overtone._internal.clock_times import CLOCK_TIME
from overtone._internal.column_names import NAMES, OFFSET, Column, box_corners, column_key
from overtone.corpora.tables.columns import names_in_manifest
from overtone.corpora.tables.rows import Row, Table, cell_text
from overtone.errors import CorpusError

WORD_BREAK = re.compile(r"[\W_]+|(?<=[a-z\d])(?=[A-Z])")
NUMBER = re.compile(r"-?\d{1,9}(?:[.,]\d*)?")  # with more digits, a date
UNITS = {
    *("time", "t", "in", "s", "sec", "secs", "second", "seconds", "ms", "msec", "millis", "milliseconds"),
    *("frame", "frames", "sample", "samples", "min", "minutes"),
}
OTHERS = {"from", "to", "fine"}  # in manifests rather the two sides of a call, and a word of English


class UnreadTimes(NamedTuple):
    """The columns with times of intervals that are not read.

    Attributes:
        places: of these columns among all, from 0, by name.
        may_be_clock_times: whether a clock time in them is the end of an interval whose start is read, or the start.
    """

    places: Mapping[str, int]
    may_be_clock_times: bool


def unread_times(table: Table, columns: Mapping[str, Column]) -> UnreadTimes:
    """Return the columns with times of intervals that are not read.

    Args:
        table: a table; if a program has made it, or if it contains the audio, there are none.
        columns: the columns that are read, by meaning.
    """
    has_start, has_end = "start_s" in columns, "end_s" in columns or "duration_s" in columns
    if table.made_by_program or table.has_audio or (has_start and has_end):
        return UnreadTimes({}, False)
    wanted = [
        *([] if has_start else [_words("start_s")]),
        *([] if has_end else [_words("end_s")]),
        *([_words("duration_s")] if has_start else []),  # otherwise that of the whole file
    ]
    corners = box_corners(list(map(column_key, table.columns)))
    read = {column.place for column in columns.values()}
    places = {
        name: index
        for index, name in enumerate(names_in_manifest(table.columns))
        if index not in read and column_key(name) not in corners and any(_is_time(name, words) for words in wanted)
    }
    return UnreadTimes(places, has_start or has_end)


def check_times_read(row: Row, unread: UnreadTimes) -> None:
    """Check that a row has no time in the columns that `unread_times` returns.

    Raises:
        CorpusError: it has one.
    """
    for name, index in unread.places.items():
        text = cell_text(row.cells[index])
        if NUMBER.fullmatch(text) or (unread.may_be_clock_times and CLOCK_TIME.fullmatch(text)):
            raise CorpusError(
                f"the column '{name}' is not read; write the interval in seconds in the columns 'start_s' and 'end_s', "
                "or rename the column if it is about something else"
            )


def _words(meaning: str) -> set[str]:
    """Return the words that name a start, an end or a duration in any table, without those of units."""
    names = NAMES[meaning]
    words = {
        word
        for each in (names.anywhere, names.of_turns, names.of_turns_else)
        for name in each
        for word in name.split("_")
    }
    return (words | ({OFFSET} if meaning != "duration_s" else set())) - UNITS - OTHERS


def _is_time(name: str, names: set[str]) -> bool:
    """Return whether the name of a column is one of these, perhaps with a unit: "start_ms" or "Start (s)"."""
    words = [word.lower() for word in WORD_BREAK.split(name) if word]
    return bool(set(words) & names) and set(words) <= names | UNITS
