"""Reads a table of turns: a header and one row per turn, as spreadsheets and programs write it.

    start_s,end_s,speaker,text                     also separated by semicolons, tabs, bars or blanks
    0.5,2.75,anna,"well, yes"

Times have a decimal point or comma, or are clock times such as `0:01:02.5`; their columns may name a unit, such as
`start_ms` or `Start (s)`. A table may have the column `duration` instead of `end_s`, or where `end_s` is empty, and a
column of files. The output of `overtone timeline` is such a table: its segments without speech are not turns, unless
they have a speaker or words.
"""

import codecs
import io
from collections.abc import Iterator, Sequence

from overtone._internal import column_names
from overtone._internal.delimited_text import SEPARATORS, delimited_rows
from overtone._internal.spreadsheet_text import unquote_formula
from overtone._internal.text_encoding import decode_text
from overtone.speaker_turns.content import NO_RECORDING, select_recording
from overtone.speaker_turns.turn import Turn, clean_text, make_turn, parse_time, unread_speakers

MEANINGS = ("path", "start_s", "end_s", "duration_s", "speaker", "tier", "text", "speech")
EXPECTED = "start_s,end_s,speaker"


def parse(content: bytes, recording: str) -> Iterator[Turn]:
    """Yield the turns of a recording, and the rows that cannot be read."""
    text = decode_text(content)
    is_for_excel = content.startswith(codecs.BOM_UTF8)  # where `--csv-dialect excel` quotes formulas
    rows = delimited_rows(io.StringIO(text, newline=""), SEPARATORS + "| ")
    header = next(rows, None)
    if header is None:
        raise ValueError(f"is empty; expected the columns {EXPECTED}")
    if header.error:
        raise ValueError(f"line {header.line}: not CSV: {header.error}")
    columns = find_columns(header.cells)
    named, faulty = [], []
    for line, cells, error in rows:
        position = f"line {line}"
        if error:
            faulty.append(Turn(position, error=f"not CSV: {error}"))
        elif len(cells) > len(header.cells) and any(cell.strip() for cell in cells[len(header.cells) :]):
            expected = "more cells than the header has; put quotes around text with separators, and name every column"
            faulty.append(Turn(position, error=expected))
        else:
            row = _read_cells(cells, columns)
            named.append((position, {k: unquote_formula(cell) for k, cell in row.items()} if is_for_excel else row))
    selected = select_recording((_file(row) for _, row in named), recording)
    yield from faulty
    for position, row in named:
        if _file(row) in selected:
            yield from [] if is_pause(row) else [row_to_turn(position, row)]
        elif not _file(row):
            yield Turn(position, error=NO_RECORDING)
    read = {column.place for column in columns.values()}
    unread = [name for index, name in enumerate(header.cells) if name.strip() and index not in read]
    if not {"speaker", "tier"} & set(columns) and unread:
        yield unread_speakers("columns", unread)


def _file(row: dict[str, str]) -> str:
    return row.get("path", "").strip()


def find_columns(names: Sequence[str]) -> dict[str, column_names.Column]:
    """Return the columns that are read, by meaning.

    Raises:
        ValueError: a time is missing, or two columns have the same meaning.
    """
    found = column_names.find_columns(names, MEANINGS, are_turns=True)
    missing = [name for name in ("start_s", "end_s") if name not in found]
    if missing and "duration_s" not in found:
        lacks = f"the header lacks the column {' and '.join(missing)}"
        raise ValueError(f"{lacks}, it is '{', '.join(names)[:80]}'; name the columns as in {EXPECTED}")
    return found


def _read_cells(cells: Sequence[str], columns: dict[str, column_names.Column]) -> dict[str, str]:
    """Return the cells of a row by meaning, with times in seconds; a row may lack the last ones."""
    return {
        meaning: _in_seconds(cells[column.place], column.per_second)
        for meaning, column in columns.items()
        if column.place < len(cells)
    }


def _in_seconds(cell: str, per_second: int) -> str:
    """Return a time in seconds, as text; what is written if it is that already, a clock time or no number."""
    if per_second == 1 or ":" in cell:
        return cell
    try:
        return repr(parse_time(cell) / per_second)
    except ValueError:
        return cell


def is_pause(row: dict[str, str]) -> bool:
    """Return whether a row is a segment without speech, and without a speaker or words that make it a turn."""
    is_silent = row.get("speech", "").strip().lower() == "false"
    return is_silent and not row.get("speaker", "").strip() and not row.get("text", "").strip()


def row_to_turn(position: str, row: dict[str, str]) -> Turn:
    """Return the turn in a row: column -> cell."""
    has_end = row.get("end_s", "").strip() or "duration_s" not in row
    duration = None if has_end else row["duration_s"]
    speaker, text = clean_text(row.get("speaker") or row.get("tier")), clean_text(row.get("text"))
    return make_turn(position, row.get("start_s", ""), row.get("end_s", ""), speaker, text, duration=duration)
