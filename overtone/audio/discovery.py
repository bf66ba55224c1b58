"""Name of a file or folder -> the sound files to read.

What counts in a folder is the suffix, and what is read only where PyAV is installed counts everywhere: without it, it
is refused by name.
Links to folders are followed, each folder is searched once. Hidden files and folders are passed over.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from overtone.audio.decode import AUDIO_SUFFIXES
from overtone.audio.ffmpeg_formats import FFMPEG_SUFFIXES
from overtone.errors import AudioError

FILE_SUFFIXES = AUDIO_SUFFIXES | FFMPEG_SUFFIXES


def find_audio_files(path: str) -> Iterator[Path | AudioError]:
    """The file itself, or every sound file in a folder and below, sorted; an error for what cannot be searched."""
    return (Path(name) if error is None else error for name, error in search(path))


def search(path: str) -> Iterator[tuple[str, AudioError | None]]:
    """As `find_audio_files`, each with its name: of the file, or of what is wrong with it or cannot be searched."""
    if not path:
        yield path, AudioError("'': an empty name; give the name of a sound file or a folder")
        return
    if not is_folder(path):
        yield str(Path(path)), None
        return
    errors: list[OSError] = []
    found = sorted(_files_in(path, errors))
    for file in found:
        yield str(file), AudioError(f"{file}: is not a regular file") if is_special(file) else None
    for error in errors:
        yield error.filename, AudioError(f"{error.filename}: cannot be searched: {error.strerror}")
    if not found and not errors:
        yield path, AudioError(f"{path}: a folder without sound files ({' '.join(sorted(AUDIO_SUFFIXES))})")


def is_folder(path: str) -> bool:
    """Whether a folder is there; what cannot be looked at is for the reader to say."""
    return os.path.isdir(path)  # noqa: PTH112 (a Path raises where a name is too long, or a folder above not ours to see)


def is_special(file: Path) -> bool:
    """Whether it is a pipe, a socket or a device, which might never end; what is not there is for the reader to say."""
    try:
        kind = file.stat().st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(kind) and not stat.S_ISDIR(kind)


def _files_in(path: str, errors: list[OSError]) -> Iterator[Path]:
    """Every file with the suffix of a sound in a folder and below; folders that cannot be searched go to `errors`."""
    seen: set[str] = set()
    for folder, folders, names in os.walk(path, onerror=errors.append, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link back up would be followed for ever
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in names:
            if not name.startswith(".") and Path(name).suffix.lower() in FILE_SUFFIXES:
                yield Path(folder) / name
