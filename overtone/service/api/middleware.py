"""Access control and request metrics, around the whole application.

With API keys, a request to /v1 or /metrics must contain one. Without keys, the middleware protects against pages of
other sites in a browser on this machine: it rejects foreign origins, and unknown host names where the own ones are
known (DNS rebinding: a page can make its own host name point to this service).
"""

import asyncio
import ipaddress
import json
import time
from collections.abc import Collection, Iterable
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from overtone.service.api.auth import ApiKeys
from overtone.service.api.errors import ERROR_KEY, ApiError, internal_error, overloaded
from overtone.service.api.prometheus import Metrics
from overtone.service.worker_pool import STOPPED

PROTECTED_PATHS = ("/v1", "/metrics")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
RESPONSE_HEADERS = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]


class AccessMiddleware:
    """ASGI middleware that checks access, returns errors and counts requests.

    Args:
        app: the wrapped application.
        keys: API keys; empty to allow every client.
        origins: other origins whose pages may send requests, such as `https://example.org`.
        hosts: host names of the service in addition to the local ones and those of `origins`; None to accept any.
        metrics: counts the requests.
    """

    def __init__(
        self, app: ASGIApp, keys: ApiKeys, origins: Iterable[str], hosts: Iterable[str] | None, metrics: Metrics
    ) -> None:
        self._app, self._keys, self._metrics = app, keys, metrics
        self._origins = frozenset(origins)
        origin_hosts = {urlsplit(origin).hostname for origin in self._origins}
        self._hosts = None if hosts is None else {"localhost", *hosts, *origin_hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to the application, or return an error."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        begin_s, status = time.perf_counter(), 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *RESPONSE_HEADERS]
            await send(message)

        try:
            self._check_access(scope)
            await self._app(scope, receive, send_with_headers)
        except ApiError as error:
            await _send_error(error, scope, receive, send_with_headers)
        except asyncio.CancelledError:  # the grace period of the shutdown is over
            if status or scope["type"] != "http":
                raise
            await _send_error(overloaded(STOPPED), scope, receive, send_with_headers)
        except Exception as error:
            if status or scope["type"] != "http":  # the response has already started
                raise
            await _send_error(internal_error(error), scope, receive, send_with_headers)
        finally:
            if scope["type"] == "http":
                path = getattr(scope.get("route"), "path", "other")
                method = scope["method"] if scope["method"] in METHODS else "other"
                self._metrics.count(method, path, status, time.perf_counter() - begin_s)

    def _check_access(self, scope: Scope) -> None:
        if ERROR_KEY in scope:
            raise scope[ERROR_KEY]
        headers = Headers(scope=scope)
        if self._keys:
            self._check_key(scope, headers)
            return
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._hosts is not None and not _is_allowed_host(_split_url(f"//{host}").hostname, self._hosts):
            raise ApiError("forbidden_origin", f"Host: {host!r} is not a name of this service; see --allow-host")
        if origin is not None and origin not in self._origins and _split_url(origin).netloc != host:
            raise ApiError("forbidden_origin", f"Origin: pages of {origin!r} may not send requests; see --allow-origin")

    def _check_key(self, scope: Scope, headers: Headers) -> None:
        """Require a valid key where one is needed. A stream may send it later: browsers cannot set its headers."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        key = token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
        owner = self._keys.owner(key) if key else None
        scope["overtone.owner"] = owner or ""
        scope["overtone.keys"] = self._keys if owner is None else None
        if owner is None and scope["type"] == "http" and scope["path"].startswith(PROTECTED_PATHS):
            raise ApiError("unauthorized", "an API key is needed: Authorization: Bearer KEY")


def _is_allowed_host(host: str | None, names: Collection[str | None]) -> bool:
    """Return whether a host is one of these names, or a loopback address."""
    if host in names:
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _split_url(text: str) -> SplitResult:
    """Return the parts of a URL; empty parts if it is not valid."""
    try:
        return urlsplit(text)
    except ValueError:
        return urlsplit("")


async def _send_error(error: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an error; for a WebSocket, as the HTTP response that rejects the handshake."""
    if scope["type"] == "http":
        await error.response()(scope, receive, send)
        return
    headers = [(name.lower().encode(), text.encode()) for name, text in error.headers.items()]
    headers.append((b"content-type", b"application/json"))
    await send({"type": "websocket.http.response.start", "status": error.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": json.dumps(error.content).encode()})
