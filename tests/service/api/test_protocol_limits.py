"""Idle, slow and endless connections are closed: they block no other client and use no memory."""

import base64
import contextlib
import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty_service_worker import COMMAND as FAULTY_WORKER
from serving import Served, serving
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from overtone.service.api import uploads
from overtone.service.api.protocols import MAX_FRAGMENTS, MAX_HEADER_BYTES, SPARE_CONNECTIONS
from overtone.service.settings import Settings

MAX_CONNECTIONS = 4
HEADER_TIMEOUT_S = 0.4
HEADERS = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
START = '{"rate_hz": 16000, "encoding": "pcm16"}'


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service with few connections and short timeouts."""
    settings = Settings(
        tmp_path_factory.mktemp("narrow"),
        workers=1,
        max_connections=MAX_CONNECTIONS,
        header_timeout_s=HEADER_TIMEOUT_S,
        max_streams=1,
        stream_idle_timeout_s=1.0,
        upload_timeout_s=3.0,
        shutdown_grace_s=1.0,
    )
    with serving(settings, FAULTY_WORKER) as running:
        yield running


@contextlib.contextmanager
def connected(served: Served, first: bytes = b"") -> Iterator[socket.socket]:
    """Open a connection and send some bytes."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as wire:
        wire.sendall(first)
        yield wire


def read_all(wire: socket.socket) -> bytes:
    """Return all bytes until the service closes the connection."""
    content = b""
    with contextlib.suppress(ConnectionResetError):
        while part := wire.recv(65536):
            content += part
    return content


def handshake() -> bytes:
    key = base64.b64encode(os.urandom(16))
    return b"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n" + UPGRADE + b"Sec-WebSocket-Key: " + key + b"\r\n\r\n"


def frame(kind: int, content: bytes = b"", last: bool = True) -> bytes:
    """Return a WebSocket frame of a client, with a mask of zeros."""
    return bytes([0x80 * last | kind, 0x80 | len(content)]) + bytes(4) + content


def wait_until_idle(served: Served) -> None:
    """Wait until the connections of the previous test are closed."""
    until_s = time.monotonic() + 10
    while served.ask("GET", "/health").status != 200:
        assert time.monotonic() < until_s
        time.sleep(0.05)


@pytest.mark.parametrize("endless", [b"X-A: " + b"a" * 60_000, b"X-A: b\r\n" * 8_000])
def test_endless_headers_are_rejected(narrow: Served, endless: bytes) -> None:
    wait_until_idle(narrow)
    with connected(narrow, HEADERS) as wire:
        sent = 0
        with pytest.raises(OSError):
            while sent < 50_000_000:
                wire.sendall(endless)
                sent += len(endless)
        assert sent < 20_000_000
    assert narrow.ask("GET", "/health").status == 200


def test_large_headers_are_rejected(narrow: Served) -> None:
    wait_until_idle(narrow)
    assert narrow.ask("GET", "/health", X_A="a" * (MAX_HEADER_BYTES - 1000)).status == 200
    reply = narrow.ask("GET", "/health", X_A="a" * MAX_HEADER_BYTES)
    assert (reply.status, reply.code) == (431, "headers_too_large")
    assert reply.headers["x-content-type-options"] == "nosniff"
    with connected(narrow, handshake()[:-2] + b"X-A: " + b"a" * MAX_HEADER_BYTES + b"\r\n\r\n") as wire:
        assert read_all(wire).startswith(b"HTTP/1.1 431 ")


def test_endless_trailers_are_rejected(narrow: Served) -> None:
    wait_until_idle(narrow)
    head = b"POST /v1/recognise HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwell\r\n0\r\n"
    with connected(narrow, head) as wire, pytest.raises(OSError):
        for _ in range(1000):
            wire.sendall(b"X-A: b\r\n" * 8_000)


def test_idle_and_slow_connections_are_closed(narrow: Served) -> None:
    wait_until_idle(narrow)
    begin_s = time.monotonic()
    with (
        connected(narrow) as silent,
        connected(narrow, HEADERS) as half,
        connected(narrow, HEADERS + b"\r\n" + HEADERS) as second,
    ):
        assert read_all(silent) == read_all(half) == b""
        assert read_all(second).count(b"HTTP/1.1 200") == 1
    assert time.monotonic() - begin_s < 5 * HEADER_TIMEOUT_S
    with connected(narrow, HEADERS) as trickling, pytest.raises(OSError):
        for _ in range(50):
            trickling.sendall(b"X-A: b\r\n")
            time.sleep(HEADER_TIMEOUT_S / 5)


def test_a_body_may_take_longer_than_headers(narrow: Served) -> None:
    wait_until_idle(narrow)
    head = b"POST /v1/recognise HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\n"
    with connected(narrow, head) as wire:
        for byte in (b"w", b"e", b"l", b"l"):
            time.sleep(HEADER_TIMEOUT_S / 2)
            wire.sendall(byte)
        assert wire.recv(100).startswith(b"HTTP/1.1 200")


def test_a_slow_body_is_rejected(narrow: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    wait_until_idle(narrow)
    monkeypatch.setattr(uploads, "GRACE_S", 0.3)
    head = b"POST /v1/recognise HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999\r\n\r\n"
    begin_s = time.monotonic()
    with connected(narrow, head) as wire:
        wire.settimeout(0.05)
        reply_bytes = b""
        while not reply_bytes:
            wire.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                reply_bytes = wire.recv(1000)
            assert time.monotonic() - begin_s < 2, "earlier than the upload timeout of three seconds"
        assert reply_bytes.startswith(b"HTTP/1.1 408 ")
    with connected(narrow, head.replace(b"9999", b"4000")) as wire:
        for _ in range(8):
            wire.sendall(b"well" * 125)
            time.sleep(0.1)
        assert not wire.recv(1000).startswith(b"HTTP/1.1 408 "), "fast enough"


def test_the_rest_of_a_rejected_body_has_a_timeout(narrow: Served) -> None:
    wait_until_idle(narrow)
    head = b"POST /v1/recognise HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999999999\r\n\r\n"
    with connected(narrow, head) as wire:
        assert wire.recv(1000).startswith(b"HTTP/1.1 413")
        begin_s = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - begin_s < 20:
                wire.sendall(bytes(1000))
                time.sleep(0.02)
        assert 2 < time.monotonic() - begin_s < 10, "most clients send the whole body before they read"


def test_too_many_connections_are_rejected_with_retry_after(narrow: Served) -> None:
    wait_until_idle(narrow)
    with contextlib.ExitStack() as connections:
        for _ in range(MAX_CONNECTIONS):
            connections.enter_context(connected(narrow))
        time.sleep(0.05)
        reply = narrow.ask("GET", "/v1/models")
        assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "overloaded", "1")
        with connected(narrow, handshake()) as wire:
            reply_bytes = read_all(wire)
            assert reply_bytes.startswith(b"HTTP/1.1 503 ")
            assert b"Retry-After: 1\r\n" in reply_bytes
            assert json.loads(reply_bytes.partition(b"\r\n\r\n")[2])["error"]["code"] == "overloaded"
        for _ in range(SPARE_CONNECTIONS):
            connections.enter_context(connected(narrow))
        with connected(narrow, HEADERS + b"\r\n") as wire:
            assert read_all(wire) == b""
    wait_until_idle(narrow)
    metrics = narrow.ask("GET", "/metrics").content.decode()
    assert 'overtone_requests_total{method="GET",path="other",status="503"}' in metrics


def test_a_stream_without_start_message_does_not_count(narrow: Served) -> None:
    wait_until_idle(narrow)
    with connected(narrow, handshake()) as silent, connected(narrow, handshake()) as other:
        assert silent.recv(100).startswith(b"HTTP/1.1 101")
        with connect(f"ws://127.0.0.1:{narrow.port}/v1/stream") as wire:
            wire.send(START)
            assert json.loads(wire.recv(10))["type"] == "ready"
            for _ in range(20):  # empty messages do not extend the timeout
                time.sleep(0.1)
                with contextlib.suppress(OSError):
                    silent.sendall(frame(2))
        for late in (silent, other):
            content = b""
            while b"upload_timeout" not in content:
                part = late.recv(1000)
                assert part
                content += part


def test_a_stream_of_empty_messages_is_idle(narrow: Served) -> None:
    wait_until_idle(narrow)
    with connect(f"ws://127.0.0.1:{narrow.port}/v1/stream") as wire:
        wire.send(START)
        assert json.loads(wire.recv(10))["type"] == "ready"
        with contextlib.suppress(ConnectionClosed):
            for _ in range(30):
                wire.send(b"")
                time.sleep(0.1)
        assert json.loads(wire.recv(1))["error"]["code"] == "upload_timeout"


def test_a_client_that_pings_and_does_not_read_is_disconnected(narrow: Served) -> None:
    wait_until_idle(narrow)
    pings = frame(9, bytes(125)) * 400
    with connected(narrow, handshake()) as wire:
        sent = 0
        with pytest.raises(OSError):
            while sent < 100_000_000:
                wire.sendall(pings)
                sent += len(pings)
        assert sent < 50_000_000, "the replies must not fill the memory"
    assert narrow.ask("GET", "/health").status == 200


def test_a_message_with_too_many_fragments_is_rejected(narrow: Served) -> None:
    wait_until_idle(narrow)
    with connected(narrow, handshake() + frame(2, last=False)) as wire, pytest.raises(OSError):
        for _ in range(100):
            wire.sendall(frame(0, last=False) * MAX_FRAGMENTS)
            time.sleep(0.01)


def test_an_invalid_handshake_is_rejected(narrow: Served) -> None:
    wait_until_idle(narrow)
    for head in (
        handshake().replace(b"GET", b"POST"),
        handshake()[:-2] + b"".join(b"X-%d: y\r\n" % number for number in range(200)) + b"\r\n",
        handshake().replace(b"GET", b"@@@"),
    ):
        with connected(narrow, head) as wire:
            assert read_all(wire).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 405 "))


def test_a_rejected_stream_is_not_logged_as_an_error(narrow: Served, caplog: pytest.LogCaptureFixture) -> None:
    wait_until_idle(narrow)
    address = f"ws://127.0.0.1:{narrow.port}/v1/stream"
    with caplog.at_level(logging.WARNING), connect(address) as wire:
        wire.send(START)
        assert json.loads(wire.recv(10))["type"] == "ready"
        with pytest.raises(InvalidStatus), connect(address):
            pass
        time.sleep(0.1)
    assert caplog.records == []


def test_open_file_limit(tmp_path: Path) -> None:
    """The limit of open files is raised to what the settings need."""
    import resource
    import subprocess
    import sys

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip("the hard limit of open files is too low")
    code = (
        "import resource; from pathlib import Path; from overtone.cli import serve;"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, (300, {hard}));"
        "serve.raise_open_file_limit(serve.Settings(Path(), max_connections=1000, max_uploads=10, max_files=10));"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    completed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(completed.stdout) == 1000 + 10 * (10 + 50) + 200
    assert completed.stderr == ""
