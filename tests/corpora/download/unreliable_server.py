"""A server on this machine that does what servers do: break off, lie, refuse. One behaviour for each request."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Behaviour = Callable[["Handler", bytes], None]


class Handler(BaseHTTPRequestHandler):
    """Answers each GET with the next behaviour of the server; the last one stays."""

    server: "UnreliableServer"

    def do_GET(self) -> None:
        self.server.ranges.append(self.headers.get("Range"))
        plan = self.server.plan
        behave = plan.pop(0) if len(plan) > 1 else plan[0]
        behave(self, self.server.content)

    def begin(self, status: int, **headers: object) -> None:
        """Status line and headers; `Content_Length` is written Content-Length."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def first_byte(self) -> int:
        """The first byte that the request asks for."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "bytes=0-")
        assert asked, "a range in a form that we do not send"
        return int(asked[1])

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""


class UnreliableServer(ThreadingHTTPServer):
    """Serves `content` at any path, one behaviour of `plan` for each request; keeps the asked ranges."""

    daemon_threads = True

    def __init__(self, content: bytes, *plan: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.plan, self.ranges = content, list(plan), []
        self.url = f"http://127.0.0.1:{self.server_address[1]}/file.zip"


@contextmanager
def serving(content: bytes, *plan: Behaviour) -> Iterator[UnreliableServer]:
    """A running server; `plan` defaults to honest answers."""
    with UnreliableServer(content, *(plan or (honest(),))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def honest(*, most_bytes: int | None = None, claimed_total: int | None = None, shift_bytes: int = 0) -> Behaviour:
    """Knows ranges. Breaks off after `most_bytes`; may claim another total, or go on from another place."""

    def behave(handler: Handler, content: bytes) -> None:
        start = handler.first_byte()
        rest = content[start + shift_bytes :]
        span = f"bytes {start + shift_bytes}-{len(content) - 1}/{claimed_total or len(content)}"
        if start:
            handler.begin(206, Content_Length=len(rest), Content_Range=span)
        else:
            handler.begin(200, Content_Length=claimed_total or len(rest))
        handler.wfile.write(rest[:most_bytes])

    return behave


def rangeless(*, most_bytes: int | None = None) -> Behaviour:
    """Sends the whole, whatever was asked."""

    def behave(handler: Handler, content: bytes) -> None:
        handler.begin(200, Content_Length=len(content))
        handler.wfile.write(content[:most_bytes])

    return behave


def sends(body: bytes, *, claimed: int | None = None) -> Behaviour:
    """Another body, with another length than it has, or without any."""

    def behave(handler: Handler, content: bytes) -> None:
        handler.begin(200, **({"Content_Length": claimed} if claimed is not None else {}))
        handler.wfile.write(body)

    return behave


def status(code: int, **headers: object) -> Behaviour:
    """Refuses, or redirects."""
    return lambda handler, content: handler.begin(code, Content_Length=0, **headers)


def hangs_up(handler: Handler, content: bytes) -> None:
    """Closes without a word."""
    handler.close_connection = True
