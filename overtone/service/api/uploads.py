"""Body of a request -> the files in it, read within limits: multipart, or one file as it is.

A body that says it is too large is refused before it is read, one that turns out to be while it is. The name that the
client gives a file is text for its answer and nothing else.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from fastapi import Request
from starlette.requests import ClientDisconnect

from overtone.service.api.errors import ApiError, busy
from overtone.service.api.multipart import MultipartReader, Upload, drop, shown_name, temporary
from overtone.service.settings import MB

RAW_TYPES = ("", "application/octet-stream", "application/ogg", "video/ogg")
MULTIPART = "multipart/form-data"
MIN_UPLOAD_BYTES_PER_S = 1_000  # less than any codec of speech: who sends so little holds a place, and no sound
GRACE_S = 10.0  # by which a body may be behind that


class Limits(NamedTuple):
    """What a body may hold, how long it may take, and which fields a multipart one may have, that of sounds first."""

    body_bytes: int
    files: int
    time_s: float
    fields: tuple[str, ...] = ("file",)


@asynccontextmanager
async def read_uploads(request: Request, limits: Limits, name: str) -> AsyncIterator[list[Upload]]:
    """The files of a request; they are gone afterwards.

    Args:
        request: whose body nobody has read.
        limits: of the body.
        name: of a raw body.

    Raises:
        Refusal: the body is too large, too slow, of another type, cut short, or holds no file.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    _check_media_type(kind, request)
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limits.body_bytes:
        raise _too_large(limits)
    if kind == MULTIPART:
        parts = MultipartReader(request.headers["content-type"], limits.fields, limits.files)
        try:
            await _read(request, parts.write, parts.flush, limits)
            yield parts.finish()
        finally:
            parts.close()
    else:
        file = temporary()
        try:
            await _read(request, file.write, file.flush, limits)
            if not file.tell():
                raise ApiError("malformed", "the body is empty; send a sound file")
            yield [Upload(limits.fields[0], shown_name(name), file)]
        finally:
            drop(file)


async def _read(request: Request, take: Callable[[bytes], object], flush: Callable[[], object], limits: Limits) -> None:
    """Hands the body on chunk by chunk, and has it written whole."""
    read_bytes, begin_s = 0, asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout(min(limits.time_s, GRACE_S)) as until:
            async for chunk in request.stream():
                read_bytes += len(chunk)
                until.reschedule(begin_s + min(limits.time_s, GRACE_S + read_bytes / MIN_UPLOAD_BYTES_PER_S))
                if read_bytes > limits.body_bytes:
                    raise _too_large(limits)
                take(chunk)
            flush()
    except TimeoutError as error:
        raise ApiError(
            "upload_timeout",
            f"the body has not arrived within {limits.time_s:.0f} s, or comes with less than {MIN_UPLOAD_BYTES_PER_S} B/s",
        ) from error
    except OSError as error:  # no space for a temporary file
        raise busy("the service has no room for the body; try again later") from error
    except ClientDisconnect as error:
        raise ApiError("malformed", "the connection was closed before the body was whole") from error


def _check_media_type(kind: str, request: Request) -> None:
    if kind != MULTIPART and kind not in RAW_TYPES and not kind.startswith("audio/"):
        raise ApiError(
            "unsupported_media_type",
            f"Content-Type: {kind} is not taken; send {MULTIPART} with a field 'file', or a sound file as it is, "
            "as audio/wav or application/octet-stream",
        )
    coding = request.headers.get("content-encoding", "identity").lower()
    if coding != "identity":
        raise ApiError("unsupported_media_type", f"Content-Encoding: {coding} is not taken; send the file as it is")


def _too_large(limits: Limits) -> ApiError:
    return ApiError(
        "too_large", f"the body is larger than {limits.body_bytes / MB:.0f} MB; send less, or a FLAC or Opus"
    )
