"""The body of a multipart form with files: small forms stay in memory, larger ones in an unnamed temporary file.

Source: RFC 7578.
"""

import shutil
import tempfile
import uuid
from types import TracebackType
from typing import BinaryIO, Self, cast

MAX_MEMORY_BYTES = 32_000_000
ESCAPES = {'"': "%22", "\r": "%0D", "\n": "%0A"}  # as browsers do


class FormBody:
    """A form to which files are added one by one.

    Attributes:
        file: the body, seekable; complete after `finish`.
        content_type: value of the Content-Type header.
    """

    def __init__(self) -> None:
        boundary = uuid.uuid4().hex
        self.file = cast(BinaryIO, tempfile.SpooledTemporaryFile(MAX_MEMORY_BYTES))  # noqa: SIM115
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._delimiter = f"--{boundary}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.file.close()

    def add(self, field: str, name: str, content: BinaryIO) -> None:
        """Add a file from its start.

        Args:
            field: name of the form field.
            name: file name; bytes that are not UTF-8 become question marks.
            content: the file.
        """
        for character, escape in ESCAPES.items():
            name = name.replace(character, escape)
        head = f'{self._delimiter}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
        self.file.write(head.encode("utf-8", "replace"))
        content.seek(0)
        shutil.copyfileobj(content, self.file)
        self.file.write(b"\r\n")

    def finish(self) -> None:
        """End the form."""
        self.file.write(f"{self._delimiter}--\r\n".encode())
