"""The rows of a text whose cells are separated by commas, semicolons, tabs or another character, as the header is."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

DECLARED_SEPARATOR = re.compile(r'"?sep=(.)"?[,;\s]*')  # the first line, by which Excel chooses the separator
SEPARATORS = ",;\t"  # the first one where a header has none, as it has one column


class DelimitedRow(NamedTuple):
    """A row that is not blank.

    Attributes:
        line: number of its last line, from 1.
        cells: its cells; empty if there is an error.
        error: why it cannot be read; "" if it can.
    """

    line: int
    cells: list[str]
    error: str = ""


def delimited_rows(lines: Iterable[str], separators: str = SEPARATORS) -> Iterator[DelimitedRow]:
    """Yield the header and the other rows that are not blank. Cells that contain the separator are in double quotes.

    Args:
        lines: the lines with their ends, as a file that was opened with `newline=""` yields them.
        separators: the characters that may separate cells; the most frequent one in the header does.
    """
    rest = iter(lines)
    start = list(_until_header(rest))
    declared = DECLARED_SEPARATOR.fullmatch(start[-1].rstrip("\r\n")) if start else None
    if declared:
        start = [*["\n"] * len(start), *_until_header(rest)]
    separator = declared[1] if declared else _separator(start, separators)
    reader = csv.reader(chain(start, rest), strict=True, delimiter=separator, skipinitialspace=separator == " ")
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            yield DelimitedRow(reader.line_num, [], str(error))
            continue
        if row is None:
            return
        if any(cell.strip() for cell in row):
            yield DelimitedRow(reader.line_num, row)


def _until_header(lines: Iterator[str]) -> Iterator[str]:
    """Yield the lines until the header, the first one that is not blank."""
    for line in lines:
        yield line
        if line.strip():
            return


def _separator(start: Sequence[str], separators: str) -> str:
    """Return the separator that is most frequent in the last of these lines, the header, outside quotes."""
    unquoted = "".join("".join(start[-1:]).split('"')[::2]).strip("\r\n")
    # Names may have blanks: these separate cells only where nothing else does.
    found = [separator for separator in separators if separator != " " and separator in unquoted]
    return max(found or separators, key=unquoted.count)
