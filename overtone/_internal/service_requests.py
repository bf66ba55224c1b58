"""Requests to a running service: retried while it is overloaded or cannot be reached; its errors as exceptions."""

import http.client
import io
import json
import time
import uuid
from typing import BinaryIO, NamedTuple
from urllib.parse import urlsplit

from overtone.errors import InputError, PreconditionFailedError, ServiceError

RETRY_STATUSES = (429, 503)
RETRY_DELAY_S = 1.0  # unless the service sends Retry-After


class Response(NamedTuple):
    """A response of the service.

    Attributes:
        status: of HTTP.
        retry_after_s: when a retry may succeed.
        content: the body.
        etag: the entity tag; "" if there is none.
    """

    status: int
    retry_after_s: float
    content: bytes
    etag: str = ""


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
        """Return the content of the response; arguments and errors as for `exchange`."""
        return self.exchange(method, path, body, content_type).content

    def exchange(
        self,
        method: str,
        path: str,
        body: BinaryIO | None = None,
        content_type: str = "application/octet-stream",
        if_match: str = "",
    ) -> Response:
        """Return the response, which is successful; retry until `retry_timeout_s` has passed.

        Args:
            method: of HTTP.
            path: path and query, below the base URL.
            body: a seekable stream.
            content_type: media type of the body.
            if_match: entity tag of the state that may be replaced; "" for any.

        Raises:
            InputError: the service cannot process the body or a parameter.
            PreconditionFailedError: the state is another one.
            ServiceError: the service cannot be reached, stays overloaded, or refuses the request.
        """
        headers = self._headers | ({"If-Match": if_match} if if_match else {})
        if body is not None:
            size = str(body.seek(0, io.SEEK_END))
            headers |= {"Content-Type": content_type, "Content-Length": size}
        if path.startswith("/v1/timeline"):  # the other requests are idempotent without a key
            headers |= {"Idempotency-Key": uuid.uuid4().hex}
        deadline_s = time.monotonic() + self._retry_timeout_s
        while True:
            try:
                response = self._send(method, path, body, headers)
            except ValueError as error:  # of http.client, which sends no line breaks and no characters but Latin-1
                raise InputError(f"the API key or the entity tag is not valid: {error}") from error
            except (OSError, http.client.HTTPException) as error:
                if time.monotonic() + RETRY_DELAY_S > deadline_s:
                    raise ServiceError(f"{self._url}: cannot be reached: {error}; is the service running?") from error
                time.sleep(RETRY_DELAY_S)
                continue
            if response.status not in RETRY_STATUSES or time.monotonic() + response.retry_after_s > deadline_s:
                return self._check(response)
            time.sleep(response.retry_after_s)

    def _send(self, method: str, path: str, body: BinaryIO | None, headers: dict[str, str]) -> Response:
        """Send a request once, over a new connection."""
        connection = self._connection_type(self._host, timeout=self._timeout_s)
        try:
            if body is not None:
                body.seek(0)
            connection.request(method, self._root + path, body, headers)
            response = connection.getresponse()
            after = response.headers.get("Retry-After", "")
            retry_after_s = float(after) if after.isdigit() else RETRY_DELAY_S
            # A proxy that compresses responses weakens their entity tags; those of the service are strong.
            etag = response.headers.get("ETag", "").removeprefix("W/")
            return Response(response.status, retry_after_s, response.read(), etag)
        finally:
            connection.close()

    def _check(self, response: Response) -> Response:
        """Return a successful response; raise the error of any other."""
        if response.status < 400:
            return response
        try:
            message = json.loads(response.content)["error"]["message"]
        except (ValueError, KeyError, TypeError):
            message = "not a response of an Overtone service; check the address"
        if response.status in (406, 422):  # 406: the service lacks a package for the format
            raise InputError(message)
        if response.status == 412:
            raise PreconditionFailedError(f"{self._url}: {message}")
        raise ServiceError(f"{self._url}: {response.status}: {message}")
