"""Folders with the structure of a corpus; the files are empty, as a corpus reader only compares copies."""

from pathlib import Path


def create_files(folder: Path, *names: str) -> Path:
    """Create empty files in a folder, and return the folder."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder
