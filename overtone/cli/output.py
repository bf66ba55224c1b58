"""Output to an existing device or named pipe, which must not be replaced by a file."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


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
