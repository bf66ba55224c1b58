"""Whoever holds connections open, or sends what never ends, keeps nobody else out and takes no memory."""

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
from odd_service_worker import COMMAND as ODD
from serving import Served, serving
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from overtone.service.api import uploads
from overtone.service.api.protocols import HEAD_BYTES, MOST_FRAGMENTS, SPARE
from overtone.service.settings import Settings

MOST = 4
HEAD_S = 0.4
HEAD = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n"
UPGRADE = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
PCM16 = '{"rate_hz": 16000, "encoding": "pcm16"}'


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service that has few connections and no patience."""
    settings = Settings(
        tmp_path_factory.mktemp("narrow"),
        workers=1,
        connections=MOST,
        head_s=HEAD_S,
        streams=1,
        stream_idle_s=1.0,
        upload_time_s=3.0,
        grace_s=1.0,
    )
    with serving(settings, ODD) as running:
        yield running


@contextlib.contextmanager
def wired(served: Served, first: bytes = b"") -> Iterator[socket.socket]:
    """A connection that has said so much."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as wire:
        wire.sendall(first)
        yield wire


def all_of(wire: socket.socket) -> bytes:
    """What comes until the other end closes."""
    content = b""
    with contextlib.suppress(ConnectionResetError):
        while part := wire.recv(65536):
            content += part
    return content


def handshake() -> bytes:
    key = base64.b64encode(os.urandom(16))
    return b"GET /v1/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n" + UPGRADE + b"Sec-WebSocket-Key: " + key + b"\r\n\r\n"


def frame(kind: int, content: bytes = b"", last: bool = True) -> bytes:
    """A frame of a client, whose mask changes nothing."""
    return bytes([0x80 * last | kind, 0x80 | len(content)]) + bytes(4) + content


def settled(served: Served) -> None:
    """Waits until connections of the test before are gone."""
    until_s = time.monotonic() + 10
    while served.ask("GET", "/health").status != 200:
        assert time.monotonic() < until_s
        time.sleep(0.05)


@pytest.mark.parametrize("endless", [b"X-A: " + b"a" * 60_000, b"X-A: b\r\n" * 8_000])
def test_a_head_without_end_is_cut_off(narrow: Served, endless: bytes) -> None:
    settled(narrow)
    with wired(narrow, HEAD) as wire:
        sent = 0
        with pytest.raises(OSError):
            while sent < 50_000_000:
                wire.sendall(endless)
                sent += len(endless)
        assert sent < 20_000_000
    assert narrow.ask("GET", "/health").status == 200


def test_a_head_that_is_too_large_is_told_so(narrow: Served) -> None:
    settled(narrow)
    assert narrow.ask("GET", "/health", X_A="a" * (HEAD_BYTES - 1000)).status == 200
    reply = narrow.ask("GET", "/health", X_A="a" * HEAD_BYTES)
    assert (reply.status, reply.code) == (431, "headers_too_large")
    assert reply.headers["x-content-type-options"] == "nosniff"
    with wired(narrow, handshake()[:-2] + b"X-A: " + b"a" * HEAD_BYTES + b"\r\n\r\n") as wire:
        assert all_of(wire).startswith(b"HTTP/1.1 431 ")


def test_trailers_without_end_are_cut_off(narrow: Served) -> None:
    settled(narrow)
    head = b"POST /v1/recognise HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwell\r\n0\r\n"
    with wired(narrow, head) as wire, pytest.raises(OSError):
        for _ in range(1000):
            wire.sendall(b"X-A: b\r\n" * 8_000)


def test_who_says_nothing_or_is_slow_to_say_it_is_gone(narrow: Served) -> None:
    settled(narrow)
    begin_s = time.monotonic()
    with wired(narrow) as silent, wired(narrow, HEAD) as half, wired(narrow, HEAD + b"\r\n" + HEAD) as second:
        assert all_of(silent) == all_of(half) == b""
        assert all_of(second).count(b"HTTP/1.1 200") == 1
    assert time.monotonic() - begin_s < 5 * HEAD_S
    with wired(narrow, HEAD) as trickling, pytest.raises(OSError):
        for _ in range(50):
            trickling.sendall(b"X-A: b\r\n")
            time.sleep(HEAD_S / 5)


def test_a_body_may_take_longer_than_a_head(narrow: Served) -> None:
    settled(narrow)
    head = b"POST /v1/recognise HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\n"
    with wired(narrow, head) as wire:
        for byte in (b"w", b"e", b"l", b"l"):
            time.sleep(HEAD_S / 2)
            wire.sendall(byte)
        assert wire.recv(100).startswith(b"HTTP/1.1 200")


def test_a_body_that_trickles_holds_no_place(narrow: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(narrow)
    monkeypatch.setattr(uploads, "PATIENCE_S", 0.3)
    head = b"POST /v1/recognise HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9999\r\n\r\n"
    begin_s = time.monotonic()
    with wired(narrow, head) as wire:
        wire.settimeout(0.05)
        told = b""
        while not told:
            wire.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                told = wire.recv(1000)
            assert time.monotonic() - begin_s < 2, "the whole may take three seconds"
        assert told.startswith(b"HTTP/1.1 408 ")
    with wired(narrow, head.replace(b"9999", b"4000")) as wire:
        for _ in range(8):
            wire.sendall(b"well" * 125)
            time.sleep(0.1)
        assert not wire.recv(1000).startswith(b"HTTP/1.1 408 "), "who is quick enough may go on"


def test_the_rest_of_a_body_that_was_refused_is_not_waited_for_for_ever(narrow: Served) -> None:
    settled(narrow)
    head = b"POST /v1/recognise HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 999999999\r\n\r\n"
    with wired(narrow, head) as wire:
        assert wire.recv(1000).startswith(b"HTTP/1.1 413")
        begin_s = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - begin_s < 20:
                wire.sendall(bytes(1000))
                time.sleep(0.02)
        assert 2 < time.monotonic() - begin_s < 10, "there was time to send it, as most clients do before they read"


def test_one_connection_too_many_is_told_to_come_back(narrow: Served) -> None:
    settled(narrow)
    with contextlib.ExitStack() as held:
        for _ in range(MOST):
            held.enter_context(wired(narrow))
        time.sleep(0.05)
        reply = narrow.ask("GET", "/v1/models")
        assert (reply.status, reply.code, reply.headers["retry-after"]) == (503, "busy", "1")
        with wired(narrow, handshake()) as wire:
            told = all_of(wire)
            assert told.startswith(b"HTTP/1.1 503 ")
            assert b"Retry-After: 1\r\n" in told
            assert json.loads(told.partition(b"\r\n\r\n")[2])["error"]["code"] == "busy"
        for _ in range(SPARE):
            held.enter_context(wired(narrow))
        with wired(narrow, HEAD + b"\r\n") as wire:
            assert all_of(wire) == b""
    settled(narrow)
    counted = narrow.ask("GET", "/metrics").content.decode()
    assert 'overtone_requests_total{method="GET",path="other",status="503"}' in counted


def test_a_stream_without_a_hello_takes_no_place(narrow: Served) -> None:
    settled(narrow)
    with wired(narrow, handshake()) as silent, wired(narrow, handshake()) as other:
        assert silent.recv(100).startswith(b"HTTP/1.1 101")
        with connect(f"ws://127.0.0.1:{narrow.port}/v1/stream") as wire:
            wire.send(PCM16)
            assert json.loads(wire.recv(10))["type"] == "ready"
            for _ in range(20):  # nothing, however often it is said, is no sound
                time.sleep(0.1)
                with contextlib.suppress(OSError):
                    silent.sendall(frame(2))
        for late in (silent, other):
            content = b""
            while b"upload_timeout" not in content:
                part = late.recv(1000)
                assert part
                content += part


def test_a_stream_of_nothing_is_idle(narrow: Served) -> None:
    settled(narrow)
    with connect(f"ws://127.0.0.1:{narrow.port}/v1/stream") as wire:
        wire.send(PCM16)
        assert json.loads(wire.recv(10))["type"] == "ready"
        with contextlib.suppress(ConnectionClosed):
            for _ in range(30):
                wire.send(b"")
                time.sleep(0.1)
        assert json.loads(wire.recv(1))["error"]["code"] == "upload_timeout"


def test_who_pings_and_reads_nothing_waits_and_is_gone(narrow: Served) -> None:
    settled(narrow)
    pings = frame(9, bytes(125)) * 400
    with wired(narrow, handshake()) as wire:
        sent = 0
        with pytest.raises(OSError):
            while sent < 100_000_000:
                wire.sendall(pings)
                sent += len(pings)
        assert sent < 50_000_000, "the answers would pile up"
    assert narrow.ask("GET", "/health").status == 200


def test_a_message_in_too_many_pieces_is_cut_off(narrow: Served) -> None:
    settled(narrow)
    with wired(narrow, handshake() + frame(2, last=False)) as wire, pytest.raises(OSError):
        for _ in range(100):
            wire.sendall(frame(0, last=False) * MOST_FRAGMENTS)
            time.sleep(0.01)


def test_what_is_no_handshake_is_answered(narrow: Served) -> None:
    settled(narrow)
    for head in (
        handshake().replace(b"GET", b"POST"),
        handshake()[:-2] + b"".join(b"X-%d: y\r\n" % number for number in range(200)) + b"\r\n",
        handshake().replace(b"GET", b"@@@"),
    ):
        with wired(narrow, head) as wire:
            assert all_of(wire).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 405 "))


def test_a_stream_that_is_refused_is_no_fault(narrow: Served, caplog: pytest.LogCaptureFixture) -> None:
    settled(narrow)
    address = f"ws://127.0.0.1:{narrow.port}/v1/stream"
    with caplog.at_level(logging.WARNING), connect(address) as wire:
        wire.send(PCM16)
        assert json.loads(wire.recv(10))["type"] == "ready"
        with pytest.raises(InvalidStatus), connect(address):
            pass
        time.sleep(0.1)
    assert caplog.records == []


def test_files_that_may_be_open(tmp_path: Path) -> None:
    """As many as the limits ask for, in a process that begins with fewer."""
    import resource
    import subprocess
    import sys

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip("this system lets nobody have so many files open")
    code = (
        "import resource; from pathlib import Path; from overtone.cli import serve;"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, (300, {hard}));"
        "serve._have_files_open(serve.Settings(Path(), connections=1000, uploads=10, files=10));"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 1000 + 100 + 200
    assert done.stderr == ""
