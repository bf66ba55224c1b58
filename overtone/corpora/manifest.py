"""Reads any corpus that a table describes, with one utterance per row.

    path,emotion,speaker,sentence,start_s,end_s,gender,channel
    calls/0017.wav,angry,anna,,12.5,15.25,female,left

Only `path` and `emotion` are required. An empty cell is an unknown value; without a channel it is the mean of all.
Paths are relative to the table. The table may have any form that `overtone.corpora.tables` reads, and columns may have
the other names in `overtone._internal.column_names`.

Any label is a class: one of `overtone.emotions.EMOTIONS` in any of its spellings, or an own class, such as
`frustrated`. Labels that differ only in case or whitespace are one class, in the first of their spellings.

Tables of predictions that a person corrected are manifests too; see `overtone.corpora.corrections`.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from overtone._internal.column_names import TIMES, Column
from overtone.channels import MIX, channel_number, parse_channel
from overtone.corpora.corrections import LabelColumn, PredictionCounter
from overtone.corpora.label_mapping import merge_spellings
from overtone.corpora.metadata import CorpusInfo, CorpusScan
from overtone.corpora.tables import read_tables, split_selection
from overtone.corpora.tables.audio_paths import locate
from overtone.corpora.tables.columns import find_columns, has_predictions, similar_name
from overtone.corpora.tables.intervals import read_interval
from overtone.corpora.tables.rows import Row, Table, Value, cell_text
from overtone.corpora.tables.stored_audio import clip_name
from overtone.corpora.tables.unread_times import check_times_read, unread_times
from overtone.datatypes import Utterance
from overtone.emotions import EMOTIONS, label_key, list_classes, parse_emotion, parse_label
from overtone.errors import CorpusError, InputError, format_errors

INFO = CorpusInfo(
    name="manifest",
    title="Your own recordings with any labels, described by a table",
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

SAME_AUDIO = "the same audio as another row"
REQUIRED_COLUMNS = ("path", "emotion")
COLUMNS = ("path", "speaker", "sentence", *TIMES, "gender", "channel")  # besides that of the label
UNKNOWN_VALUES = ("NA", "N/A", "n/a", "#N/A", "NaN", "nan", "<NA>", "null", "NULL", "None")
GENDERS = {"": "", "female": "female", "f": "female", "male": "male", "m": "male"}


def read(
    folder: Path, *, only_known_labels: bool = False, max_invalid_share: float = 0.0, cache: Path | None = None
) -> CorpusScan:
    """Return the utterances of a table.

    Args:
        folder: the table, or a folder that is described in `overtone.corpora.tables`; `#` and a selection may follow.
        only_known_labels: whether a label other than the known emotions is an error.
        max_invalid_share: up to this share of all rows, invalid ones are left out; those that contradict another row,
            and those of files of annotations, are always an error.
        cache: the cache folder, in which audio that tables contain is stored; None for that of the user.

    Returns:
        Utterances in the order of the table, which is also the order of own classes; `clip` is the path relative to the
        table without suffix, with `#start-end` in seconds if the row names an interval, and `#channel` if it names a
        channel other than mix. If the table contains the audio, it is the name of that instead. Rows are left out only
        where the form of the table allows rows without a label, or where they contain the same audio as another row.
        The hints name unused columns.

    Raises:
        CorpusError: the table does not exist, cannot be read, has a missing, misspelt or ambiguous column, or no row;
            or rows have an invalid or unknown label, an unknown gender or channel, a missing audio file, an invalid
            number, an end before the start, or an interval of a channel that another row names too; and they are more
            than `max_invalid_share` of the rows. One error reports all invalid rows, the first ten in full.
        MissingExtraError: the form of the table needs a package that is not installed.
    """
    location = os.fspath(folder)
    path, _ = split_selection(location)
    root = Path(path) if Path(path).is_dir() else Path(path).parent
    reader = _Reader(root, parse_emotion if only_known_labels else parse_label)
    tables = read_tables(location, INFO.tree, cache=cache)
    for table in tables:
        reader.read(table, is_only=len(tables) == 1)
    return reader.finish(tables[0].name if len(tables) == 1 else location, max_invalid_share)


def clips_expected() -> frozenset[str]:
    """Return nothing: the complete list of clips is unknown."""
    return frozenset()


class _ContradictionError(CorpusError):
    """A row that says something else than another one: leaving out either of them would be a guess."""


class _CopyError(CorpusError):
    """A row that says the same as another one."""


class _Reader:
    """Collects the utterances, the rows that are left out, the errors and the hints of one or several tables.

    Args:
        root: the folder to which the ids of clips are relative.
        parse: returns the class of a label.
    """

    def __init__(self, root: Path, parse: Callable[[str], str]) -> None:
        self._root = root
        self._parse = parse
        self._utterances: list[Utterance] = []
        self._left_out: defaultdict[str, list[Path]] = defaultdict(list)
        self._errors: list[str] = []
        self._rows = 0
        self._may_leave_out = True  # invalid rows
        self._hints: list[str] = []
        # clip, and file with interval and channel -> position and label of the row that names it
        self._rows_by_audio: dict[object, tuple[str, str]] = {}
        # file -> the tables that describe it, of which none is a file of annotations unless it is the only one
        self._tables_by_file: defaultdict[Path, dict[str, Table]] = defaultdict(dict)

    def read(self, table: Table, *, is_only: bool) -> None:
        """Add the rows of a table; their positions include its name unless it is the only table."""
        columns = find_columns(table.columns, table.place, COLUMNS, has_audio=table.has_audio)
        label = LabelColumn(table)
        _check_required(table, columns, label)
        self._hints += _unused_columns(table, columns, label)
        counter = PredictionCounter(table.columns)
        unread = unread_times(table, columns)
        for row in table.rows:
            self._rows += 1
            position = row.position if is_only else f"{table.name}, {row.position}"
            try:
                if row.error:
                    raise CorpusError(row.error)
                check_times_read(row, unread)
                self._add(table, row, columns, label, position)
                counter.count(row, label)
            except InputError as error:
                self._errors.append(f"{position}: {error}")
                self._may_leave_out &= not (table.is_annotation or isinstance(error, _ContradictionError))
        self._hints += [*counter.hints(table.name), *table.hints]

    def _add(self, table: Table, row: Row, columns: dict[str, Column], label: LabelColumn, position: str) -> None:
        text, name = label.text(row), cell_text(row.cells[columns["path"].place])
        if not text and table.unlabelled:
            self._left_out[table.unlabelled].append(Path(name))
            return
        utterance = _utterance(table, self._root, row, columns, self._parse(_known(table, text)))
        self._check_one_annotation(utterance, table)
        try:
            self._check_not_listed(utterance, position)
        except _CopyError:
            if not row.audio:
                raise
            self._left_out[SAME_AUDIO].append(Path(name))
            return
        self._utterances.append(utterance)

    def _check_one_annotation(self, utterance: Utterance, table: Table) -> None:
        """Check that no other table describes a file that a file of annotations describes: their times are rounded."""
        tables = self._tables_by_file[utterance.path.resolve()]
        tables[table.name] = table
        if len(tables) > 1 and any(other.is_annotation for other in tables.values()):
            raise _ContradictionError(f"{' and '.join(tables)} both describe {utterance.path.name}; keep one of them")

    def _check_not_listed(self, utterance: Utterance, position: str) -> None:
        """Check that no earlier row names the same clip, and store this row."""
        # Both, as "" and "0" are the same start, left and 1 the same channel, and a.wav and a.flac the same clip.
        interval = (os.path.normpath(utterance.path), utterance.start_s, utterance.end_s)
        for key in (utterance.clip, (*interval, channel_number(utterance.channel))):
            first, label = self._rows_by_audio.setdefault(key, (position, utterance.emotion))
            if first == position:
                continue
            if label_key(label) == label_key(utterance.emotion):
                raise _CopyError(f"'{utterance.clip}' is listed in {first} already")
            raise _ContradictionError(
                f"'{utterance.clip}' is '{utterance.emotion}' here and '{label}' in {first}; keep one of them"
            )

    def finish(self, name: str, max_invalid_share: float) -> CorpusScan:
        """Return the result, or raise one error that reports all invalid rows.

        Args:
            name: of the table, or the location of several tables.
            max_invalid_share: up to this share of all rows, invalid ones are left out.
        """
        if self._errors and not (self._may_leave_out and len(self._errors) <= max_invalid_share * self._rows):
            raise CorpusError(format_errors(name, self._errors))
        if not self._utterances:
            reasons = ", ".join(f"{len(paths)} x {reason}" for reason, paths in self._left_out.items())
            problem = f" ({reasons})" if reasons else ""
            raise CorpusError(f"{name}: no utterance in it{problem}; expected\n{INFO.tree}")
        left_out = {reason: tuple(paths) for reason, paths in self._left_out.items()}
        return CorpusScan(merge_spellings(self._utterances), left_out, tuple(self._hints), tuple(self._errors))


def _check_required(table: Table, columns: dict[str, Column], label: LabelColumn) -> None:
    """Check that the table has a column of paths and one of labels, and no column that seems to be misspelt."""
    present = {*columns, *(["emotion"] if label.indices else [])}
    unknown = _unknown_columns(table, columns, label)
    for name in unknown:
        similar = similar_name(name)
        if similar and not table.made_by_program:
            raise CorpusError(f"{table.place}: unknown column '{name}'; did you mean '{similar}'? rename or remove it")
    missing = [name for name in REQUIRED_COLUMNS if name not in present]
    if missing:
        raise CorpusError(
            f"{table.place}: no column '{missing[0]}' among {list_classes(table.columns)}; expected\n{INFO.tree}"
        )


def _unknown_columns(table: Table, columns: dict[str, Column], label: LabelColumn) -> list[str]:
    if has_predictions(table.columns):
        return []
    used = {*(column.place for column in columns.values()), *label.indices}
    return [name for index, name in enumerate(table.columns) if index not in used and name]


def _unused_columns(table: Table, columns: dict[str, Column], label: LabelColumn) -> Iterator[str]:
    """Yield a hint that names the columns that a person wrote and training does not use."""
    names = _unknown_columns(table, columns, label)
    if names and not table.made_by_program:
        yield f"{table.name}: columns without a meaning here: {list_classes(names)}"


def _utterance(table: Table, root: Path, row: Row, columns: Mapping[str, Column], emotion: str) -> Utterance:
    """Return the utterance of one row with this class; `columns` are those that have a meaning."""
    cells = {meaning: row.cells[column.place] for meaning, column in columns.items()}
    path = Path(row.audio) if row.audio else _audio_path(table, cells["path"])
    name = cell_text(cells["path"])
    start_s, end_s = read_interval(row.cells, columns)
    channel = parse_channel(cell_text(cells.get("channel")) or MIX).removeprefix(MIX)
    return Utterance(
        path=path,
        emotion=emotion,
        speaker=cell_text(cells.get("speaker")),
        sentence=cell_text(cells.get("sentence")),
        corpus=INFO.name,
        start_s=start_s or 0.0,
        end_s=end_s,
        gender=_gender(table, cell_text(cells.get("gender")).lower()),
        clip=(clip_name(name) if row.audio else _relative_path(root, path))
        + _interval_name(start_s, end_s)
        + (f"#{channel}" if channel else ""),
        channel=channel,
        origin=table.origin(row, name),
    )


def _known(table: Table, label: str) -> str:
    """Return a label that a person wrote, after checking that it is not what programs write for an unknown one."""
    if label.strip() in UNKNOWN_VALUES and not table.made_by_program:
        raise CorpusError(
            f"the label '{label.strip()}' means unknown; remove the row, or give the class another name if it is one"
        )
    return label


def _gender(table: Table, text: str) -> str:
    if text not in GENDERS and not table.made_by_program:
        raise CorpusError(f"unknown gender '{text}'; use female, male, or an empty cell")
    return GENDERS.get(text, "")  # a database may have other values, such as "other" or "unknown"


def _audio_path(table: Table, cell: Value) -> Path:
    """Return the path of the audio file in a cell."""
    name = cell if isinstance(cell, str) else ""
    path = Path(locate(name, table.folders))
    try:
        exists = bool(name.strip()) and path.is_file()
    except (OSError, ValueError):  # a name that is too long or has a null character
        exists = False
    if not exists:
        other = ", nor in the folder of this command" if len(table.folders) > 1 else ""
        raise CorpusError(f"no audio file '{name.strip()}' next to the table{other}")
    return path


def _relative_path(folder: Path, path: Path) -> str:
    """Return the path of a file relative to a folder, without suffix."""
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:  # another drive on Windows
        relative = os.fspath(path)
    return Path(relative).with_suffix("").as_posix()


def _interval_name(start_s: float | None, end_s: float | None) -> str:
    ends = [f"{time_s:.3f}" if time_s is not None else "" for time_s in (start_s or 0.0, end_s)]
    return "" if start_s is None and end_s is None else "#" + "-".join(ends)
