"""Dialects of CSV: how the tables of predictions and timelines separate cells, write decimals and begin.

`plain` is what R (`read.csv`), pandas and most programs read. Excel takes separator and decimal sign from the language
of the computer, and reads UTF-8 only behind a byte order mark: `excel` is for English ones, `excel-de` for German ones
and others with a decimal comma, which R reads with `read.csv2(fileEncoding = "UTF-8-BOM")`. Excel runs a text that
begins with one of `=+-@` as a formula; in its dialects, such a text begins with an apostrophe.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TextIO

BYTE_ORDER_MARK = "\ufeff"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
DIGITS = dict.fromkeys(("start_s", "end_s", "duration_s", "speech_s", "arousal", "valence"), 3)
PROBABILITY_DIGITS = 6


@dataclass(frozen=True)
class Dialect:
    """A dialect of CSV.

    Attributes:
        separator: of cells.
        decimal: sign between the integer and the fraction of a number.
        for_excel: whether the table begins with a byte order mark, and texts must not be formulas.
    """

    separator: str
    decimal: str
    for_excel: bool = False

    def cell(self, column: str, value: str | float | bool) -> str:
        """Return the text of a value: numbers with the digits of their column, "" for NaN."""
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, str):
            return f"'{value}" if self.for_excel and value.startswith(FORMULA_STARTS) else value
        if isinstance(value, int):
            return str(value)
        return (
            "" if value != value else f"{value:.{DIGITS.get(column, PROBABILITY_DIGITS)}f}".replace(".", self.decimal)
        )


PLAIN = Dialect(",", ".")
DIALECTS = {"plain": PLAIN, "excel": Dialect(",", ".", for_excel=True), "excel-de": Dialect(";", ",", for_excel=True)}


class TableWriter:
    """Writes rows of values to a text stream.

    Args:
        stream: the output.
        dialect: of the table.
    """

    def __init__(self, stream: TextIO, dialect: Dialect = PLAIN) -> None:
        self._stream, self._dialect = stream, dialect
        self._writer = csv.writer(stream, lineterminator="\n", delimiter=dialect.separator)

    def write_header(self, columns: Iterable[str]) -> None:
        """Write the names of the columns; names of classes and of columns of a manifest are texts as others are."""
        if self._dialect.for_excel:
            self._stream.write(BYTE_ORDER_MARK)
        self._writer.writerow([self._dialect.cell("", column) for column in columns])

    def write_row(self, row: Iterable[tuple[str, str | float | bool]]) -> None:
        """Write one row, given as pairs of column and value."""
        self._writer.writerow([self._dialect.cell(column, value) for column, value in row])
