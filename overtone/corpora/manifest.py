"""Reads any corpus that a CSV table describes, with one utterance per row.

    path,emotion,speaker,sentence,start_s,end_s,gender,channel
    calls/0017.wav,angry,anna,,12.5,15.25,female,left

Only `path` and `emotion` are required. An empty cell is an unknown value; without a channel it is the mean of all.
Paths are relative to the table. Commas, semicolons or tabs separate cells; see `overtone.corpora.csv_table`.

Any label is a class: one of `overtone.emotions.EMOTIONS` in any of its spellings, or an own class, such as
`frustrated`. Labels that differ only in case or whitespace are one class, in the first of their spellings.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from overtone.channels import MIX, channel_number, parse_channel
from overtone.corpora.csv_table import check_unique, format_errors, parse_interval, rows
from overtone.corpora.label_mapping import merge_spellings
from overtone.corpora.metadata import CorpusInfo, CorpusScan
from overtone.datatypes import Utterance
from overtone.emotions import EMOTIONS, label_key, parse_emotion, parse_label
from overtone.errors import CorpusError, InputError, suggest

INFO = CorpusInfo(
    name="manifest",
    title="Your own recordings with any labels, described by a CSV table",
    language="any",
    speakers=0,
    emotions=EMOTIONS,
    licence="yours",
    citation="",
    url="",
    tree=(
        "TABLE.csv with the columns path,emotion and, where known, speaker,sentence,start_s,end_s,gender,channel\n"
        "└── audio files, named relative to the table"
    ),
)

REQUIRED_COLUMNS = ("path", "emotion")
COLUMNS = (*REQUIRED_COLUMNS, "speaker", "sentence", "start_s", "end_s", "gender", "channel")
GENDERS = {"": "", "female": "female", "f": "female", "male": "male", "m": "male"}


def read(folder: Path, *, only_known_labels: bool = False) -> CorpusScan:
    """Return the utterances of a table.

    Args:
        folder: the CSV file, or a folder that contains a file `manifest.csv`.
        only_known_labels: whether a label other than the known emotions is an error.

    Returns:
        Utterances in the order of the table, which is also the order of own classes; `clip` is the path relative to the
        table without suffix, with `#start-end` in seconds if the row names an interval, and `#channel` if it names a
        channel other than mix. No file is ever left out.

    Raises:
        CorpusError: the table does not exist, is not UTF-8, has an unknown or missing column, or no row; or rows have
            an invalid or unknown label, an unknown gender or channel, a missing audio file, an invalid number, an end
            before the start, or an interval of a channel that another row names too. One error reports all invalid
            rows, the first ten in full.
    """
    table = Path(folder) / "manifest.csv" if Path(folder).is_dir() else Path(folder)
    lines = ((line, [cell.strip() for cell in cells]) for line, cells in rows(table, INFO.tree))
    return CorpusScan(merge_spellings(_utterances(table, lines, only_known_labels)), {})


def clips_expected() -> frozenset[str]:
    """Return nothing: the complete list of clips is unknown."""
    return frozenset()


def _utterances(table: Path, lines: Iterator[tuple[int, list[str]]], only_known_labels: bool) -> list[Utterance]:
    """Return one utterance per row, or raise one error that reports all invalid rows."""
    line, header = next(lines, (1, []))
    columns = _columns(table, header, line)
    parse = parse_emotion if only_known_labels else parse_label
    utterances: list[Utterance] = []
    rows_by_audio: dict[object, tuple[int, str]] = {}
    errors: list[str] = []
    for line, cells in lines:
        try:
            if len(cells) != len(columns):
                raise CorpusError(f"{len(cells)} cells where the header has {len(columns)}")
            utterance = _utterance(table, dict(zip(columns, cells, strict=True)), parse)
            _check_not_listed(utterance, line, rows_by_audio)
            utterances.append(utterance)
        except InputError as error:
            errors.append(f"line {line}: {error}")
    if errors:
        raise CorpusError(format_errors(table, errors))
    if not utterances:
        raise CorpusError(f"{table}: no utterance in it; expected\n{INFO.tree}")
    return utterances


def _check_not_listed(utterance: Utterance, line: int, rows_by_audio: dict[object, tuple[int, str]]) -> None:
    """Check that no earlier row names the same clip, and store this row.

    Args:
        utterance: of the row.
        line: of the row.
        rows_by_audio: clip, and file with interval and channel, -> line and label of the row that names it.
    """
    # Both, as "" and "0" are the same start, left and 1 the same channel, and a.wav and a.flac the same clip.
    interval = (os.path.normpath(utterance.path), utterance.start_s, utterance.end_s)
    for key in (utterance.clip, (*interval, channel_number(utterance.channel))):
        first, label = rows_by_audio.setdefault(key, (line, utterance.emotion))
        if first == line:
            continue
        if label_key(label) == label_key(utterance.emotion):
            raise CorpusError(f"'{utterance.clip}' is listed in line {first} already")
        raise CorpusError(
            f"'{utterance.clip}' is '{utterance.emotion}' here and '{label}' in line {first}; keep one of the two lines"
        )


def _columns(table: Path, header: list[str], line: int) -> list[str]:
    """Return the checked column names, in the order of the table."""
    if not header:
        raise CorpusError(f"{table}: is empty; expected\n{INFO.tree}")
    columns = [name.lower() for name in header]
    for name in columns:
        if name not in COLUMNS:
            raise CorpusError(f"{table}, line {line}: unknown column '{name}'{suggest(name, COLUMNS)}")
    check_unique(columns, f"{table}, line {line}")
    missing = [name for name in REQUIRED_COLUMNS if name not in columns]
    if missing:
        raise CorpusError(f"{table}, line {line}: no column '{missing[0]}'; expected\n{INFO.tree}")
    return columns


def _utterance(table: Path, cells: dict[str, str], parse: Callable[[str], str]) -> Utterance:
    """Return the utterance of one row, column -> cell, with the class that `parse` returns for its label."""
    path = _audio_path(table.parent, cells["path"])
    start_s, end_s = parse_interval(cells.get("start_s", ""), cells.get("end_s", ""))
    gender = cells.get("gender", "").lower()
    if gender not in GENDERS:
        raise CorpusError(f"unknown gender '{gender}'; use female, male, or an empty cell")
    channel = parse_channel(cells.get("channel") or MIX).removeprefix(MIX)
    return Utterance(
        path=path,
        emotion=parse(cells["emotion"]),
        speaker=cells.get("speaker", ""),
        sentence=cells.get("sentence", ""),
        corpus=INFO.name,
        start_s=start_s or 0.0,
        end_s=end_s,
        gender=GENDERS[gender],
        clip=_clip_name(table.parent, path, start_s, end_s) + (f"#{channel}" if channel else ""),
        channel=channel,
    )


def _audio_path(folder: Path, name: str) -> Path:
    """Return the path of the audio file in a cell; backslashes, as written on Windows, separate folders too."""
    path = folder / name.replace("\\", "/")
    try:
        exists = bool(name) and path.is_file()
    except (OSError, ValueError):  # a name that is too long or has a null character
        exists = False
    if not exists:
        raise CorpusError(f"no audio file '{name}' next to the table")
    return path


def _clip_name(folder: Path, path: Path, start_s: float | None, end_s: float | None) -> str:
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:  # another drive on Windows
        relative = os.fspath(path)
    ends = [f"{time_s:.3f}" if time_s is not None else "" for time_s in (start_s or 0.0, end_s)]
    interval = "" if start_s is None and end_s is None else "#" + "-".join(ends)
    return Path(relative).with_suffix("").as_posix() + interval
