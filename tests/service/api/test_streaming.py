"""A WebSocket stream returns what the stream of the library returns, and reports errors before it closes."""

import contextlib
import io
import json
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from serving import Served, serving
from synthetic_audio import RATE_HZ, speech_like
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from overtone.formats import timeline_json
from overtone.formats.timeline_json import segment_to_object
from overtone.inference.recogniser import load
from overtone.service.api.auth import ApiKeys, hash_key
from overtone.service.settings import Settings

SPEECH = speech_like(np.random.default_rng(5), 8.0)
START = {"rate_hz": RATE_HZ, "encoding": "pcm16"}


@contextlib.contextmanager
def open_stream(served: Served, start: Any, **options: Any) -> Any:
    with connect(f"ws://127.0.0.1:{served.port}/v1/stream", compression=None, **options) as wire:
        wire.send(start if isinstance(start, str | bytes) else json.dumps(start))
        yield wire


def receive_all(wire: ClientConnection) -> list[Any]:
    """Return all messages until the connection is closed."""
    messages = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            messages.append(json.loads(wire.recv(30)))
    return messages


@pytest.mark.parametrize(
    ("encoding", "rate_hz", "channels"), [("pcm16", RATE_HZ, 1), ("float32", RATE_HZ, 2), ("float32", 22_050, 1)]
)
def test_a_stream_returns_what_the_library_returns(
    served: Served, tiny: Path, encoding: str, rate_hz: int, channels: int
) -> None:
    dtype = {"pcm16": "<i2", "float32": "<f4"}[encoding]
    samples = (SPEECH * 32767).astype(dtype) if encoding == "pcm16" else SPEECH.astype(dtype)
    audio = samples if channels == 1 else np.stack([samples, samples], axis=1)
    chunk = 1234
    stream = load(tiny).stream(rate_hz, source="mic")
    expected = [
        segment_to_object(segment)
        for begin in range(0, len(audio), chunk)
        for segment in stream.push(audio[begin : begin + chunk])
    ]
    text = io.StringIO()
    timeline_json.write(stream.finish(), text)
    start = {"rate_hz": rate_hz, "encoding": encoding, "channels": channels, "name": "mic"}
    with open_stream(served, start) as wire:
        for begin in range(0, len(audio), chunk):
            wire.send(audio[begin : begin + chunk].tobytes())
        wire.send(json.dumps({"type": "end"}))
        ready, *segments, timeline = receive_all(wire)
        assert wire.close_code == 1000
    assert ready == {"type": "ready", "model": "tiny-1", "emotions": list(load(tiny).emotions)}
    assert segments == [{"type": "segment", **segment} for segment in expected]
    assert len(segments) > 1
    assert timeline == {"type": "timeline", "timeline": json.loads(text.getvalue())}


@pytest.mark.parametrize(
    ("messages", "code", "message"),
    [
        (["no json"], "invalid_parameter", "start message: Invalid JSON"),
        ([b"\0\0"], "malformed_request", "expected a start message"),
        (['{"rate_hz": 16000}'], "invalid_parameter", "encoding"),
        (['{"rate_hz": 10, "encoding": "pcm16"}'], "invalid_parameter", "rate_hz"),
        (['{"rate_hz": NaN, "encoding": "pcm16"}'], "invalid_parameter", ""),
        (['{"rate_hz": 16000, "encoding": "mp3"}'], "invalid_parameter", "encoding"),
        (['{"rate_hz": 16000, "encoding": "pcm16", "rat": 1}'], "invalid_parameter", "rat"),
        (['{"rate_hz": 16000, "encoding": "pcm16"}', b"abc"], "invalid_audio", "multiple of 2"),
        (['{"rate_hz": 16000, "encoding": "pcm16"}', '{"type": "stop"}'], "invalid_parameter", "type"),
        (['{"rate_hz": 16000, "encoding": "pcm16"}', '{"type": "end"}'], "invalid_audio", "0 ms"),
        (['{"rate_hz": 16000, "encoding": "float32"}', b"\0\0\xc0\x7f" * 99], "invalid_audio", "not finite"),
        (['{"rate_hz": 8000, "encoding": "pcm16"}', *[bytes(800_000)] * 3], "invalid_audio", "more than 100 s"),
    ],
)
def test_errors_are_reported(served: Served, messages: list[str | bytes], code: str, message: str) -> None:
    with open_stream(served, messages[0]) as wire:
        with contextlib.suppress(ConnectionClosed):
            for sent in messages[1:]:
                wire.send(sent)
        *_, last = receive_all(wire)
        assert wire.close_code == 1008
    assert last["type"] == "error"
    assert last["error"]["code"] == code
    assert message in last["error"]["message"]


def test_streams_are_limited_time_out_and_need_a_key(tiny: Path, tmp_path: Path) -> None:
    settings = Settings(tmp_path, str(tiny), workers=1, max_streams=1, stream_idle_timeout_s=0.5, shutdown_grace_s=1.0)
    with serving(settings, keys=ApiKeys({"anna": hash_key("a")})) as served:
        with open_stream(served, {**START, "key": "b"}) as wire:
            (rejected,) = receive_all(wire)
            assert rejected["error"]["code"] == "unauthorized"
        with open_stream(served, START, additional_headers={"Authorization": "Bearer a"}) as wire:
            assert json.loads(wire.recv(30))["type"] == "ready"
            with pytest.raises(InvalidStatus) as error, open_stream(served, {**START, "key": "a"}):
                pass
            response = error.value.response
            assert response.status_code == 503
            assert int(response.headers["retry-after"]) >= 1
            assert b'"overloaded"' in response.body
            (idle,) = receive_all(wire)
            assert idle["error"]["code"] == "upload_timeout"
        with open_stream(served, {**START, "key": "a"}) as wire:
            assert json.loads(wire.recv(30))["type"] == "ready"


def test_a_worker_that_dies_loses_only_its_streams(served: Served) -> None:
    with open_stream(served, START) as wire:
        assert json.loads(wire.recv(30))["type"] == "ready"
        served.backend.stream_pools()[0]._processes[0].stop()  # type: ignore[union-attr]
        wire.send(bytes(3200))
        (lost,) = receive_all(wire)
        assert "lost" in lost["error"]["message"]
    with open_stream(served, START) as wire:
        assert json.loads(wire.recv(30))["type"] == "ready"


def test_a_disconnected_stream_is_released(served: Served) -> None:
    with open_stream(served, START) as wire:
        wire.recv(30)
        assert "overtone_active_streams 1.0" in served.ask("GET", "/metrics").content.decode()
        wire.send(bytes(3200))
    until_s = time.monotonic() + 10
    while "overtone_active_streams 0.0" not in served.ask("GET", "/metrics").content.decode():
        assert time.monotonic() < until_s
        time.sleep(0.05)


def test_a_fast_client_is_slowed_down(faulty: Served) -> None:
    sent = []

    def send(wire: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(200):
                wire.send(bytes(500_000))
                sent.append(500_000)

    with open_stream(faulty, START) as wire:
        wire.recv(30)
        wire.send(b"sleeps0.9")
        sender = threading.Thread(target=send, args=(wire,))
        sender.start()
        time.sleep(0.6)
        assert 0 < sum(sent) < 20_000_000, "unprocessed audio waits at the client"
    sender.join()


def test_all_audio_is_processed(served: Served) -> None:
    with open_stream(served, START) as wire:
        for _ in range(90):
            wire.send(bytes(2 * RATE_HZ))
        wire.send('{"type": "end"}')
        *_, last = receive_all(wire)
    assert last["timeline"]["duration_s"] == 90.0
