"""Parser of multipart bodies, chunk by chunk: small files stay in memory, larger ones in unnamed temporary files.

Fields are files, or short texts.

Source: RFC 7578.
"""

import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from overtone.service.api.errors import ApiError

MAX_MEMORY_BYTES = 1_000_000
MAX_NAME_LENGTH = 255
MAX_PART_HEADER_BYTES = 8_192  # of all headers of a part
MAX_BOUNDARY_LENGTH = 70
MAX_TEXT_BYTES = 8_192  # of a field that is a text
DEFAULT_NAME = "audio"


class Upload(NamedTuple):
    """An uploaded file.

    Attributes:
        field: name of the form field.
        name: file name given by the client, without folders; never used as a path.
        file: the content.
    """

    field: str
    name: str
    file: "tempfile.SpooledTemporaryFile[bytes]"

    def content(self) -> bytes:
        """Return the whole content."""
        self.file.seek(0)
        return self.file.read()


def temporary_file() -> "tempfile.SpooledTemporaryFile[bytes]":
    """Return a temporary file that is deleted when it is closed."""
    return tempfile.SpooledTemporaryFile(MAX_MEMORY_BYTES)


def discard(file: "tempfile.SpooledTemporaryFile[bytes]") -> None:
    """Close and so delete a temporary file."""
    with suppress(OSError):  # from writing buffered data to a full disk
        file.close()


def base_name(name: str) -> str:
    """Return the last part of a file name given by the client, of at most 255 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1].encode("utf-8", "replace").decode()
    return last[-MAX_NAME_LENGTH:] or DEFAULT_NAME


class MultipartReader:
    """Collects the files and texts of a multipart body.

    Args:
        content_type: value of the Content-Type header.
        fields: allowed field -> largest number of files in it; the first field is required.
        text_fields: allowed fields that are texts.

    Attributes:
        files: the files.
        texts: field -> its text, after `finish`.

    Raises:
        ApiError: the content type has no boundary.
    """

    def __init__(self, content_type: str, fields: Mapping[str, int], text_fields: Iterable[str] = ()) -> None:
        self.files: list[Upload] = []
        self.texts: dict[str, str] = {}
        self._fields, self._text_fields = fields, tuple(text_fields)
        self._text_contents: dict[str, bytes] = {}
        self._text_field = ""  # of the current part; "" if it is a file
        self._header, self._value, self._header_bytes = b"", b"", 0
        self._disposition = b""
        self._complete = False
        self._bytes = 0
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        if not 0 < len(boundary) <= MAX_BOUNDARY_LENGTH:
            raise ApiError(
                "malformed_request",
                "Content-Type: multipart without a valid boundary; let your HTTP library set this header",
            )
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._on_part_begin,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers_finished,
                "on_part_data": self._on_part_data,
                "on_end": self._on_end,
            },
        )

    def write(self, chunk: bytes) -> None:
        """Parse the next bytes of the body.

        Raises:
            ApiError: they are not valid multipart data, or contain an unknown field or too many files.
        """
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise ApiError("malformed_request", f"the body is not valid multipart data: {error}") from error

    def flush(self) -> None:
        """Flush all files."""
        for upload in self.files:
            upload.file.flush()

    def finish(self) -> list[Upload]:
        """Return the files, after the end of the body.

        Raises:
            ApiError: the body is truncated, or does not contain the required field.
        """
        if not self._complete:
            raise ApiError("malformed_request", "the multipart body is truncated; send it again")
        required = next(iter(self._fields))
        if required not in (upload.field for upload in self.files):
            raise ApiError("malformed_request", f"the body contains no file; send one in the field '{required}'")
        for field, content in self._text_contents.items():
            try:
                self.texts[field] = content.decode()
            except UnicodeDecodeError as error:
                raise ApiError("malformed_request", f"{field}: not UTF-8 text") from error
        return self.files

    def close(self) -> None:
        """Delete the files."""
        for upload in self.files:
            discard(upload.file)

    def _on_part_begin(self) -> None:
        self._disposition, self._header_bytes = b"", 0

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += self._limit_headers(data[start:end])

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += self._limit_headers(data[start:end])

    def _limit_headers(self, data: bytes) -> bytes:
        self._header_bytes += len(data)
        if self._header_bytes > MAX_PART_HEADER_BYTES:
            raise ApiError("too_large", f"a part of the body has more than {MAX_PART_HEADER_BYTES} bytes of headers")
        return data

    def _on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header, self._value = b"", b""

    def _on_headers_finished(self) -> None:
        options = parse_options_header(self._disposition)[1]
        field = options.get(b"name", b"").decode("utf-8", "replace")
        self._text_field = field if field in self._text_fields else ""
        if self._text_field:
            if field in self._text_contents:
                raise ApiError("malformed_request", f"{field}: given twice; give it once")
            self._text_contents[field] = b""
            return
        if field not in self._fields:
            expected = ", ".join((*self._fields, *self._text_fields))
            raise ApiError("malformed_request", f"unknown field {field!r}; expected {expected}")
        if sum(upload.field == field for upload in self.files) == self._fields[field]:
            message = f"more than {self._fields[field]} files '{field}' in one request; send several requests"
            raise ApiError("too_large", message)
        name = options.get(b"filename", b"").decode("utf-8", "replace")
        self.files.append(Upload(field, base_name(name), temporary_file()))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._text_field:
            self._text_contents[self._text_field] += data[start:end]
            if len(self._text_contents[self._text_field]) > MAX_TEXT_BYTES:
                raise ApiError("too_large", f"{self._text_field}: more than {MAX_TEXT_BYTES} bytes of text")
            return
        self._bytes += end - start
        file = self.files[-1].file
        file.write(data[start:end])
        if self._bytes > MAX_MEMORY_BYTES:  # the limit holds for all files together
            file.rollover()

    def _on_end(self) -> None:
        self._complete = True
