"""Reads the tables in a folder: `manifest.csv`, the predictions of a batch, or all tables that are there.

corrected/
├── monday.csv          predictions that people corrected; their paths are those of the predictions
├── tuesday.jsonl
├── wednesday.TextGrid  likewise, in Praat; or wednesday.eaf, in ELAN
└── wednesday.wav       the recording that it annotates
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from overtone.corpora.tables.labelled_intervals import NoEmotionTierError
from overtone.corpora.tables.rows import Table
from overtone.corpora.tables.table_files import SUFFIXES, is_annotation, is_table, read_file
from overtone.errors import CorpusError

MANIFEST_NAME, PREDICTIONS_NAME = "manifest", "predictions"
BATCH_REPORT, BATCH_PARTS = "batch.json", "predictions"  # as `overtone batch` names them


def is_here(folder: Path) -> bool:
    """Return whether a folder has a table."""
    return bool(_files(folder))


def has_manifest(folder: Path) -> bool:
    """Return whether a folder has a table whose name says that it is the manifest."""
    return any(path.stem.lower() == MANIFEST_NAME for path in _tables(folder))


def read(folder: Path, selection: str, expected: str) -> list[Table]:
    """Return the tables in a folder, sorted by name; of annotation files, only those with a tier of emotions.

    Args:
        folder: the folder.
        selection: names of files in it, separated by commas; "" for all.
        expected: description of the expected content, for messages.

    Raises:
        CorpusError: a table cannot be read, or there is none with a selected name.
    """
    files = _files(folder)
    if selection:
        names = selection.split(",")
        missing = [name for name in names if not _is_readable(name) or not (folder / name).is_file()]
        if missing:
            raise CorpusError(f"{folder}: no table '{missing[0]}' in it; there are {_names(files)}")
        files = [folder / name for name in names]
    return _read_files(files, expected)


def _read_files(files: Sequence[Path], expected: str) -> list[Table]:
    """Return the tables in files; annotations without labels, such as words, are a hint if there are other tables."""
    tables: list[Table] = []
    others: list[NoEmotionTierError] = []
    for file in files:
        try:
            tables.append(read_file(str(file), expected))
        except NoEmotionTierError as error:
            others.append(error)
    if others and not tables:
        raise others[0]
    hints = tuple(f"not used: {error}" for error in others)
    return [replace(tables[0], hints=(*tables[0].hints, *hints)), *tables[1:]] if tables else []


def _is_readable(name: str) -> bool:
    return is_table(name) or is_annotation(name)


def manifest_folder(file: Path) -> str:
    """Return the folder to which the paths in the predictions of a batch are relative; "" if it is not known."""
    for folder in (file.parent, file.parent.parent):
        try:
            return str(json.loads((folder / BATCH_REPORT).read_text("utf-8"))["relative_to"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return ""


def _files(folder: Path) -> list[Path]:
    """Return the tables of a folder: one named `manifest`, else the predictions of a batch, else all of them."""
    tables = _tables(folder)
    named = [path for path in tables if path.stem.lower() == MANIFEST_NAME]
    if named:
        return named
    if (folder / BATCH_REPORT).is_file():
        parts = sorted((folder / BATCH_PARTS).glob("part-*.parquet"))
        return [path for path in tables if path.stem == PREDICTIONS_NAME] or parts
    return sorted([*tables, *(path for path in _visible(folder) if is_annotation(path.name))])


def _tables(folder: Path) -> list[Path]:
    return sorted(path for path in _visible(folder) if is_table(path.name))


def _visible(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def _names(files: Sequence[Path]) -> str:
    return ", ".join(file.name for file in files) or f"no {', '.join(SUFFIXES)}"
