"""Reading of file objects that the caller has opened."""

from typing import BinaryIO

from overtone.errors import AudioError


def read_file_object(file: BinaryIO) -> bytes:
    """Return the content of a file object from its position; from its start if it is at its end, as after writing.

    Raises:
        AudioError: it is closed.
    """
    try:
        content = file.read()
        if not content and hasattr(file, "seekable") and file.seekable() and file.tell():
            file.seek(0)
            content = file.read()
    except ValueError as error:
        raise AudioError(f"{getattr(file, 'name', 'audio from a file object')}: cannot be read: {error}") from error
    return content
