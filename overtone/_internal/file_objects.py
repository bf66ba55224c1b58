"""Reading of file objects that the caller has opened."""

from typing import BinaryIO

from overtone.errors import AudioError, OvertoneError, first_line


def read_file_object(file: BinaryIO) -> bytes:
    """Return the content of a file object from its position; from its start if it is at its end, as after writing.

    Raises:
        AudioError: it is closed, does not return bytes, or reading it fails, as for a truncated archive.
    """
    name = getattr(file, "name", None)
    name = name if isinstance(name, str) else "audio from a file object"
    try:
        content: object = file.read()
        if content == b"" and hasattr(file, "seekable") and file.seekable() and file.tell():
            file.seek(0)
            content = file.read()
    except (OSError, OvertoneError):
        raise
    except Exception as error:  # each library has its own: zipfile.BadZipFile, zlib.error, EOFError of gzip
        raise AudioError(f"{name}: cannot be read: {first_line(error) or type(error).__name__}") from error
    if isinstance(content, str):
        raise AudioError(f"{name}: the file object returns str; open it in binary mode ('rb')")
    if not isinstance(content, bytes | bytearray | memoryview):
        raise AudioError(f"{name}: the file object returns {type(content).__name__}; expected bytes")
    return bytes(content)
