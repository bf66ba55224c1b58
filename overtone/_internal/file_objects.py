"""Reading of file objects that the caller has opened."""

from typing import BinaryIO


def read_file_object(file: BinaryIO) -> bytes:
    """Return the content of a file object from its position; from its start if it is at its end, as after writing."""
    content = file.read()
    if not content and hasattr(file, "seekable") and file.seekable() and file.tell():
        file.seek(0)
        content = file.read()
    return content
