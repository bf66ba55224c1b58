"""uvicorn protocols with limits per connection, so that idle or slow clients cannot exhaust the service.

Limited are the number of connections, the time and size of request headers, and how long a response may stay unread.
Without these limits, idle connections would use up all file descriptors, and endless headers all memory.
"""

import asyncio
import json
from http import HTTPStatus
from typing import Any, NamedTuple

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from overtone.service.api.errors import ERROR_KEY, ApiError, overloaded

MAX_HEADER_BYTES = 65_536  # of a request, and of everything else that is not a body, such as trailers
SPARE_CONNECTIONS = 64  # above the limit; they get a 503 response, further ones are closed at once
MAX_FRAGMENTS = 1_000  # of a WebSocket message


class ConnectionLimits(NamedTuple):
    """Limits of connections.

    Attributes:
        max_connections: largest number of open connections.
        header_timeout_s: from a new connection, or the previous response, to the end of the request headers.
        drain_timeout_s: for the rest of a request body after an early response.
        write_timeout_s: without progress, while the client does not read what the service sends.
    """

    max_connections: int
    header_timeout_s: float
    drain_timeout_s: float
    write_timeout_s: float


class _WriteWatchdog:
    """Aborts a connection whose client does not read what is sent to it."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, timeout_s: float) -> None:
        self._transport, self._loop, self._timeout_s = transport, loop, timeout_s
        self._timer: asyncio.TimerHandle | None = None
        self._bytes = 0

    def start(self) -> None:
        """Start the timeout; call it when the write buffer is full."""
        self._bytes = self._transport.get_write_buffer_size()
        self._timer = self._loop.call_later(self._timeout_s, self._check)

    def stop(self) -> None:
        """Stop the timeout; call it when the client has caught up, or the connection is closed."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        if self._transport.get_write_buffer_size() >= self._bytes:
            self._transport.abort()
        else:
            self.start()


class LimitedHttpProtocol(HttpToolsProtocol):
    """An HTTP connection with limits.

    Args:
        limits: limits of the connection.
        options: passed on to uvicorn.
    """

    def __init__(self, limits: ConnectionLimits, **options: Any) -> None:
        super().__init__(**options)
        self._limits = limits
        self._timer: asyncio.TimerHandle | None = None
        self._parser_events = self._bytes_without_event = 0
        self._in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timeout for the first headers; close a connection that is far above the limit."""
        super().connection_made(transport)
        self._watchdog = _WriteWatchdog(transport, self.loop, self._limits.write_timeout_s)
        self._set_timeout(self._limits.header_timeout_s)
        if len(self.connections) > self._limits.max_connections + SPARE_CONNECTIONS:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timeouts."""
        self._set_timeout(None)
        self._watchdog.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse data; reject too much data that completes neither headers nor a piece of a body."""
        events = self._parser_events
        super().data_received(data)
        self._bytes_without_event = 0 if self._parser_events != events else self._bytes_without_event + len(data)
        if self._bytes_without_event > MAX_HEADER_BYTES and not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                self._send_error(_headers_too_large())
            else:
                self.transport.abort()

    def on_headers_complete(self) -> None:
        """Start the request; if it exceeds a limit, `AccessMiddleware` returns the error."""
        self._parser_events += 1
        self._in_body = True
        error = self._limit_error()
        if error is not None:
            self.scope[ERROR_KEY] = error  # type: ignore[literal-required]
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Handle a piece of the body."""
        self._parser_events += 1
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Handle the end of the request."""
        self._parser_events += 1
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Start the timeout for the next headers, or for the rest of a body that is not read any more."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._set_timeout(self._limits.drain_timeout_s if self._in_body else self._limits.header_timeout_s)

    def handle_websocket_upgrade(self) -> None:
        """Switch to `LimitedWebSocketProtocol`, unless the request exceeds a limit."""
        self._set_timeout(None)
        error = self._limit_error()
        if error is None:
            super().handle_websocket_upgrade()
        else:
            self._send_error(error)

    def send_400_response(self, msg: str) -> None:
        """Return the error for invalid HTTP, in the shape of all errors."""
        self._send_error(ApiError("malformed_request", "the request is not valid HTTP"))

    def pause_writing(self) -> None:
        """Start the write timeout: the client reads too slowly."""
        super().pause_writing()
        self._watchdog.start()

    def resume_writing(self) -> None:
        """Stop the write timeout: the client has caught up."""
        self._watchdog.stop()
        super().resume_writing()

    def _limit_error(self) -> ApiError | None:
        if len(self.connections) > self._limits.max_connections:
            return overloaded("the limit of open connections is reached; try again later")
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MAX_HEADER_BYTES:
            return _headers_too_large()
        return None

    def _set_timeout(self, timeout_s: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if timeout_s is None else self.loop.call_later(timeout_s, self._on_timeout)

    def _on_timeout(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _send_error(self, error: ApiError) -> None:
        """Send an error without the app, and close the connection."""
        content = json.dumps(error.content).encode()
        headers = {"content-type": "application/json", "content-length": str(len(content)), "connection": "close"}
        lines = [f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in (headers | error.headers).items()]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + content)
        self.transport.close()


class LimitedWebSocketProtocol(WebSocketsSansIOProtocol):
    """A WebSocket connection with limits.

    Args:
        limits: limits of the connection.
        options: passed on to uvicorn.
    """

    def __init__(self, limits: ConnectionLimits, **options: Any) -> None:
        super().__init__(**options)
        self._limits = limits
        self._fragments = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over the connection from `LimitedHttpProtocol`."""
        super().connection_made(transport)
        self._watchdog = _WriteWatchdog(self.transport, self.loop, self._limits.write_timeout_s)

    def data_received(self, data: bytes) -> None:
        """Parse data; close the connection after an invalid handshake, which uvicorn would leave open."""
        super().data_received(data)
        if not self.handshake_initiated and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the write timeout."""
        self._watchdog.stop()
        super().connection_lost(exc)

    def handle_cont(self, event: Any) -> None:
        """Handle a continuation frame; close the connection if a message has too many."""
        super().handle_cont(event)
        self._fragments = 0 if event.fin else self._fragments + 1
        if self._fragments > MAX_FRAGMENTS:
            self.transport.abort()

    def pause_writing(self) -> None:
        """Start the write timeout, and stop reading: the replies to further pings would fill the memory."""
        super().pause_writing()
        self._watchdog.start()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Stop the write timeout, and read again."""
        self._watchdog.stop()
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()

    async def receive(self) -> Any:
        """Return the next message for the app; keep reading paused while the client does not read."""
        message = await super().receive()
        if not self.writable.is_set() and not self.transport.is_closing():
            self.transport.pause_reading()
        return message

    async def send(self, message: Any) -> None:
        """Send a message of the app; an error response ends the handshake."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True  # otherwise uvicorn would log an incomplete handshake as an error


def _headers_too_large() -> ApiError:
    return ApiError("headers_too_large", f"the request headers are larger than {MAX_HEADER_BYTES} bytes; send fewer")
