"""Writes the audio that tables contain to files, so that all other code reads files.

CACHE/audio/ab/ab12...ef.wav is named by the SHA-256 of its content: each recording is written once, whatever contains
it, and the files may be removed at any time, as the next command writes those that it needs.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from overtone._internal.atomic_write import write_bytes
from overtone._internal.audio_suffixes import AUDIO_SUFFIXES
from overtone._internal.cache_folder import CACHE_VARIABLE, default_cache
from overtone.corpora.tables.columns import find_columns
from overtone.corpora.tables.rows import Row, Table, cell_text
from overtone.errors import CorpusError, OvertoneError

AUDIO_FOLDER = "audio"
UNKNOWN_SUFFIX = ".audio"
# Offset and bytes at the beginning of a file -> its suffix.
SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (8, b"WAVE", ".wav"),
    (0, b"fLaC", ".flac"),
    (0, b"OggS", ".ogg"),
    *((0, sign, ".mp3") for sign in (b"ID3", b"\xff\xfb", b"\xff\xfa", b"\xff\xf3", b"\xff\xf2")),
    *((0, sign, ".aac") for sign in (b"\xff\xf1", b"\xff\xf9")),
    (0, b"FORM", ".aiff"),
    (0, b"caff", ".caf"),
    (0, b".snd", ".au"),
    (4, b"ftyp", ".m4a"),
    (0, b"\x1a\x45\xdf\xa3", ".webm"),
    (0, b"#!AMR", ".amr"),
)


def store_audio(tables: Sequence[Table], cache: Path | None = None) -> list[Table]:
    """Return tables whose rows have `audio`, the path of a file, instead of `content`; other tables are unchanged.

    A file is written when its row is read. The name of each recording is unique in all tables: if the table has none,
    or other content of this name was read before, it is the name of the table and the position of the row.

    Args:
        tables: all tables of a dataset, which are read in this order.
        cache: the cache folder; None for `overtone._internal.cache_folder.default_cache`.
    """
    folder = (cache or default_cache()).absolute() / AUDIO_FOLDER
    audio_of: dict[str, str] = {}  # name -> path of the file
    return [replace(table, rows=_stored(table, folder, audio_of)) if table.has_audio else table for table in tables]


def clip_name(name: str) -> str:
    """Return the name of a recording without the suffix of an audio file."""
    path = PurePosixPath(name.replace("\\", "/"))
    return str(path.with_suffix("")) if path.suffix.lower() in AUDIO_SUFFIXES else str(path)


def _stored(table: Table, folder: Path, audio_of: dict[str, str]) -> Iterator[Row]:
    index = find_columns(table.columns, table.place, ["path"])["path"].place
    for row in table.rows:
        if row.content is None:
            yield row
            continue
        audio = str(_write(table, row.content, cell_text(row.cells[index]), folder))
        own_name = f"{_relative_name(table)}:{row.position}"
        name = cell_text(row.cells[index]) or own_name
        if audio_of.setdefault(clip_name(name), audio) != audio:
            name = own_name
        cells = (*row.cells[:index], name, *row.cells[index + 1 :])
        yield row._replace(cells=cells, content=None, audio=audio)


def _write(table: Table, content: bytes, name: str, folder: Path) -> Path:
    """Return the file with this content; it is written if it is missing.

    Raises:
        OvertoneError: it cannot be written.
    """
    digest = hashlib.sha256(content).hexdigest()
    path = folder / digest[:2] / f"{digest}{_suffix(content, name)}"
    try:
        if not path.is_file() or path.stat().st_size != len(content):
            write_bytes(path, content)
    except OSError as error:
        raise CorpusError(f"{path}: cannot be read: {error.strerror}; remove it") from error
    except OvertoneError as error:
        raise OvertoneError(
            f"{table.name}: the audio in it cannot be stored: {error}: set {CACHE_VARIABLE} to another folder"
        ) from error
    return path


def _suffix(content: bytes, name: str) -> str:
    """Return the suffix of the format that the first bytes declare, else that of the name."""
    found = (suffix for start, sign, suffix in SIGNATURES if content[start : start + len(sign)] == sign)
    suffix = PurePosixPath(name).suffix.lower()
    return next(found, suffix if suffix in AUDIO_SUFFIXES else UNKNOWN_SUFFIX)


def _relative_name(table: Table) -> str:
    """Return the name of a table, relative to the folder of its dataset."""
    try:
        return Path(table.name).relative_to(table.folders[0]).as_posix()
    except ValueError:
        return PurePosixPath(table.name).name
