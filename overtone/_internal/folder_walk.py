"""Finds the files in a folder and its subfolders."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path


def list_files(folder: str | Path, on_error: Callable[[OSError], None]) -> Iterator[Path]:
    """Yield every file in a folder, at any depth and in no particular order, except hidden ones.

    Links to folders are followed, and each folder is searched once.

    Args:
        folder: where to look.
        on_error: called for each folder that cannot be opened; if it returns, the search goes on without the folder.
    """
    visited: set[str] = set()
    for parent, folders, names in os.walk(folder, onerror=on_error, followlinks=True):
        real = os.path.realpath(parent)
        if real in visited:  # a link to a parent folder would be followed forever
            folders.clear()
            continue
        visited.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in names if not name.startswith("."))
