"""Reads the body of a request within limits: multipart with several files, or one raw file.

A body whose Content-Length is too large is rejected before it is read; any other one as soon as it exceeds the limit.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import NamedTuple

from fastapi import Request
from starlette.requests import ClientDisconnect

from overtone.service.api.errors import ApiError, overloaded
from overtone.service.api.multipart import MultipartReader, Upload, base_name, discard, temporary_file
from overtone.service.settings import MB

RAW_TYPES = ("", "application/octet-stream", "binary/octet-stream", "application/ogg", "application/mp4")
RAW_KINDS = ("audio/", "video/")  # of any subtype: the content decides the format
MULTIPART = "multipart/form-data"
MIN_UPLOAD_BYTES_PER_S = 1_000  # below the bit rate of any speech codec: a slower client only blocks an upload slot
GRACE_S = 10.0  # delay allowed on top of that rate


class UploadLimits(NamedTuple):
    """Limits of a request body.

    Attributes:
        max_bytes: largest size of the body.
        timeout_s: time limit for receiving the body.
        fields: field of a multipart body -> largest number of files; the first one is that of the audio.
        text_fields: fields of a multipart body that are texts.
    """

    max_bytes: int
    timeout_s: float
    fields: Mapping[str, int]
    text_fields: tuple[str, ...] = ()


class Body(NamedTuple):
    """The body of a request.

    Attributes:
        files: its files.
        texts: field of a multipart body -> its text.
    """

    files: list[Upload]
    texts: Mapping[str, str]


@asynccontextmanager
async def read_body(request: Request, limits: UploadLimits, name: str) -> AsyncIterator[Body]:
    """Return the files and texts of a request; the files are deleted at the end of the block.

    Args:
        request: request whose body has not been read yet.
        limits: limits of the body.
        name: file name of a raw body.

    Raises:
        ApiError: the body is too large, too slow, truncated, of an unsupported type, or contains no file.
    """
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    _check_media_type(media_type, request)
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limits.max_bytes:
        raise _too_large(limits)
    if media_type == MULTIPART:
        reader = MultipartReader(request.headers["content-type"], limits.fields, limits.text_fields)
        try:
            await receive(request, reader.write, reader.flush, limits)
            yield Body(reader.finish(), reader.texts)
        finally:
            reader.close()
    else:
        file = temporary_file()
        try:
            await receive(request, file.write, file.flush, limits)
            if not file.tell():
                raise ApiError("malformed_request", "the body is empty; send an audio file")
            yield Body([Upload(next(iter(limits.fields)), base_name(name), file)], {})
        finally:
            discard(file)


async def receive(
    request: Request, write: Callable[[bytes], object], flush: Callable[[], object], limits: UploadLimits
) -> None:
    """Pass the body on chunk by chunk, and flush it at the end.

    Args:
        request: the request.
        write: called with each chunk.
        flush: called when the body is complete.
        limits: its largest size, and the timeout.

    Raises:
        ApiError: the body is too large, too slow or truncated.
    """
    read_bytes, begin_s = 0, asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(min(limits.timeout_s, GRACE_S)) as timeout:
            async for chunk in request.stream():
                read_bytes += len(chunk)
                timeout.reschedule(begin_s + min(limits.timeout_s, GRACE_S + read_bytes / MIN_UPLOAD_BYTES_PER_S))
                if read_bytes > limits.max_bytes:
                    raise _too_large(limits)
                write(chunk)
            flush()
    except TimeoutError as error:
        raise ApiError(
            "upload_timeout",
            f"the body took longer than {limits.timeout_s:.0f} s, or came slower than {MIN_UPLOAD_BYTES_PER_S} bytes/s",
        ) from error
    except OSError as error:  # no space for a temporary file
        raise overloaded("the service has no disk space for the body; try again later") from error
    except ClientDisconnect as error:
        raise ApiError("malformed_request", "the connection was closed before the end of the body") from error


def _check_media_type(media_type: str, request: Request) -> None:
    if media_type != MULTIPART and media_type not in RAW_TYPES and not media_type.startswith(RAW_KINDS):
        raise ApiError(
            "unsupported_media_type",
            f"Content-Type: {media_type} is not supported; send {MULTIPART} with a field 'file', or a raw audio file "
            "as audio/wav or application/octet-stream",
        )
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise ApiError(
            "unsupported_media_type", f"Content-Encoding: {encoding} is not supported; send the file without it"
        )


def _too_large(limits: UploadLimits) -> ApiError:
    return ApiError(
        "too_large",
        f"the body is larger than {limits.max_bytes / MB:.0f} MB; send fewer files, or encode them as FLAC or Opus",
    )
