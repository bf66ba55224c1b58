"""A running service for tests, in a thread and on a free local port, and a small HTTP client for it."""

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

import uvicorn

from overtone.cli.serve import uvicorn_config
from overtone.service.api.app import Page, create_app
from overtone.service.api.auth import ApiKeys
from overtone.service.api.web_page import mount
from overtone.service.backend import ServiceBackend
from overtone.service.settings import Settings
from overtone.service.worker_pool import COMMAND

BOUNDARY = "overtone-test"


class Reply(NamedTuple):
    """A response."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)

    @property
    def code(self) -> str:
        return self.json["error"]["code"]


class Served(NamedTuple):
    """A running service."""

    port: int
    backend: ServiceBackend

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Send a request; underscores in header names become hyphens."""
        renamed = {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, body, renamed)
            response = connection.getresponse()
            return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def post(self, path: str, *files: tuple[str, bytes], field: str = "file", **headers: str) -> Reply:
        """Send files as a multipart form."""
        return self.ask("POST", path, multipart(files, field), Content_Type=form_type(), **headers)

    def post_form(self, path: str, name: str, content: bytes, **texts: str) -> Reply:
        """Send a file and texts as a multipart form."""
        form = multipart(((name, content),)).removesuffix(f"--{BOUNDARY}--\r\n".encode())
        for field, text in texts.items():
            head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n'
            form += head.encode() + text.encode("utf-8", "surrogateescape") + b"\r\n"
        return self.ask("POST", path, form + f"--{BOUNDARY}--\r\n".encode(), Content_Type=form_type())

    def post_turns(self, name: str, content: bytes, turns_name: str, turns: bytes) -> Reply:
        """Send a recording and its speaker turns."""
        form = multipart(((turns_name, turns),), "turns").removesuffix(f"--{BOUNDARY}--\r\n".encode())
        return self.ask("POST", "/v1/timeline", form + multipart(((name, content),)), Content_Type=form_type())

    def raw(self, path: str, content: bytes, **headers: str) -> Reply:
        """Send one file as a raw body."""
        return self.ask("POST", path, content, **{"Content_Type": "application/octet-stream", **headers})


def form_type() -> str:
    return f"multipart/form-data; boundary={BOUNDARY}"


def multipart(files: tuple[tuple[str, bytes], ...], field: str = "file") -> bytes:
    parts = []
    for name, content in files:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
        parts.append(head.encode() + content + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


@contextmanager
def serving(
    settings: Settings,
    command: tuple[str, ...] = COMMAND,
    keys: ApiKeys | None = None,
    origins: tuple[str, ...] = (),
    page: Page | None = mount,
    hosts: tuple[str, ...] | None = (),
) -> Iterator[Served]:
    """Run a service until the end of the block."""
    backend = ServiceBackend(settings, command)
    try:
        backend.pool.wait_until_ready()
        listener = socket.create_server(("127.0.0.1", 0))
        app = create_app(backend, keys, origins, page=page, hosts=hosts)
        server = uvicorn.Server(uvicorn_config(uvicorn, app, settings))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            yield Served(listener.getsockname()[1], backend)
        finally:
            server.should_exit = True
            thread.join(60)
            listener.close()
    finally:
        backend.close()
