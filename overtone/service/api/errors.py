"""All errors of the service, as one JSON shape.

{"error": {"code": "too_large", "message": "...", "status": 413, "failures": [...]}}

`code` is one of `CODES`, for programs. `message` is for people and names the remedy. `failures` is present if several
files failed, each with its own error.
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
    "malformed_request": (400, "the request does not match its headers, or is incomplete"),
    "unauthorized": (401, "the API key is missing or wrong"),
    "forbidden_origin": (403, "the origin or the host name is not allowed"),
    "keys_required": (403, "jobs are listed per API key, and the service has no keys"),
    "not_found": (404, "no such path, job or result"),
    "method_not_allowed": (405, "the path does not support this method"),
    "not_acceptable": (406, "no format matches the Accept header"),
    "upload_timeout": (408, "the body did not arrive in time"),
    "job_not_finished": (409, "the job is not finished yet"),
    "job_cancelled": (409, "the job was cancelled, so that it has no timeline"),
    "precondition_failed": (412, "a condition of the request, such as If-Match, is not met"),
    "too_large": (413, "the body is too large, or contains too many files"),
    "unsupported_media_type": (415, "the media type of the body is not supported"),
    "invalid_audio": (422, "the audio cannot be decoded or recognised, or is too long"),
    "invalid_parameter": (422, "a parameter is unknown, or has an invalid value"),
    "invalid_corrections": (422, "the corrections have another form, or do not fit the timeline"),
    "idempotency_key_reused": (422, "the idempotency key belongs to a different request"),
    "too_many_jobs": (429, "too many jobs of this API key are queued"),
    "headers_too_large": (431, "the headers or the path are too large"),
    "internal_error": (500, "an internal error of the service"),
    "overloaded": (503, "the service is overloaded or shutting down"),
}
STORE_RETRY_S = 10.0  # estimated time until the disk has space again
ERROR_KEY = "overtone.error"  # in the ASGI scope: an error that was found before the middleware ran
CODE_BY_STATUS = {400: "malformed_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}


class ApiError(Exception):
    """An error that is returned to the client.

    Args:
        code: one of `CODES`.
        message: what is wrong and how to fix it.
        retry_after_s: when the client may retry; None if a retry does not help.
        failures: one object per failed file, if there are several.
        etag: the current entity tag of the resource; "" for none.
    """

    def __init__(
        self,
        code: str,
        message: str,
        retry_after_s: float | None = None,
        failures: Sequence[dict[str, Any]] = (),
        etag: str = "",
    ) -> None:
        super().__init__(message)
        self.code, self.status, self.message = code, CODES[code][0], message
        self.retry_after_s, self.failures, self.etag = retry_after_s, failures, etag

    @property
    def content(self) -> dict[str, Any]:
        """The JSON object of the response body."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        return {"error": error | ({"failures": list(self.failures)} if self.failures else {})}

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the response."""
        retry = {} if self.retry_after_s is None else {"Retry-After": str(max(1, math.ceil(self.retry_after_s)))}
        retry |= {"ETag": self.etag} if self.etag else {}
        return retry | ({"WWW-Authenticate": "Bearer"} if self.status == CODES["unauthorized"][0] else {})

    def response(self) -> Response:
        """Return the response."""
        return Response(json.dumps(self.content), self.status, self.headers, "application/json")


def overloaded(
    message: str = "the service is overloaded or shutting down; try again later", retry_after_s: float = 1.0
) -> ApiError:
    """Return a 503 error with a Retry-After header."""
    return ApiError("overloaded", message, retry_after_s)


def internal_error(error: Exception) -> ApiError:
    """Log an unexpected exception; return an error that does not reveal its details."""
    logging.getLogger("overtone").error("internal error", exc_info=error)
    return ApiError("internal_error", "an internal error of the service; see its log")


def install_handlers(app: FastAPI) -> None:
    """Make the app return every error in this shape."""
    app.add_exception_handler(ApiError, _api_error)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _validation_error)
    app.add_exception_handler(sqlite3.OperationalError, _store_error)


async def _api_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error.response()


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = CODE_BY_STATUS.get(error.status_code, "malformed_request")
    response = ApiError(code, str(error.detail)).response()
    response.headers.update(error.headers or {})
    return response


async def _validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    location = ".".join(str(part) for part in first.get("loc", ()))
    return ApiError("invalid_parameter", f"{location}: {first.get('msg', 'not valid')}").response()


async def _store_error(request: Request, error: Exception) -> Response:
    logging.getLogger("overtone").error("job store: %s", error)
    return overloaded("the service cannot write to its store now; try again later", STORE_RETRY_S).response()
