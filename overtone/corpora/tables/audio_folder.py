"""Reads a folder in the layout `AudioFolder` of Hugging Face datasets: a table `metadata`, or a folder per class.

    dataset/                          dataset/
    ├── metadata.csv                  ├── train/angry/1.wav
    ├── 1.wav                         ├── train/sad/2.wav
    └── 2.wav                         └── test/sad/3.wav

`metadata.csv`, `.jsonl` or `.parquet` has a column `file_name`, relative to the table; each split may have a folder
with a table of its own. Without such a table, the name of the folder of a clip is its label.

Source: Hugging Face datasets, "Create an audio dataset", AudioFolder.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from overtone.corpora.scan import CLIP_SUFFIXES
from overtone.corpora.tables.rows import Row, Table
from overtone.corpora.tables.splits import SPLIT, SPLITS, with_split
from overtone.corpora.tables.table_files import SUFFIXES, read_file
from overtone.errors import CorpusError

METADATA_NAME = "metadata"
UNLABELLED = "in no folder of a class"


def is_here(folder: Path) -> bool:
    """Return whether a folder has a table of metadata.

    Without one in the folder itself, any other table in it says that it is a folder of tables.
    """
    tables = [path.stem for path in folder.iterdir() if path.suffix.lower() in SUFFIXES]
    return METADATA_NAME in tables or (bool(_metadata(folder)) and not tables)


def read(folder: Path, selection: str, expected: str) -> list[Table]:
    """Return the tables of metadata, those of splits with a column `split`.

    Args:
        folder: of the dataset.
        selection: names of splits, separated by commas; "" for all.
        expected: description of the expected content, for messages.

    Raises:
        CorpusError: a table cannot be read, or there is no such split.
        MissingExtraError: Parquet needs pyarrow, which is not installed.
    """
    files = _metadata(folder)
    names = [_split_name(file, folder) for file in files]
    tables = [with_split(read_file(str(file), expected), name) for file, name in zip(files, names, strict=True)]
    _check_selection(folder, selection, names)
    return [table for table, name in zip(tables, names, strict=True) if not selection or name in selection.split(",")]


def has_classes(folder: Path) -> bool:
    """Return whether a folder has audio files in subfolders."""
    return any(path.parent != folder for path in _audio_files(folder))


def read_classes(folder: Path, selection: str, expected: str) -> list[Table]:
    """Return the audio files in subfolders as a table: the file, the name of its folder as its label, and its split."""
    paths = sorted(_audio_files(folder))
    columns = ("file_name", "label", SPLIT)
    rows = [
        Row(str(path.relative_to(folder)), (str(path.relative_to(folder)), *_labels(path, folder))) for path in paths
    ]
    _check_selection(folder, selection, [str(row.cells[2] or "") for row in rows])
    rows = [row for row in rows if not selection or row.cells[2] in selection.split(",")]
    return [Table(str(folder), columns, rows, (str(folder),), made_by_program=True, unlabelled=UNLABELLED)]


def _check_selection(folder: Path, selection: str, splits: Sequence[str]) -> None:
    """Check that all selected splits exist."""
    unknown = [name for name in selection.split(",") if name not in splits] if selection else []
    if unknown:
        listed = ", ".join(sorted(filter(None, set(splits)))) or "none"
        raise CorpusError(f"{folder}: no split '{unknown[0]}' in it; splits: {listed}")


def _labels(path: Path, folder: Path) -> tuple[str | None, str | None]:
    """Return the label and the split of a clip, by the folders it is in."""
    parts = path.relative_to(folder).parts[:-1]
    split = parts[0] if parts and parts[0].lower() in SPLITS else None
    label = parts[-1] if len(parts) > (split is not None) else None
    return label, split


def _split_name(file: Path, folder: Path) -> str:
    """Return the name of the folder of a table in the dataset; "" for the dataset itself."""
    parts = file.relative_to(folder).parts[:-1]
    return parts[0] if parts and file.stem == METADATA_NAME else ""


def _metadata(folder: Path) -> list[Path]:
    paths = [path for path in folder.glob(f"**/{METADATA_NAME}.*") if path.suffix.lower() in SUFFIXES]
    return sorted(path for path in paths if not _is_hidden(path, folder))


def _audio_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.suffix.lower() in CLIP_SUFFIXES and not _is_hidden(path, folder) and path.is_file():
            yield path


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)
