"""Bytes -> a file that is written whole or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from overtone.errors import OvertoneError

LONGEST_NAME = 40  # that goes into a temporary one: that of the file may be as long as the system takes


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """A binary stream into a temporary file beside `path`, which takes its place once all is in it.

    What stood there before stays until then, and for good where the writing breaks off.

    Raises:
        OvertoneError: it cannot be written (no space, no permission); nothing half-written is left.
    """
    path = Path(path)
    temporary: str | None = None
    try:
        with describe_os_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(
                dir=path.parent, prefix=f".{path.name[:LONGEST_NAME]}.", suffix=".part"
            )
            with os.fdopen(handle, "wb") as file:
                yield file
            Path(temporary).chmod(0o666 & ~_denied())
            Path(temporary).replace(path)
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _denied() -> int:
    """What the user who runs this denies to others (umask), which can only be read by setting it."""
    denied = os.umask(0o077)
    os.umask(denied)
    return denied


@contextmanager
def describe_os_errors(path: Path | str) -> Iterator[None]:
    """Makes an `OSError` of writing the `OvertoneError` that names the file or folder and says what to do."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OvertoneError(f"cannot write {path}: {reason}; make room or choose another place") from error


def write_bytes(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all.

    Raises:
        OvertoneError: as `written`.
    """
    with atomic_file(path) as file:
        file.write(content)


def write_text(path: Path, content: str) -> None:
    """Writes a UTF-8 text file as `write_bytes` does; line ends stay as they are."""
    write_bytes(path, content.encode("utf-8"))
