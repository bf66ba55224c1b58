"""Connections, held to limits that uvicorn does not have, so that whoever only holds one open keeps nobody else out.

How many there are, how long and large the head of a request may be, and how long an answer may be left unread: without
such limits a thousand that never say anything use up all files that the process may have open, and a head without end
all of its memory.
"""

import asyncio
import json
from http import HTTPStatus
from typing import Any, NamedTuple

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from overtone.service.api.errors import REFUSED, ApiError, busy

HEAD_BYTES = 65_536  # of a request, and of whatever else comes that is no body
SPARE = 64  # connections beyond those that may be, which are told to come back
MOST_FRAGMENTS = 1_000  # of a message of a WebSocket


class ConnectionLimits(NamedTuple):
    """Limits of connections.

    Attributes:
        most: that are open at the same time.
        head_s: from a new connection, or the answer before, to the end of the head of a request.
        drain_s: that the rest of a body may take which nobody reads any more.
        stuck_s: that the other end may take nothing of what it is sent.
    """

    most: int
    head_s: float
    drain_s: float
    stuck_s: float


class _Unread:
    """Ends a connection whose other end reads nothing of what it is sent."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, within_s: float) -> None:
        self._transport, self._loop, self._within_s = transport, loop, within_s
        self._timer: asyncio.TimerHandle | None = None
        self._bytes = 0

    def begin(self) -> None:
        """It is behind."""
        self._bytes = self._transport.get_write_buffer_size()
        self._timer = self._loop.call_later(self._within_s, self._look)

    def end(self) -> None:
        """It is no more, or has gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        if self._transport.get_write_buffer_size() >= self._bytes:
            self._transport.abort()
        else:
            self.begin()


class LimitedHttpProtocol(HttpToolsProtocol):
    """A connection that speaks HTTP.

    Args:
        bounds: its limits.
        options: as uvicorn gives them.
    """

    def __init__(self, bounds: ConnectionLimits, **options: Any) -> None:
        super().__init__(**options)
        self._bounds = bounds
        self._timer: asyncio.TimerHandle | None = None
        self._steps = self._dry_bytes = 0
        self._in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for a head."""
        super().connection_made(transport)
        self._unread = _Unread(transport, self.loop, self._bounds.stuck_s)
        self._wait(self._bounds.head_s)
        if len(self.connections) > self._bounds.most + SPARE:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._wait(None)
        self._unread.end()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes what comes; so much that is no body is refused."""
        steps = self._steps
        super().data_received(data)
        self._dry_bytes = 0 if self._steps != steps else self._dry_bytes + len(data)
        if self._dry_bytes > HEAD_BYTES and not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                self._tell(_head_too_large())
            else:
                self.transport.abort()

    def on_headers_complete(self) -> None:
        """The head is whole; the gate answers it where it goes beyond a limit."""
        self._steps += 1
        self._in_body = True
        refusal = self._refusal()
        if refusal is not None:
            self.scope[REFUSED] = refusal  # type: ignore[literal-required]
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Some of the body has come."""
        self._steps += 1
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The body is whole."""
        self._steps += 1
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Waits for the next head, or for the rest of a body that nobody reads."""
        super().on_response_complete()
        if not self.transport.is_closing():
            self._wait(self._bounds.drain_s if self._in_body else self._bounds.head_s)

    def handle_websocket_upgrade(self) -> None:
        """Hands over to `LimitedWebSocketProtocol`, unless it goes beyond a limit."""
        self._wait(None)
        refusal = self._refusal()
        if refusal is None:
            super().handle_websocket_upgrade()
        else:
            self._tell(refusal)

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP is told so in the shape of all errors."""
        self._tell(ApiError("malformed", "the request is no HTTP that can be read"))

    def pause_writing(self) -> None:
        """The other end is behind."""
        super().pause_writing()
        self._unread.begin()

    def resume_writing(self) -> None:
        """The other end has caught up."""
        self._unread.end()
        super().resume_writing()

    def _refusal(self) -> ApiError | None:
        if len(self.connections) > self._bounds.most:
            return busy("as many connections are open as may be; try again later")
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > HEAD_BYTES:
            return _head_too_large()
        return None

    def _wait(self, within_s: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if within_s is None else self.loop.call_later(within_s, self._late)

    def _late(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _tell(self, refusal: ApiError) -> None:
        """Sends an error without the app, and closes the connection."""
        content = json.dumps(refusal.content).encode()
        head = {"content-type": "application/json", "content-length": str(len(content)), "connection": "close"}
        lines = [f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in (head | refusal.headers).items()]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + content)
        self.transport.close()


class LimitedWebSocketProtocol(WebSocketsSansIOProtocol):
    """A connection that speaks WebSocket.

    Args:
        bounds: its limits.
        options: as uvicorn gives them.
    """

    def __init__(self, bounds: ConnectionLimits, **options: Any) -> None:
        super().__init__(**options)
        self._bounds = bounds
        self._fragments = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Takes over from `LimitedHttpProtocol`."""
        super().connection_made(transport)
        self._unread = _Unread(self.transport, self.loop, self._bounds.stuck_s)

    def data_received(self, data: bytes) -> None:
        """Takes what comes; a handshake that is none is no reason to wait for more."""
        super().data_received(data)
        if not self.handshake_initiated and not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._unread.end()
        super().connection_lost(exc)

    def handle_cont(self, event: Any) -> None:
        """Takes one more piece of a message."""
        super().handle_cont(event)
        self._fragments = 0 if event.fin else self._fragments + 1
        if self._fragments > MOST_FRAGMENTS:
            self.transport.abort()

    def pause_writing(self) -> None:
        """The other end is behind: nothing is read either, as there would be ever more answers to its pings."""
        super().pause_writing()
        self._unread.begin()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """The other end has caught up."""
        self._unread.end()
        super().resume_writing()
        if not self.read_paused:
            self.transport.resume_reading()

    async def receive(self) -> Any:
        """The next message for the app; reading goes on after it only if the other end reads, too."""
        message = await super().receive()
        if not self.writable.is_set() and not self.transport.is_closing():
            self.transport.pause_reading()
        return message

    async def send(self, message: Any) -> None:
        """Sends for the app; a refusal instead of a stream ends the handshake."""
        await super().send(message)
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True  # or uvicorn would take it for a fault of ours, and log it


def _head_too_large() -> ApiError:
    return ApiError("headers_too_large", f"the head of the request is larger than {HEAD_BYTES} bytes; send less in it")
