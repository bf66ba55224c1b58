"""A server on this machine that interrupts transfers, sends wrong headers and refuses requests, as servers do."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Behaviour = Callable[["Handler", bytes], None]


class Handler(BaseHTTPRequestHandler):
    """Handles each GET with the next behaviour of the server; the last one is repeated."""

    server: "UnreliableServer"

    def do_GET(self) -> None:
        self.server.ranges.append(self.headers.get("Range"))
        plan = self.server.plan
        behave = plan.pop(0) if len(plan) > 1 else plan[0]
        behave(self, self.server.content)

    def send_head(self, status: int, **headers: object) -> None:
        """Send the status line and headers; `Content_Length` is written Content-Length."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def requested_range(self) -> tuple[int, int | None]:
        """Return the positions of the first and of the last requested byte; None for the end of the content."""
        requested = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "bytes=0-")
        assert requested, "a range in a format that the client never sends"
        return int(requested[1]), int(requested[2]) if requested[2] else None

    def log_message(self, *_: object) -> None:
        """Log nothing."""


class UnreliableServer(ThreadingHTTPServer):
    """Serves `content` at any path, with one behaviour of `plan` per request; stores the requested ranges."""

    daemon_threads = True

    def __init__(self, content: bytes, *plan: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.plan, self.ranges = content, list(plan), []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/file.zip"


@contextmanager
def serving(content: bytes, *plan: Behaviour) -> Iterator[UnreliableServer]:
    """A running server; without a plan it is reliable."""
    with UnreliableServer(content, *(plan or (reliable(),))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def reliable(*, max_bytes: int | None = None, declared_total: int | None = None, shift_bytes: int = 0) -> Behaviour:
    """Support ranges. May stop after `max_bytes`, declare another total, or send another range than requested."""

    def behave(handler: Handler, content: bytes) -> None:
        start, end = handler.requested_range()
        end = len(content) - 1 if end is None else end
        rest = content[start + shift_bytes : end + 1]
        content_range = f"bytes {start + shift_bytes}-{end}/{declared_total or len(content)}"
        if handler.headers.get("Range"):
            handler.send_head(206, Content_Length=len(rest), Content_Range=content_range)
        else:
            handler.send_head(200, Content_Length=declared_total or len(rest))
        handler.wfile.write(rest[:max_bytes])

    return behave


def without_ranges(*, max_bytes: int | None = None) -> Behaviour:
    """Send the complete content, whatever range was requested."""

    def behave(handler: Handler, content: bytes) -> None:
        handler.send_head(200, Content_Length=len(content))
        handler.wfile.write(content[:max_bytes])

    return behave


def send_body(body: bytes, *, declared: int | None = None) -> Behaviour:
    """Send another body, with a wrong declared length or without one."""

    def behave(handler: Handler, content: bytes) -> None:
        handler.send_head(200, **({"Content_Length": declared} if declared is not None else {}))
        handler.wfile.write(body)

    return behave


def status(code: int, **headers: object) -> Behaviour:
    """Refuse, or redirect."""
    return lambda handler, content: handler.send_head(code, Content_Length=0, **headers)


def hang_up(handler: Handler, content: bytes) -> None:
    """Close the connection without a response."""
    handler.close_connection = True
