"""Finds the audio files of a folder.

Files are selected by suffix. The suffixes of formats that need PyAV are always included: without PyAV such a file is
reported by name as an error. Links to folders are followed, and each folder is searched once. Hidden files and folders
are ignored.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from overtone._internal.audio_suffixes import AUDIO_SUFFIXES, LIBSNDFILE_SUFFIXES
from overtone._internal.special_files import is_special
from overtone.errors import AudioError


def find_audio_files(path: str) -> Iterator[Path | AudioError]:
    """Yield the file itself, or all audio files in a folder at any depth, sorted; then an error per unreadable one."""
    return (Path(name) if error is None else error for name, error in search(path))


def search(path: str) -> Iterator[tuple[str, AudioError | None]]:
    """Yield name and error: the file names of `find_audio_files`, and the names of what cannot be read or searched."""
    if not path:
        yield path, AudioError("'': an empty name; give the name of an audio file or a folder")
        return
    if not is_folder(path):
        yield str(Path(path)), None
        return
    from overtone._internal.folder_walk import list_files  # files do not need it

    errors: list[OSError] = []
    files = sorted(file for file in list_files(path, errors.append) if file.suffix.lower() in AUDIO_SUFFIXES)
    for file in files:
        yield str(file), AudioError(f"{file}: is not a regular file") if is_special(file) else None
    for error in errors:
        yield error.filename, AudioError(f"{error.filename}: cannot be searched: {error.strerror}; see: chmod +rx")
    if not files and not errors:
        yield path, AudioError(f"{path}: a folder without audio files ({' '.join(sorted(LIBSNDFILE_SUFFIXES))})")


def is_folder(path: str) -> bool:
    """Return whether a folder exists; a path that cannot be inspected is reported when it is read."""
    return os.path.isdir(path)  # noqa: PTH112 (a Path raises for a name that is too long or a folder without access)
