"""Folders, files, patterns or a manifest -> the inputs of a batch, in order.

    found = gather(["recordings/"])                    # every sound file below
    found = gather(["calls/**/*.flac", "extra.wav"])   # patterns, as a shell knows them
    found = gather(["calls.csv"])                      # or .parquet: a manifest, given alone
    found = gather(["s3://bucket/calls"])              # every sound below an address; see overtone.batch.object_storage

A manifest has a column `path`, relative to it or an address, and where only a stretch is meant `start_s` and
`end_s`. Its other columns are kept.
"""

import hashlib
import io
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from overtone.audio.discovery import is_folder, search
from overtone.batch import object_storage
from overtone.corpora.csv_table import check_unique, format_errors, parse_interval, rows
from overtone.errors import CorpusError, InputError
from overtone.formats.parquet import import_pyarrow

MANIFEST_SUFFIXES = (".csv", ".parquet")
EXPECTED = "a table with a column 'path' and, where a stretch is meant, 'start_s' and 'end_s'"

Value = str | float | bool | None


class Input(NamedTuple):
    """One sound to recognise.

    Attributes:
        name: of the file, as the user or the manifest writes it.
        path: where it lies: a path or an address.
        start_s: where the stretch begins; None for the start of the file.
        end_s: where it ends; None for the end of the file.
        values: of the columns of the manifest.
        error: why it cannot be read, where that is known before it is opened.
    """

    name: str
    path: str
    start_s: float | None = None
    end_s: float | None = None
    values: tuple[Value, ...] = ()
    error: str = ""

    def absolute(self) -> "Input":
        """The same from whatever folder it is read."""
        return self if object_storage.is_address(self.path) else self._replace(path=str(Path.cwd() / self.path))


@dataclass(frozen=True)
class Inputs:
    """All inputs of a batch.

    Attributes:
        rows: in the order of the answers.
        manifest: its name; "" where there is none.
        columns: of the manifest, but for `path`.
        types: of those columns of a Parquet manifest that are no text, as pyarrow calls them.
    """

    rows: Sequence[Input]
    manifest: str = ""
    columns: tuple[str, ...] = ()
    types: dict[str, Any] = field(default_factory=dict)

    def digest(self) -> str:
        """Hexadecimal digits that change with any input."""
        digest = hashlib.sha256(repr(self.columns).encode())
        for row in self.rows:
            digest.update(repr(row.absolute()).encode())
        return digest.hexdigest()


def collect_inputs(sources: Sequence[str]) -> Inputs:
    """The inputs that are named.

    Args:
        sources: files, folders, patterns with `*`, `?`, `[...]` or `**`, addresses of sounds and folders; or one
            manifest.

    Returns:
        Files in the order of the sources, those of a folder or pattern sorted, each once; or the rows of the manifest.

    Raises:
        InputError: a pattern that nothing matches, a manifest that is not alone, or a store that cannot be asked.
        CorpusError: a manifest that cannot be read; all its bad rows are told in one error.
        MissingExtraError: a Parquet manifest or an address without pyarrow.
    """
    named = [name for source in sources for name in _expanded(object_storage.plain(source))]
    for name in named:
        if Path(name).suffix.lower() in MANIFEST_SUFFIXES and not is_folder(name):
            if len(named) > 1:
                raise InputError(f"{name}: a manifest is read alone; give it a batch and a folder of its own")
            return _from_parquet(name) if name.lower().endswith(".parquet") else _from_csv(name)
    return Inputs(list(_once(named)))


def _expanded(source: str) -> Iterator[str]:
    """The name itself, or what a pattern matches, sorted; hidden files only where the pattern says so."""
    if object_storage.is_address(source) or not any(sign in source for sign in "*?[") or os.path.lexists(source):
        yield source
        return
    pattern = Path(source)
    inside = pattern.relative_to(pattern.anchor)
    shows_hidden = any(_is_hidden(part) for part in inside.parts)
    # pathlib and not glob: its `**` goes through no link, and so not round in circles
    found = sorted(Path(pattern.anchor).glob(str(inside)))
    matches = [str(path) for path in found if shows_hidden or not any(map(_is_hidden, path.parts))]
    if not matches:
        raise InputError(f"{source}: nothing matches this pattern")
    yield from matches


def _is_hidden(part: str) -> bool:
    return part.startswith(".") and part != ".."


def _once(named: Iterable[str]) -> Iterator[Input]:
    """Every file in order, at the first place where it is named."""
    real: dict[str, str] = {}  # folder -> the one that is meant, by whatever links
    seen: set[tuple[str, str]] = set()
    for name in named:
        in_store = object_storage.is_address(name)
        for path, error in object_storage.searched(name) if in_store else search(name):
            folder, file = os.path.split(path)
            key = (real.setdefault(folder, folder if in_store else os.path.realpath(folder)), file)
            if key not in seen:
                seen.add(key)
                yield Input(path, path, error=str(error or ""))


def _from_csv(table: str) -> Inputs:
    lines = rows(table, EXPECTED, _content(table) if object_storage.is_address(table) else None)
    _, header = next(lines, (1, []))
    columns = [name.strip() for name in header]
    return _read(table, columns, ((f"line {line}", cells) for line, cells in lines))


def _content(table: str) -> bytes:
    """A manifest that lies at an address."""
    try:
        return object_storage.read_bytes(table)
    except OSError as error:
        raise CorpusError(f"{table}: cannot be read: {error}; expected {EXPECTED}") from error


def _from_parquet(table: str) -> Inputs:
    pa = import_pyarrow()
    try:
        held = pa.parquet.read_table(io.BytesIO(_content(table)) if object_storage.is_address(table) else table)
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(f"{table}: cannot be read as Parquet: {error}") from error
    kinds = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
    types = {one.name: one.type for one in held.schema if any(is_kind(one.type) for is_kind in kinds)}
    cells = zip(*(map(_plain, column.to_pylist()) for column in held.columns), strict=True)
    numbered = ((f"row {number}", list(row)) for number, row in enumerate(cells, start=1))
    return replace(_read(table, held.column_names, numbered), types=types)


def _plain(value: Any) -> Value:
    """A value as every form of answers can hold it: times, lists and what else there is become text."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _read(table: str, columns: Sequence[str], numbered: Iterable[tuple[str, Sequence[Value]]]) -> Inputs:
    """One input a row, or one error that tells all bad rows.

    Args:
        table: the manifest.
        columns: its header.
        numbered: place of the row, and its cells.
    """
    if "path" not in columns:
        hint = "; columns are divided by commas" if len(columns) == 1 and set(columns[0]) & {";", "\t"} else ""
        raise CorpusError(f"{table}: no column 'path'{hint}; expected {EXPECTED}")
    check_unique(columns, str(table))
    found: list[Input] = []
    bad: list[str] = []
    for place, cells in numbered:
        try:
            found.append(_input(table, columns, cells))
        except CorpusError as error:
            bad.append(f"{place}: {error}")
    if bad:
        raise CorpusError(format_errors(table, bad))
    if not found:
        raise CorpusError(f"{table}: no row in it; expected {EXPECTED}")
    return Inputs(found, table, tuple(name for name in columns if name != "path"))


def _input(table: str, columns: Sequence[str], cells: Sequence[Value]) -> Input:
    if len(cells) != len(columns):
        raise CorpusError(f"{len(cells)} cells where the header has {len(columns)}")
    row = dict(zip(columns, cells, strict=True))
    name = row.pop("path")
    if not name or not isinstance(name, str):
        raise CorpusError("its 'path' is not the name of a file")
    start, end = ("" if row.get(key) is None else str(row[key]).strip() for key in ("start_s", "end_s"))
    return Input(name, object_storage.sibling(table, name), *parse_interval(start, end), tuple(row.values()))
