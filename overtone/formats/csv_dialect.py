"""Dialects of CSV: how the tables of predictions and timelines separate cells, write decimals and begin.

`plain` is what R (`read.csv`), pandas and most programs read. Excel takes separator and decimal sign from the language
of the computer, and reads UTF-8 only behind a byte order mark: `excel` is for English ones, `excel-de` for German ones
and others with a decimal comma, which R reads with `read.csv2(fileEncoding = "UTF-8-BOM")`. Excel runs a text that
begins with one of `=+-@` as a formula; in its dialects, such a text begins with an apostrophe.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TextIO

BYTE_ORDER_MARK = "\ufeff"
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
            return self._write_text(value)
        if isinstance(value, int):
            return str(value)
        return (
            "" if value != value else f"{value:.{DIGITS.get(column, PROBABILITY_DIGITS)}f}".replace(".", self.decimal)
        )

    def given_cell(self, value: Any) -> str:
        """Return the text of a value of a manifest: a text, a number with all of its digits, or "" for None."""
        if isinstance(value, float):
            return str(value).replace(".", self.decimal)
        return self.cell("", value) if isinstance(value, str) else "" if value is None else str(value)

    def _write_text(self, text: str) -> str:
        if not self.for_excel:
            return text
        from overtone._internal.spreadsheet_text import quote_formula  # most tables do not need it

        return quote_formula(text)

    def read_text(self, cell: str) -> str:
        """Return the text that a cell was written for."""
        if not self.for_excel:
            return cell
        from overtone._internal.spreadsheet_text import unquote_formula

        return unquote_formula(cell)

    def read_number(self, cell: str) -> float:
        """Return the number that a cell was written for; 0 for an unknown one.

        Raises:
            ValueError: it is not a number.
        """
        return float(cell.replace(self.decimal, ".") or 0)


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
        self.write_cells(self._dialect.cell(column, value) for column, value in row)

    def write_cells(self, cells: Iterable[str]) -> None:
        """Write one row, given as texts of cells."""
        self._writer.writerow(cells)
