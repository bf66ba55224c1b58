"""Who comes in: the first thing that every request meets, and the last that its answer passes.

With API keys, a request under /v1 or for the metrics must bring one. Without, a browser must not be talked into
asking: pages of other origins are refused, and so are host names that the service does not go by, where it knows them
(a page could have its own name point here).
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
from overtone.service.api.errors import REFUSED, ApiError, busy, fault
from overtone.service.api.prometheus import Metrics
from overtone.service.worker_pool import ENDED

PROTECTED_PATHS = ("/v1", "/metrics")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
BESIDE = [(b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]


class AccessMiddleware:
    """ASGI middleware around the app.

    Args:
        app: what is behind it.
        keys: API keys; none where everybody may come in.
        origins: of pages that may ask, such as `https://example.org`.
        hosts: names that the service goes by beside those of this machine and of `origins`; None for any.
        metrics: that count requests.
    """

    def __init__(
        self, app: ASGIApp, keys: ApiKeys, origins: Iterable[str], hosts: Iterable[str] | None, metrics: Metrics
    ) -> None:
        self._app, self._keys, self._metrics = app, keys, metrics
        self._origins = frozenset(origins)
        of_pages = {urlsplit(origin).hostname for origin in self._origins}
        self._hosts = None if hosts is None else {"localhost", *hosts, *of_pages}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets a request in, or answers it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        begin_s, status = time.perf_counter(), 0

        async def passing(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *BESIDE]
            await send(message)

        try:
            self._check_access(scope)
            await self._app(scope, receive, passing)
        except ApiError as refusal:
            await _answered(refusal, scope, receive, passing)
        except asyncio.CancelledError:  # the service ends, and has waited for as long as it may
            if status or scope["type"] != "http":
                raise
            await _answered(busy(ENDED), scope, receive, passing)
        except Exception as error:
            if status or scope["type"] != "http":  # it is too late to say so
                raise
            await _answered(fault(error), scope, receive, passing)
        finally:
            if scope["type"] == "http":
                path = getattr(scope.get("route"), "path", "other")
                method = scope["method"] if scope["method"] in METHODS else "other"
                self._metrics.count(method, path, status, time.perf_counter() - begin_s)

    def _check_access(self, scope: Scope) -> None:
        if REFUSED in scope:
            raise scope[REFUSED]
        headers = Headers(scope=scope)
        if self._keys:
            self._check_key(scope, headers)
            return
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._hosts is not None and not _is_ours(_split(f"//{host}").hostname, self._hosts):
            raise ApiError("forbidden_origin", f"Host: {host!r} is no name of this service; see --allow-host")
        if origin is not None and origin not in self._origins and _split(origin).netloc != host:
            raise ApiError("forbidden_origin", f"Origin: pages of {origin!r} may not ask; see --allow-origin")

    def _check_key(self, scope: Scope, headers: Headers) -> None:
        """A key where one is needed; a stream may bring it later, as browsers cannot before."""
        scheme, _, given = headers.get("authorization", "").partition(" ")
        key = given.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")
        owner = self._keys.owner(key) if key else None
        scope["overtone.owner"] = owner or ""
        scope["overtone.keys"] = self._keys if owner is None else None
        if owner is None and scope["type"] == "http" and scope["path"].startswith(PROTECTED_PATHS):
            raise ApiError("unauthorized", "an API key is needed: Authorization: Bearer KEY")


def _is_ours(host: str | None, names: Collection[str | None]) -> bool:
    """Whether a host is one of these names, or an address of this machine alone."""
    if host in names:
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def _split(text: str) -> SplitResult:
    """The parts of an address; none of what is no address."""
    try:
        return urlsplit(text)
    except ValueError:
        return urlsplit("")


async def _answered(refusal: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
    """Sends a refusal; to who wants a stream, instead of opening it."""
    if scope["type"] == "http":
        await refusal.response()(scope, receive, send)
        return
    head = [(name.lower().encode(), text.encode()) for name, text in refusal.headers.items()]
    head.append((b"content-type", b"application/json"))
    await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": head})
    await send({"type": "websocket.http.response.body", "body": json.dumps(refusal.content).encode()})
