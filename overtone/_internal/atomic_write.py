"""Atomic file writing: a file appears complete or not at all."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from overtone.errors import OvertoneError

MAX_PREFIX_LENGTH = 40  # characters of the file name in the temporary name; a full name could exceed the system's limit


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a binary stream into a temporary file next to `path` that replaces `path` on success.

    An existing file remains until then; it remains unchanged if writing fails.

    Raises:
        OvertoneError: the file cannot be written (no space, no permission); the temporary file is removed.
    """
    path = Path(path)
    temporary: str | None = None
    try:
        with describe_os_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(
                dir=path.parent, prefix=f".{path.name[:MAX_PREFIX_LENGTH]}.", suffix=".part"
            )
            with os.fdopen(handle, "wb") as file:
                yield file
            Path(temporary).chmod(0o666 & ~_read_umask())
            Path(temporary).replace(path)
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


def _read_umask() -> int:
    """Return the umask of the process, which can only be read by setting it."""
    umask = os.umask(0o077)
    os.umask(umask)
    return umask


@contextmanager
def describe_os_errors(path: Path | str) -> Iterator[None]:
    """Convert an `OSError` while writing into an `OvertoneError` that names the file or folder and the remedy."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise OvertoneError(f"cannot write {path}: {reason}; make room or choose another place") from error


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically.

    Raises:
        OvertoneError: see `atomic_file`.
    """
    with atomic_file(path) as file:
        file.write(content)


def write_text(path: Path, content: str) -> None:
    """Write a UTF-8 text file atomically; line endings stay as they are."""
    write_bytes(path, content.encode("utf-8"))
