"""TABLE -> ROWS: the tables that describe clips, in every form. A registry with one module per form.

    for table in read_tables("calls.csv", expected):             # also .tsv, .jsonl, .parquet, .arrow
    for table in read_tables("emodb#emotion.train", expected):   # a folder, and which of its tables
        for row in table.rows: ...

Files are in the registry `overtone.corpora.tables.table_files.FILE_FORMS`. Folders are in `FOLDER_FORMS`: to add a
form, write a module with

    is_here(folder)                     returns whether a folder has this form; opens few files
    read(folder, selection, expected)   returns its tables; the selection is the text after `#`, in a syntax of its own

and add a row. The first row that recognises a folder reads it. `overtone._internal.column_names` says what the
columns mean.
"""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from overtone.corpora.tables import audformat_database, audio_folder, dataset_shards, table_folder
from overtone.corpora.tables.columns import has_predictions
from overtone.corpora.tables.rows import Table
from overtone.corpora.tables.stored_audio import store_audio
from overtone.corpora.tables.table_files import is_table, read_file
from overtone.errors import CorpusError

SELECTION = "#"


class FolderForm(NamedTuple):
    """A row of the registry: whether a folder has the form, and what reads it."""

    is_here: Callable[[Path], bool]
    read: Callable[[Path, str, str], list[Table]]


FOLDER_FORMS: dict[str, FolderForm] = {
    "manifest": FolderForm(table_folder.has_manifest, table_folder.read),
    "audformat": FolderForm(audformat_database.is_here, audformat_database.read),
    "metadata": FolderForm(audio_folder.is_here, audio_folder.read),
    "shards": FolderForm(dataset_shards.is_here, dataset_shards.read),
    "tables": FolderForm(table_folder.is_here, table_folder.read),
    "classes": FolderForm(audio_folder.has_classes, audio_folder.read_classes),
}


def read_tables(location: str, expected: str, content: bytes | None = None, cache: Path | None = None) -> list[Table]:
    """Return the tables at a location; there is at least one. Audio that they contain is written to files.

    Args:
        location: path or URL of a table, or path of a folder, with `#` and a selection where it has several tables.
        expected: description of the expected content, for messages.
        content: content of the table; None to read it.
        cache: the cache folder, in which that audio is stored; None for that of the user.

    Raises:
        CorpusError: it cannot be read, or has no table.
        MissingExtraError: the form needs a package that is not installed.
    """
    return store_audio(list(map(_with_other_folders, _read(location, expected, content))), cache)


def _read(location: str, expected: str, content: bytes | None) -> list[Table]:
    path, selection = split_selection(location)
    if content is not None or not os.path.isdir(path):  # noqa: PTH112 (a Path raises for a name that is too long)
        if selection:
            raise CorpusError(f"{path}: is one table; omit {SELECTION}{selection}")
        return [read_file(path, expected, content=content)]
    for form in FOLDER_FORMS.values():
        if form.is_here(Path(path)):
            return form.read(Path(path), selection, expected)
    raise CorpusError(f"{path}: a folder without a table, a database or folders of audio files; expected {expected}")


def split_selection(location: str) -> tuple[str, str]:
    """Return the path and the selection of a location; a `#` in the name of an existing file is no selection."""
    path, sign, selection = location.rpartition(SELECTION)
    return (path, selection) if sign and not os.path.lexists(location) and os.path.lexists(path) else (location, "")


def _with_other_folders(table: Table) -> Table:
    """Return a table of predictions with the folders to which their paths may be relative; another one unchanged."""
    if not has_predictions(table.columns) or not is_table(table.name) or "://" in table.name:
        return table
    recorded = table_folder.manifest_folder(Path(table.name))
    folders = dict.fromkeys([*filter(None, [recorded]), *table.folders, "."])
    return replace(table, folders=tuple(folders), unlabelled=UNLABELLED_PREDICTION)


UNLABELLED_PREDICTION = "without speech or label"
