"""Reads the tables in a folder: `manifest.csv`, the predictions of a batch, or all tables that are there.

corrected/
├── monday.csv        predictions that people corrected; their paths are those of the predictions
└── tuesday.jsonl
"""

import json
from collections.abc import Sequence
from pathlib import Path

from overtone.corpora.tables.rows import Table
from overtone.corpora.tables.table_files import SUFFIXES, is_table, read_file
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
    """Return the tables in a folder, sorted by name.

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
        missing = [name for name in names if not is_table(name) or not (folder / name).is_file()]
        if missing:
            raise CorpusError(f"{folder}: no table '{missing[0]}' in it; there are {_names(files)}")
        files = [folder / name for name in names]
    return [read_file(str(file), expected) for file in files]


def manifest_folder(file: Path) -> str:
    """Return the folder to which the paths in the predictions of a batch are relative; "" if it is not known."""
    for folder in (file.parent, file.parent.parent):
        try:
            return str(json.loads((folder / BATCH_REPORT).read_text("utf-8"))["relative_to"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return ""


def _files(folder: Path) -> list[Path]:
    """Return the tables of a folder: one named `manifest`, else the predictions of a batch, else all."""
    tables = _tables(folder)
    named = [path for path in tables if path.stem.lower() == MANIFEST_NAME]
    if named:
        return named
    if (folder / BATCH_REPORT).is_file():
        parts = sorted((folder / BATCH_PARTS).glob("part-*.parquet"))
        return [path for path in tables if path.stem == PREDICTIONS_NAME] or parts
    return tables


def _tables(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if is_table(path.name) and not path.name.startswith("."))


def _names(files: Sequence[Path]) -> str:
    return ", ".join(file.name for file in files) or f"no {', '.join(SUFFIXES)}"
