"""Collect the inputs of a batch, in order, from folders, files, patterns or a manifest.

    inputs = collect_inputs(["recordings/"])                    # every audio file in the folder and its subfolders
    inputs = collect_inputs(["calls/**/*.flac", "extra.wav"])   # shell patterns
    inputs = collect_inputs(["calls.csv"])                      # a manifest, as the only source
    inputs = collect_inputs(["manifest=emodb#emotion.train"])   # a folder that is one, such as a database
    inputs = collect_inputs(["s3://bucket/calls"])              # object storage; see overtone.batch.object_storage

A manifest is a table that `overtone.corpora.tables` reads. It has a column `path`, a path relative to the manifest or a
URL, and optionally `start_s` and `end_s` for a segment of the file, and `channel` for its channel. All columns but
`path` and `channel` are copied to the output. A row that cannot be used is an input with an error, so that it does not
stop the others.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from overtone._internal.column_names import TIMES, Column
from overtone.audio.discovery import is_folder, search
from overtone.batch import object_storage
from overtone.corpora.tables import read_tables, split_selection
from overtone.corpora.tables.columns import check_unique, find_columns
from overtone.corpora.tables.intervals import read_interval
from overtone.corpora.tables.rows import Row, Table, Value, cell_text
from overtone.corpora.tables.table_files import is_annotation, is_table, parent
from overtone.corpora.tables.unread_times import check_times_read, unread_times
from overtone.each_channel import parse_channel_or_each
from overtone.emotions import list_classes
from overtone.errors import CorpusError, InputError, OptionError, format_errors

PREFIX = "manifest="  # names a folder that is a manifest; any other folder is searched for audio files
CHANNEL_COLUMN = "channel"
AUDIO_COLUMNS = ("path", *TIMES, CHANNEL_COLUMN)
EXPECTED = "a table with a column 'path' and, for segments and channels of files, 'start_s', 'end_s' and 'channel'"


class Input(NamedTuple):
    """One audio file, or a segment of one, to recognise.

    Attributes:
        name: name of the file as the user or the manifest writes it.
        path: path or URL of the file.
        start_s: start of the segment in seconds; None for the start of the file.
        end_s: end of the segment in seconds; None for the end of the file.
        values: values of the manifest columns.
        channel: channel of the file, as `overtone.each_channel.parse_channel_or_each` returns it; "" where the manifest
            names none.
        error: why the file cannot be read, if that is known before it is opened.
        origin: the manifest and the row whose audio was copied to the file, for messages; "" if there is none.
    """

    name: str
    path: str
    start_s: float | None = None
    end_s: float | None = None
    values: tuple[Value, ...] = ()
    channel: str = ""
    error: str = ""
    origin: str = ""

    def absolute(self) -> "Input":
        """Return the input with an absolute path."""
        return (
            self
            if object_storage.is_url(self.path) or not self.path
            else self._replace(path=str(Path.cwd() / self.path))
        )


@dataclass(frozen=True)
class Inputs:
    """All inputs of a batch.

    Attributes:
        rows: the inputs, in the order of the predictions.
        manifest: name of the manifest; "" if there is none.
        columns: column names of the manifest, without those of the path and the channel.
        types: pyarrow or Python types of the columns of the manifest that are not text.
        folder: path or URL of the folder to which the names of the inputs are relative; "" for the working folder.
        has_channels: whether the manifest has a column `channel`.
    """

    rows: Sequence[Input]
    manifest: str = ""
    columns: tuple[str, ...] = ()
    types: dict[str, Any] = field(default_factory=dict)
    folder: str = ""
    has_channels: bool = False

    def digest(self) -> str:
        """Return a hexadecimal SHA-256 digest that changes with any input."""
        digest = hashlib.sha256(repr(self.columns).encode())
        for row in self.rows:
            digest.update(repr(row.absolute()._replace(origin="")).encode())  # it depends on the working folder
        return digest.hexdigest()


def collect_inputs(sources: Sequence[str]) -> Inputs:
    """Return the inputs that the sources name.

    Args:
        sources: files, folders, patterns with `*`, `?`, `[...]` or `**`, URLs of files and folders; or one manifest,
            with `manifest=` before the name of a folder.

    Returns:
        Files in the order of the sources, those of a folder or pattern sorted, without duplicates; or the rows of the
        manifest.

    Raises:
        InputError: a pattern matches nothing, a manifest is not the only source, or object storage cannot be searched.
        CorpusError: a manifest cannot be read, or none of its rows can be used.
        MissingExtraError: the form of a manifest or a URL needs a package that is not installed.
    """
    names = [name for source in sources for name in _expand(object_storage.resolve_file_url(source))]
    for name in names:
        if not _is_manifest(name, len(names) == 1):
            continue
        if len(names) > 1:
            raise InputError(f"{name}: a manifest must be the only source; run it as a separate batch")
        return _read_manifest(object_storage.resolve_file_url(name.removeprefix(PREFIX)))
    return Inputs(list(_unique_files(names)))


def _expand(source: str) -> Iterator[str]:
    """Yield the source itself, or the sorted matches of a pattern; hidden files only if the pattern names them."""
    if (
        source.startswith(PREFIX)
        or object_storage.is_url(source)
        or not any(sign in source for sign in "*?[")
        or os.path.lexists(source)
    ):
        yield source
        return
    pattern = Path(source)
    relative = pattern.relative_to(pattern.anchor)
    shows_hidden = any(_is_hidden(part) for part in relative.parts)
    # pathlib, not glob: the `**` of pathlib does not follow links, so that circular links end
    found = sorted(Path(pattern.anchor).glob(str(relative)))
    matches = [str(path) for path in found if shows_hidden or not any(map(_is_hidden, path.parts))]
    if not matches:
        raise InputError(f"{source}: no file matches this pattern")
    yield from matches


def _is_hidden(part: str) -> bool:
    return part.startswith(".") and part != ".."


def _unique_files(names: Iterable[str]) -> Iterator[Input]:
    """Yield every file in order, at its first occurrence."""
    real_folders: dict[str, str] = {}  # folder -> folder without links
    seen: set[tuple[str, str]] = set()
    for name in names:
        is_url = object_storage.is_url(name)
        for path, error in object_storage.search(name) if is_url else search(name):
            folder, file = os.path.split(path)
            key = (real_folders.setdefault(folder, folder if is_url else os.path.realpath(folder)), file)
            if key not in seen:
                seen.add(key)
                yield Input(path, path, error=str(error or ""))


def _is_manifest(source: str, is_only: bool) -> bool:
    """Return whether a source is a manifest; annotations lie among recordings, and are one only on their own."""
    has_suffix = is_table(source) or (is_only and is_annotation(source))
    return source.startswith(PREFIX) or (has_suffix and not is_folder(source))


def _read_manifest(location: str) -> Inputs:
    """Return one input per row of the tables at a location; a row that cannot be used is an input with an error.

    Raises:
        CorpusError: a table cannot be read, has no column of paths or an ambiguous one, or no row that can be used.
    """
    if object_storage.is_url(location):
        tables, root = read_tables(location, EXPECTED, _download(location)), parent(location)
    else:
        path, _ = split_selection(location)
        tables, root = read_tables(location, EXPECTED), path if is_folder(path) else parent(path)
    if len(tables) == 1:
        root = tables[0].folders[0]  # of predictions, the folder to which they are relative
    columns = [_check_columns(table) for table in tables]
    readers = [_RowReader(table, found, root) for table, found in zip(tables, columns, strict=True)]
    names = tuple(dict.fromkeys(name for reader in readers for name in reader.names))
    types = _common_types(tables, names)
    inputs = [row for reader in readers for row in reader.read(names, types)]
    errors = [row.error for row in inputs if row.error]
    if len(errors) == len(inputs):
        name = tables[0].name if len(tables) == 1 else location
        if not errors:
            raise CorpusError(f"{name}: has no rows; expected {EXPECTED}")
        raise CorpusError(format_errors(name, [error.removeprefix(f"{name}, ") for error in errors]))
    return Inputs(inputs, location, names, types, root, any(CHANNEL_COLUMN in found for found in columns))


def _download(manifest: str) -> bytes:
    """Return the content of a manifest in object storage."""
    try:
        return object_storage.read_bytes(manifest)
    except OSError as error:
        raise CorpusError(f"{manifest}: cannot be read: {error}; expected {EXPECTED}") from error


def _check_columns(table: Table) -> dict[str, Column]:
    """Return the columns that select audio, by meaning."""
    check_unique(table.columns, table.place)
    found = find_columns(table.columns, table.place, AUDIO_COLUMNS, has_audio=table.has_audio)
    if "path" not in found:
        raise CorpusError(f"{table.name}: no column 'path'; expected {EXPECTED}; it has {list_classes(table.columns)}")
    return found


def _common_types(tables: Sequence[Table], names: Sequence[str]) -> dict[str, Any]:
    """Return the types of columns with numbers or booleans; one that has several types is text."""
    found: dict[str, set[Any]] = {name: set() for name in names}
    for table in tables:
        for name in table.columns:
            if name in found:
                found[name].add(table.types.get(name))
    return {name: next(iter(kinds)) for name, kinds in found.items() if len(kinds) == 1 and None not in kinds}


class _RowReader:
    """Reads the rows of one table.

    Args:
        table: the table.
        columns: the columns that select audio, by meaning.
        root: folder or URL to which the names of all inputs are relative.

    Attributes:
        names: names of the columns that are copied to the output: all but those of the path and the channel.
    """

    def __init__(self, table: Table, columns: dict[str, Column], root: str) -> None:
        self._table = table
        self._columns = columns
        self._unread = unread_times(table, columns)
        self._left_out = {columns[meaning].place for meaning in ("path", CHANNEL_COLUMN) if meaning in columns}
        self.names = tuple(name for index, name in enumerate(table.columns) if index not in self._left_out)
        folder = table.folders[0]
        self._prefix = "" if object_storage.is_url(root) or len(table.folders) > 1 else os.path.relpath(folder, root)

    def read(self, names: Sequence[str], types: Mapping[str, Any]) -> Iterator[Input]:
        """Yield the inputs; their values are those of the columns with these names."""
        is_same = tuple(names) == self.names and all(name in types for name in self.names if name in self._table.types)
        for row in self._table.rows:
            name = row.cells[self._columns["path"].place]
            cells = [cell for index, cell in enumerate(row.cells) if index not in self._left_out]
            if not is_same:
                known = dict(zip(self.names, cells, strict=True))
                cells = [_unify(known.get(name), name in types) for name in names]
            yield self._input(row, name if isinstance(name, str) else "", tuple(cells))

    def _input(self, row: Row, name: str, values: tuple[Value, ...]) -> Input:
        place = f"{self._table.name}, {row.position}"
        try:
            if row.error:
                raise CorpusError(row.error)
            if not name.strip():
                raise CorpusError("its 'path' is not a file name")
            check_times_read(row, self._unread)
            start_s, end_s = read_interval(row.cells, self._columns)
            column = self._columns.get(CHANNEL_COLUMN)
            channel = _parse_channel(row.cells[column.place]) if column else ""
        except InputError as error:
            return Input(self._relative(name), "", values=values, error=f"{place}: {error}")
        if row.audio:
            return Input(name, row.audio, start_s, end_s, values, channel, origin=self._table.origin(row, name))
        path = object_storage.resolve(name, self._table.folders)
        return Input(self._relative(name), path, start_s, end_s, values, channel)

    def _relative(self, name: str) -> str:
        """Return a name relative to the root: tables in subfolders name files relative to themselves."""
        is_complete = self._prefix in ("", ".") or not name or object_storage.is_url(name)
        return name if is_complete else str(Path(self._prefix) / name)


def _unify(value: Value, is_typed: bool) -> Value:
    """Return a value of a column that not all tables have, or that has several types."""
    return value if value is None or is_typed or isinstance(value, str) else cell_text(value)


def _parse_channel(cell: Value) -> str:
    """Return the channel in a cell; "" if it is empty.

    Raises:
        CorpusError: it is not a channel.
    """
    text = cell_text(cell)
    try:
        return parse_channel_or_each(text) if text else ""
    except OptionError as error:
        raise CorpusError(f"{error}; rename the column if it is about something else") from error
