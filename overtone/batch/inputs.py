"""Collect the inputs of a batch, in order, from folders, files, patterns or a manifest.

    inputs = collect_inputs(["recordings/"])                    # every audio file in the folder and its subfolders
    inputs = collect_inputs(["calls/**/*.flac", "extra.wav"])   # shell patterns
    inputs = collect_inputs(["calls.csv"])                      # a manifest (.csv or .parquet), as the only source
    inputs = collect_inputs(["s3://bucket/calls"])              # object storage; see overtone.batch.object_storage

A manifest has a column `path`, a path relative to the manifest or a URL, and optionally `start_s` and `end_s` for a
segment of the file. Its other columns are copied to the output.
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
EXPECTED = "a table with a column 'path' and, for segments of files, 'start_s' and 'end_s'"

Value = str | float | bool | None


class Input(NamedTuple):
    """One audio file, or a segment of one, to recognise.

    Attributes:
        name: name of the file as the user or the manifest writes it.
        path: path or URL of the file.
        start_s: start of the segment in seconds; None for the start of the file.
        end_s: end of the segment in seconds; None for the end of the file.
        values: values of the manifest columns.
        error: why the file cannot be read, if that is known before it is opened.
    """

    name: str
    path: str
    start_s: float | None = None
    end_s: float | None = None
    values: tuple[Value, ...] = ()
    error: str = ""

    def absolute(self) -> "Input":
        """Return the input with an absolute path."""
        return self if object_storage.is_url(self.path) else self._replace(path=str(Path.cwd() / self.path))


@dataclass(frozen=True)
class Inputs:
    """All inputs of a batch.

    Attributes:
        rows: the inputs, in the order of the predictions.
        manifest: name of the manifest; "" if there is none.
        columns: column names of the manifest, without `path`.
        types: pyarrow types of the columns of a Parquet manifest that are not text.
    """

    rows: Sequence[Input]
    manifest: str = ""
    columns: tuple[str, ...] = ()
    types: dict[str, Any] = field(default_factory=dict)

    def digest(self) -> str:
        """Return a hexadecimal SHA-256 digest that changes with any input."""
        digest = hashlib.sha256(repr(self.columns).encode())
        for row in self.rows:
            digest.update(repr(row.absolute()).encode())
        return digest.hexdigest()


def collect_inputs(sources: Sequence[str]) -> Inputs:
    """Return the inputs that the sources name.

    Args:
        sources: files, folders, patterns with `*`, `?`, `[...]` or `**`, URLs of files and folders; or one manifest.

    Returns:
        Files in the order of the sources, those of a folder or pattern sorted, without duplicates; or the rows of the
        manifest.

    Raises:
        InputError: a pattern matches nothing, a manifest is not the only source, or object storage cannot be searched.
        CorpusError: a manifest cannot be read; one error reports all its bad rows.
        MissingExtraError: a Parquet manifest or a URL needs pyarrow, which is not installed.
    """
    names = [name for source in sources for name in _expand(object_storage.resolve_file_url(source))]
    for name in names:
        if Path(name).suffix.lower() in MANIFEST_SUFFIXES and not is_folder(name):
            if len(names) > 1:
                raise InputError(f"{name}: a manifest must be the only source; run it as a separate batch")
            return _read_parquet(name) if name.lower().endswith(".parquet") else _read_csv(name)
    return Inputs(list(_unique_files(names)))


def _expand(source: str) -> Iterator[str]:
    """Yield the source itself, or the sorted matches of a pattern; hidden files only if the pattern names them."""
    if object_storage.is_url(source) or not any(sign in source for sign in "*?[") or os.path.lexists(source):
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


def _read_csv(manifest: str) -> Inputs:
    lines = rows(manifest, EXPECTED, _download(manifest) if object_storage.is_url(manifest) else None)
    _, header = next(lines, (1, []))
    columns = [name.strip() for name in header]
    return _parse_rows(manifest, columns, ((f"line {line}", cells) for line, cells in lines))


def _download(manifest: str) -> bytes:
    """Return the content of a manifest in object storage."""
    try:
        return object_storage.read_bytes(manifest)
    except OSError as error:
        raise CorpusError(f"{manifest}: cannot be read: {error}; expected {EXPECTED}") from error


def _read_parquet(manifest: str) -> Inputs:
    pa = import_pyarrow()
    try:
        source = io.BytesIO(_download(manifest)) if object_storage.is_url(manifest) else manifest
        table = pa.parquet.read_table(source)
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(f"{manifest}: cannot be read as Parquet: {error}") from error
    type_checks = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean)
    types = {column.name: column.type for column in table.schema if any(check(column.type) for check in type_checks)}
    records = zip(*(map(_to_value, column.to_pylist()) for column in table.columns), strict=True)
    numbered = ((f"row {number}", list(cells)) for number, cells in enumerate(records, start=1))
    return replace(_parse_rows(manifest, table.column_names, numbered), types=types)


def _to_value(value: Any) -> Value:
    """Return a value that every output format supports: dates, lists and other types become text."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _parse_rows(manifest: str, columns: Sequence[str], numbered: Iterable[tuple[str, Sequence[Value]]]) -> Inputs:
    """Return one input per row, or raise one error that reports all bad rows.

    Args:
        manifest: name of the manifest.
        columns: its header.
        numbered: position and cells of each row.
    """
    if "path" not in columns:
        raise CorpusError(f"{manifest}: no column 'path'; expected {EXPECTED}")
    check_unique(columns, str(manifest))
    inputs: list[Input] = []
    errors: list[str] = []
    for position, cells in numbered:
        try:
            inputs.append(_parse_row(manifest, columns, cells))
        except CorpusError as error:
            errors.append(f"{position}: {error}")
    if errors:
        raise CorpusError(format_errors(manifest, errors))
    if not inputs:
        raise CorpusError(f"{manifest}: has no rows; expected {EXPECTED}")
    return Inputs(inputs, manifest, tuple(name for name in columns if name != "path"))


def _parse_row(manifest: str, columns: Sequence[str], cells: Sequence[Value]) -> Input:
    if len(cells) != len(columns):
        raise CorpusError(f"{len(cells)} cells, but the header has {len(columns)}")
    row = dict(zip(columns, cells, strict=True))
    name = row.pop("path")
    if not name or not isinstance(name, str):
        raise CorpusError("its 'path' is not a file name")
    start, end = ("" if row.get(key) is None else str(row[key]).strip() for key in ("start_s", "end_s"))
    return Input(name, object_storage.sibling(manifest, name), *parse_interval(start, end), tuple(row.values()))
