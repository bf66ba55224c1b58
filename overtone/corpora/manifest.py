"""Any corpus that a CSV table describes, one utterance a row.

    path,emotion,speaker,sentence,start_s,end_s,gender
    calls/0017.wav,angry,anna,,12.5,15.25,female

Only `path` and `emotion` must be there; an empty cell is an unknown value. Paths are relative to the table. UTF-8, with
or without byte order mark; cells with commas in double quotes.
"""

import csv
import math
import os
from collections.abc import Iterator
from pathlib import Path

from overtone.corpora.about import CorpusAbout, Reading
from overtone.emotions import EMOTIONS, emotion_named
from overtone.errors import CorpusError, InputError, nearest
from overtone.values import Utterance

ABOUT = CorpusAbout(
    name="manifest",
    title="Your own recordings, described by a CSV table",
    language="any",
    speakers=0,
    emotions=EMOTIONS,
    licence="yours",
    citation="",
    url="",
    tree=(
        "TABLE.csv with the columns path,emotion and, where known, speaker,sentence,start_s,end_s,gender\n"
        "└── sound files, named relative to the table"
    ),
)

MUST_COLUMNS = ("path", "emotion")
COLUMNS = (*MUST_COLUMNS, "speaker", "sentence", "start_s", "end_s", "gender")
GENDERS = {"": "", "female": "female", "f": "female", "male": "male", "m": "male"}
SHOWN_BAD_LINES = 10


def read(folder: Path) -> Reading:
    """The utterances of a table.

    Args:
        folder: the CSV file, or a folder with a file `manifest.csv` in it.

    Returns:
        Utterances sorted by clip; `clip` is the path relative to the table without suffix, with `#start-end` in seconds
        where the row names a stretch. Nothing is ever left out.

    Raises:
        CorpusError: no such table, not UTF-8, a column that is not known or not there, no row; or rows with an unknown
            emotion or gender, a missing sound file, a bad number, an end before the start, or a stretch named twice.
            All bad rows are told in one error, the first ten in full.
    """
    table = Path(folder) / "manifest.csv" if Path(folder).is_dir() else Path(folder)
    return Reading(tuple(sorted(_utterances(table, _rows(table)), key=lambda utterance: utterance.clip)), {})


def clips_expected() -> frozenset[str]:
    """Nothing: a table does not say what should be in it."""
    return frozenset()


def _utterances(table: Path, rows: Iterator[tuple[int, list[str]]]) -> list[Utterance]:
    """One utterance a row, or one error that tells all bad rows."""
    line, header = next(rows, (1, []))
    columns = _columns(table, header, line)
    utterances: list[Utterance] = []
    line_of: dict[str, int] = {}
    bad: list[str] = []
    for line, cells in rows:
        try:
            if len(cells) != len(columns):
                raise CorpusError(f"{len(cells)} cells where the header has {len(columns)}")
            utterance = _utterance(table, dict(zip(columns, cells, strict=True)))
            first = line_of.setdefault(utterance.clip, line)
            if first != line:
                raise CorpusError(f"'{utterance.clip}' stands in line {first} already")
            utterances.append(utterance)
        except InputError as error:
            bad.append(f"line {line}: {error}")
    if bad:
        raise CorpusError(_told(table, bad))
    if not utterances:
        raise CorpusError(f"{table}: no utterance in it; expected\n{ABOUT.tree}")
    return utterances


def _told(table: Path, bad: list[str]) -> str:
    if len(bad) == 1:
        return f"{table}, {bad[0]}"
    more = len(bad) - SHOWN_BAD_LINES
    shown = [*bad[:SHOWN_BAD_LINES], *([f"... and {more} more"] if more > 0 else [])]
    return f"{table}: {len(bad)} bad lines:\n" + "\n".join(f"  {line}" for line in shown)


def _columns(table: Path, header: list[str], line: int) -> list[str]:
    """Names of the columns in the order of the table, each of them known and there once."""
    if not header:
        raise CorpusError(f"{table}: is empty; expected\n{ABOUT.tree}")
    columns = [name.lower() for name in header]
    for name in columns:
        if name not in COLUMNS:
            hint = "; columns are divided by commas" if ";" in name or "\t" in name else nearest(name, COLUMNS)
            raise CorpusError(f"{table}, line {line}: unknown column '{name}'{hint}")
        if columns.count(name) > 1:
            raise CorpusError(f"{table}, line {line}: column '{name}' is there twice; keep one")
    missing = [name for name in MUST_COLUMNS if name not in columns]
    if missing:
        raise CorpusError(f"{table}, line {line}: no column '{missing[0]}'; expected\n{ABOUT.tree}")
    return columns


def _rows(table: Path) -> Iterator[tuple[int, list[str]]]:
    """Line number and stripped cells of the header and of every row that is not blank."""
    try:
        with table.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, strict=True)
            try:
                for row in lines:
                    if any(cells := [cell.strip() for cell in row]):
                        yield lines.line_num, cells
            except csv.Error as error:
                raise CorpusError(f"{table}, line {lines.line_num}: not CSV: {error}") from error
    except UnicodeDecodeError as error:
        raise CorpusError(f"{table}: not UTF-8 ({error.reason}); save it as 'CSV UTF-8'") from error
    except OSError as error:
        raise CorpusError(f"{table}: cannot be read: {error.strerror}; expected\n{ABOUT.tree}") from error


def _utterance(table: Path, cells: dict[str, str]) -> Utterance:
    """One row, column -> cell, as an utterance."""
    path = _sound(table.parent, cells["path"])
    start_s, end_s = _seconds(cells, "start_s"), _seconds(cells, "end_s")
    if end_s is not None and end_s <= (start_s or 0.0):
        raise CorpusError(f"end_s {end_s} is not after start_s {start_s or 0.0}")
    gender = cells.get("gender", "").lower()
    if gender not in GENDERS:
        raise CorpusError(f"unknown gender '{gender}'; known are female, male, or nothing")
    return Utterance(
        path=path,
        emotion=emotion_named(cells["emotion"]),
        speaker=cells.get("speaker", ""),
        sentence=cells.get("sentence", ""),
        corpus=ABOUT.name,
        start_s=start_s or 0.0,
        end_s=end_s,
        gender=GENDERS[gender],
        clip=_clip(table.parent, path, start_s, end_s),
    )


def _sound(folder: Path, name: str) -> Path:
    """The sound file that a cell names; backslashes, as written on Windows, divide folders too."""
    path = folder / name.replace("\\", "/")
    try:
        there = bool(name) and path.is_file()
    except (OSError, ValueError):  # a name too long or with a null character
        there = False
    if not there:
        raise CorpusError(f"no sound file '{name}' beside the table")
    return path


def _seconds(cells: dict[str, str], column: str) -> float | None:
    """A time in seconds, >= 0; None where the cell is empty."""
    text = cells.get(column, "")
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds >= 0) or "_" in text:
        raise CorpusError(f"{column} '{text}' is not a number of seconds such as 12.5")
    return seconds


def _clip(folder: Path, path: Path, start_s: float | None, end_s: float | None) -> str:
    try:
        inside = os.path.relpath(path, folder)
    except ValueError:  # another drive of a Windows machine
        inside = os.fspath(path)
    ends = [f"{second_s:.3f}" if second_s is not None else "" for second_s in (start_s or 0.0, end_s)]
    stretch = "" if start_s is None and end_s is None else "#" + "-".join(ends)
    return Path(inside).with_suffix("").as_posix() + stretch
