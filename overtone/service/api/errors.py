"""Every error of the service as one JSON shape, whoever raises it.

{"error": {"code": "too_large", "message": "...", "status": 413, "failures": [...]}}

`code` is one of `CODES`, for programs; `message` says to people what to do; `failures` is there where each of several
files has its own.
"""

import json
import logging
import math
import sqlite3
from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

CODES: dict[str, tuple[int, str]] = {
    "malformed": (400, "the request is not what its headers say"),
    "unauthorized": (401, "an API key is asked for and none, or a wrong one, was given"),
    "forbidden_origin": (403, "a page of another origin, or a host name that is not allowed"),
    "not_found": (404, "no such path, job or result"),
    "method_not_allowed": (405, "the path knows other methods"),
    "not_acceptable": (406, "no form fits the Accept header"),
    "upload_timeout": (408, "the body did not arrive in time"),
    "job_not_finished": (409, "the job is not done yet"),
    "too_large": (413, "the body is larger, or holds more files, than is allowed"),
    "unsupported_media_type": (415, "the body is of a type that is not taken"),
    "invalid_audio": (422, "the sound cannot be read or judged, or is longer than is allowed"),
    "invalid_parameter": (422, "a parameter has a value that is not taken, or does not exist"),
    "idempotency_key_reused": (422, "the idempotency key was used for something else"),
    "too_many_jobs": (429, "too many jobs of this API key are waiting"),
    "headers_too_large": (431, "the headers, or the path, are larger than is allowed"),
    "failed": (500, "a fault of the service"),
    "busy": (503, "the service has all it can do, or is about to end"),
}
UNKEPT_S = 10.0  # a guess at when there is room on the disk again
REFUSED = "overtone.refusal"  # in the scope of a request: why the gate must not let it in
BY_STATUS = {400: "malformed", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}


class ApiError(Exception):
    """A request that is not done.

    Args:
        code: one of `CODES`.
        message: what to do.
        retry_after_s: when to try again.
        failures: of each of several files.
    """

    def __init__(
        self, code: str, message: str, retry_after_s: float | None = None, failures: Sequence[dict[str, Any]] = ()
    ) -> None:
        super().__init__(message)
        self.code, self.status, self.message = code, CODES[code][0], message
        self.retry_after_s, self.failures = retry_after_s, failures

    @property
    def content(self) -> dict[str, Any]:
        """What is told to the client."""
        told: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        return {"error": told | ({"failures": list(self.failures)} if self.failures else {})}

    @property
    def headers(self) -> dict[str, str]:
        """What HTTP says beside it."""
        after = {} if self.retry_after_s is None else {"Retry-After": str(max(1, math.ceil(self.retry_after_s)))}
        return after | ({"WWW-Authenticate": "Bearer"} if self.status == CODES["unauthorized"][0] else {})

    def response(self) -> Response:
        """The response."""
        return Response(json.dumps(self.content), self.status, self.headers, "application/json")


def busy(what: str = "the service has all it can do; try again later", retry_after_s: float = 1.0) -> ApiError:
    """503 with Retry-After."""
    return ApiError("busy", what, retry_after_s)


def install(app: FastAPI) -> None:
    """Makes the app answer every error in this shape."""
    app.add_exception_handler(ApiError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(sqlite3.OperationalError, _unkept)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error.response()


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = BY_STATUS.get(error.status_code, "malformed")
    response = ApiError(code, str(error.detail)).response()
    response.headers.update(error.headers or {})
    return response


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first.get("loc", ()))
    return ApiError("invalid_parameter", f"{where}: {first.get('msg', 'not valid')}").response()


async def _unkept(request: Request, error: Exception) -> Response:
    logging.getLogger("overtone").error("the store: %s", error)
    return busy("the service cannot keep anything now; try again later", UNKEPT_S).response()


def fault(error: Exception) -> ApiError:
    """What is told of a fault of ours; the log tells more."""
    logging.getLogger("overtone").error("a fault of the service", exc_info=error)
    return ApiError("failed", "the service has a fault; its log tells more")
