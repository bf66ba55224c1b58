"""Output files: the format for a suffix, and devices and named pipes, which must not be replaced by a file."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TextIO

from overtone.formats import Format


def format_by_suffix(output: Path | None, formats: Mapping[str, Format]) -> str | None:
    """Return the format with the longest suffix that the name of the output ends in; None if there is none."""
    name = output.name.lower() if output else ""
    matching = [key for key, row in formats.items() if name.endswith(row.suffix.lower())]
    return max(matching, key=lambda key: len(formats[key].suffix), default=None)


def is_device(path: Path) -> bool:
    """Return whether the path exists and is neither a file nor a folder, so that it must not be replaced by a file."""
    return path.exists() and not path.is_file() and not path.is_dir()


@contextlib.contextmanager
def open_device(device: Path) -> Iterator[TextIO]:
    """Yield a text stream to a device or named pipe; its errors name the path."""
    try:
        with device.open("w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
            yield stream
    except OSError as error:
        error.filename = error.filename or str(device)
        raise
