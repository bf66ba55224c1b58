"""Requests to a running service: retried while it is overloaded or cannot be reached; its errors as exceptions."""

import http.client
import io
import json
import time
import uuid
from typing import BinaryIO, NamedTuple
from urllib.parse import urlsplit

from overtone.errors import InputError, ServiceError

RETRY_STATUSES = (429, 503)
RETRY_DELAY_S = 1.0  # unless the service sends Retry-After


class _Response(NamedTuple):
    status: int
    retry_after_s: float
    content: bytes


class ServiceRequests:
    """Sends requests to one service; threads may share one instance.

    Args:
        url: base URL of the service.
        api_key: API key, if the service requires one.
        timeout_s: timeout of a single request.
        retry_timeout_s: how long to retry while the service is overloaded or unreachable.

    Raises:
        InputError: `url` is not an HTTP URL.
    """

    def __init__(self, url: str, api_key: str | None, timeout_s: float, retry_timeout_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(f"{url}: expected an address such as http://127.0.0.1:8080")
        self._url, self._host, self._root = url, parts.netloc.rpartition("@")[2], parts.path.rstrip("/")
        self._connection_type = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        self._timeout_s, self._retry_timeout_s = timeout_s, retry_timeout_s

    def send(
        self, method: str, path: str, body: BinaryIO | None = None, content_type: str = "application/octet-stream"
    ) -> bytes:
        """Return the content of the response; retry until `retry_timeout_s` has passed.

        Args:
            method: of HTTP.
            path: path and query, below the base URL.
            body: a seekable stream.
            content_type: media type of the body.

        Raises:
            InputError: the service cannot process the body or a parameter.
            ServiceError: the service cannot be reached, stays overloaded, or refuses the request.
        """
        headers = dict(self._headers)
        if body is not None:
            size = str(body.seek(0, io.SEEK_END))
            headers |= {"Content-Type": content_type, "Content-Length": size}
        if path.startswith("/v1/timeline"):  # the other requests are idempotent without a key
            headers |= {"Idempotency-Key": uuid.uuid4().hex}
        deadline_s = time.monotonic() + self._retry_timeout_s
        while True:
            try:
                response = self._send(method, path, body, headers)
            except (OSError, http.client.HTTPException) as error:
                if time.monotonic() + RETRY_DELAY_S > deadline_s:
                    raise ServiceError(f"{self._url}: cannot be reached: {error}; is the service running?") from error
                time.sleep(RETRY_DELAY_S)
                continue
            if response.status not in RETRY_STATUSES or time.monotonic() + response.retry_after_s > deadline_s:
                return self._check(response)
            time.sleep(response.retry_after_s)

    def _send(self, method: str, path: str, body: BinaryIO | None, headers: dict[str, str]) -> _Response:
        """Send a request once, over a new connection."""
        connection = self._connection_type(self._host, timeout=self._timeout_s)
        try:
            if body is not None:
                body.seek(0)
            connection.request(method, self._root + path, body, headers)
            response = connection.getresponse()
            after = response.headers.get("Retry-After", "")
            return _Response(response.status, float(after) if after.isdigit() else RETRY_DELAY_S, response.read())
        finally:
            connection.close()

    def _check(self, response: _Response) -> bytes:
        """Return the content of a successful response; raise the error of any other."""
        if response.status < 400:
            return response.content
        try:
            message = json.loads(response.content)["error"]["message"]
        except (ValueError, KeyError, TypeError):
            message = "not a response of an Overtone service; check the address"
        if response.status == 422:
            raise InputError(message)
        raise ServiceError(f"{self._url}: {response.status}: {message}")
