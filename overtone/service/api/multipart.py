"""Multipart body, chunk by chunk -> its files, each in memory while small and in a nameless temporary file if not.

Source: RFC 7578.
"""

import tempfile
from contextlib import suppress
from typing import NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from overtone.service.api.errors import ApiError

IN_MEMORY_BYTES = 1_000_000
LONGEST_NAME = 255
HEADER_BYTES = 8_192  # of a part, all together
LONGEST_BOUNDARY = 70


class Upload(NamedTuple):
    """A file that was sent: the field it was sent in, how the client calls it, and its content."""

    field: str
    name: str
    file: "tempfile.SpooledTemporaryFile[bytes]"

    def content(self) -> bytes:
        """All of it."""
        self.file.seek(0)
        return self.file.read()


def temporary() -> "tempfile.SpooledTemporaryFile[bytes]":
    """A file that is gone once it is closed."""
    return tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)


def drop(file: "tempfile.SpooledTemporaryFile[bytes]") -> None:
    """Closes a temporary file, by which it is gone."""
    with suppress(OSError):  # of what is left to be written on a full disk
        file.close()


def shown_name(name: str) -> str:
    """How a file is called in its answer: the end of what the client says, without folders."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1].encode("utf-8", "replace").decode()
    return last[-LONGEST_NAME:] or "sound"


class MultipartReader:
    """The files of a multipart body.

    Args:
        content_type: of the body.
        fields: names that parts may have.
        most_files: that there may be.

    Raises:
        Refusal: the content type has no boundary.
    """

    def __init__(self, content_type: str, fields: tuple[str, ...], most_files: int) -> None:
        self.files: list[Upload] = []
        self._fields, self._most = fields, most_files
        self._header, self._value, self._header_bytes = b"", b"", 0
        self._disposition = b""
        self._ended = False
        self._bytes = 0
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not 0 < len(boundary) <= LONGEST_BOUNDARY:
            raise ApiError("malformed", "Content-Type: multipart without a boundary; let your HTTP library write it")
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._part_data,
                "on_end": self._end,
            },
        )

    def write(self, chunk: bytes) -> None:
        """Takes the next bytes of the body.

        Raises:
            Refusal: they are no multipart, or hold what is not taken.
        """
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise ApiError("malformed", f"the body is no multipart: {error}") from error

    def flush(self) -> None:
        """Has all that came written."""
        for one in self.files:
            one.file.flush()

    def finish(self) -> list[Upload]:
        """The files of the whole body.

        Raises:
            Refusal: it is cut short, or holds no file.
        """
        if not self._ended:
            raise ApiError("malformed", "the multipart body is cut short; send it again")
        if self._fields[0] not in (one.field for one in self.files):
            raise ApiError("malformed", f"the body holds no file; send one in the field '{self._fields[0]}'")
        return self.files

    def close(self) -> None:
        """Drops the files."""
        for one in self.files:
            drop(one.file)

    def _part_begin(self) -> None:
        self._disposition, self._header_bytes = b"", 0

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += self._counted(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += self._counted(data[start:end])

    def _counted(self, data: bytes) -> bytes:
        self._header_bytes += len(data)
        if self._header_bytes > HEADER_BYTES:
            raise ApiError("too_large", f"a part of the body has more than {HEADER_BYTES} bytes of headers")
        return data

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header, self._value = b"", b""

    def _headers_finished(self) -> None:
        options = parse_options_header(self._disposition)[1]
        field = options.get(b"name", b"").decode("utf-8", "replace")
        if field not in self._fields:
            raise ApiError("malformed", f"the body has a field {field!r}; known are {', '.join(self._fields)}")
        if len(self.files) == self._most:
            raise ApiError("too_large", f"more than {self._most} files in one request; send several requests")
        name = options.get(b"filename", b"").decode("utf-8", "replace")
        self.files.append(Upload(field, shown_name(name), temporary()))

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._bytes += end - start
        file = self.files[-1].file
        file.write(data[start:end])
        if self._bytes > IN_MEMORY_BYTES:  # many small files take no more memory than one
            file.rollover()

    def _end(self) -> None:
        self._ended = True
