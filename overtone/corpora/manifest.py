"""Any corpus that a CSV table describes, one utterance a row.

    path,emotion,speaker,sentence,start_s,end_s,gender
    calls/0017.wav,angry,anna,,12.5,15.25,female

Only `path` and `emotion` must be there; an empty cell is an unknown value. Paths are relative to the table. UTF-8, with
or without byte order mark; cells with commas in double quotes.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from overtone.corpora.csv_table import check_unique, format_errors, parse_interval, rows
from overtone.corpora.metadata import CorpusInfo, CorpusScan
from overtone.datatypes import Utterance
from overtone.emotions import EMOTIONS, parse_emotion
from overtone.errors import CorpusError, InputError, suggest

ABOUT = CorpusInfo(
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


def read(folder: Path) -> CorpusScan:
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
    lines = ((line, [cell.strip() for cell in cells]) for line, cells in rows(table, ABOUT.tree))
    return CorpusScan(tuple(sorted(_utterances(table, lines), key=lambda utterance: utterance.clip)), {})


def clips_expected() -> frozenset[str]:
    """Nothing: a table does not say what should be in it."""
    return frozenset()


def _utterances(table: Path, lines: Iterator[tuple[int, list[str]]]) -> list[Utterance]:
    """One utterance a row, or one error that tells all bad rows."""
    line, header = next(lines, (1, []))
    columns = _columns(table, header, line)
    utterances: list[Utterance] = []
    line_of: dict[str, int] = {}
    bad: list[str] = []
    for line, cells in lines:
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
        raise CorpusError(format_errors(table, bad))
    if not utterances:
        raise CorpusError(f"{table}: no utterance in it; expected\n{ABOUT.tree}")
    return utterances


def _columns(table: Path, header: list[str], line: int) -> list[str]:
    """Names of the columns in the order of the table, each of them known and there once."""
    if not header:
        raise CorpusError(f"{table}: is empty; expected\n{ABOUT.tree}")
    columns = [name.lower() for name in header]
    for name in columns:
        if name not in COLUMNS:
            hint = "; columns are divided by commas" if ";" in name or "\t" in name else suggest(name, COLUMNS)
            raise CorpusError(f"{table}, line {line}: unknown column '{name}'{hint}")
    check_unique(columns, f"{table}, line {line}")
    missing = [name for name in MUST_COLUMNS if name not in columns]
    if missing:
        raise CorpusError(f"{table}, line {line}: no column '{missing[0]}'; expected\n{ABOUT.tree}")
    return columns


def _utterance(table: Path, cells: dict[str, str]) -> Utterance:
    """One row, column -> cell, as an utterance."""
    path = _sound(table.parent, cells["path"])
    start_s, end_s = parse_interval(cells.get("start_s", ""), cells.get("end_s", ""))
    gender = cells.get("gender", "").lower()
    if gender not in GENDERS:
        raise CorpusError(f"unknown gender '{gender}'; known are female, male, or nothing")
    return Utterance(
        path=path,
        emotion=parse_emotion(cells["emotion"]),
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


def _clip(folder: Path, path: Path, start_s: float | None, end_s: float | None) -> str:
    try:
        inside = os.path.relpath(path, folder)
    except ValueError:  # another drive of a Windows machine
        inside = os.fspath(path)
    ends = [f"{second_s:.3f}" if second_s is not None else "" for second_s in (start_s or 0.0, end_s)]
    stretch = "" if start_s is None and end_s is None else "#" + "-".join(ends)
    return Path(inside).with_suffix("").as_posix() + stretch
