"""A stream gives what the library's stream gives, and says what is wrong before it closes."""

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
from sounds import RATE_HZ, speech_like
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from overtone.formats import timeline_json
from overtone.formats.timeline_json import segment_object
from overtone.inference.recogniser import load
from overtone.service.api.auth import ApiKeys, hash_key
from overtone.service.settings import Settings

SPEECH = speech_like(np.random.default_rng(5), 8.0)
PCM16 = {"rate_hz": RATE_HZ, "encoding": "pcm16"}


@contextlib.contextmanager
def opened(served: Served, hello: Any, **options: Any) -> Any:
    with connect(f"ws://127.0.0.1:{served.port}/v1/stream", compression=None, **options) as wire:
        wire.send(hello if isinstance(hello, str | bytes) else json.dumps(hello))
        yield wire


def received(wire: ClientConnection) -> list[Any]:
    """All messages until the end."""
    messages = []
    with contextlib.suppress(ConnectionClosed):
        while True:
            messages.append(json.loads(wire.recv(30)))
    return messages


@pytest.mark.parametrize(
    ("encoding", "rate_hz", "channels"), [("pcm16", RATE_HZ, 1), ("float32", RATE_HZ, 2), ("float32", 22_050, 1)]
)
def test_a_stream_gives_what_the_library_gives(
    served: Served, tiny: Path, encoding: str, rate_hz: int, channels: int
) -> None:
    kind = {"pcm16": "<i2", "float32": "<f4"}[encoding]
    samples = (SPEECH * 32767).astype(kind) if encoding == "pcm16" else SPEECH.astype(kind)
    sound = samples if channels == 1 else np.stack([samples, samples], axis=1)
    chunk = 1234
    stream = load(tiny).stream(rate_hz, source="mic")
    expected = [
        segment_object(one) for at in range(0, len(sound), chunk) for one in stream.push(sound[at : at + chunk])
    ]
    text = io.StringIO()
    timeline_json.write(stream.finish(), text)
    hello = {"rate_hz": rate_hz, "encoding": encoding, "channels": channels, "name": "mic"}
    with opened(served, hello) as wire:
        for at in range(0, len(sound), chunk):
            wire.send(sound[at : at + chunk].tobytes())
        wire.send(json.dumps({"type": "end"}))
        ready, *segments, timeline = received(wire)
        assert wire.close_code == 1000
    assert ready == {"type": "ready", "model": "tiny-1", "emotions": list(load(tiny).emotions)}
    assert segments == [{"type": "segment", **segment} for segment in expected]
    assert len(segments) > 1
    assert timeline == {"type": "timeline", "timeline": json.loads(text.getvalue())}


@pytest.mark.parametrize(
    ("messages", "code", "says"),
    [
        (["no json"], "invalid_parameter", "hello: Invalid JSON"),
        ([b"\0\0"], "malformed", "expected a hello"),
        (['{"rate_hz": 16000}'], "invalid_parameter", "encoding"),
        (['{"rate_hz": 10, "encoding": "pcm16"}'], "invalid_parameter", "rate_hz"),
        (['{"rate_hz": NaN, "encoding": "pcm16"}'], "invalid_parameter", ""),
        (['{"rate_hz": 16000, "encoding": "mp3"}'], "invalid_parameter", "encoding"),
        (['{"rate_hz": 16000, "encoding": "pcm16", "rat": 1}'], "invalid_parameter", "rat"),
        (['{"rate_hz": 16000, "encoding": "pcm16"}', b"abc"], "invalid_audio", "no multiple of 2"),
        (['{"rate_hz": 16000, "encoding": "pcm16"}', '{"type": "stop"}'], "invalid_parameter", "type"),
        (['{"rate_hz": 16000, "encoding": "pcm16"}', '{"type": "end"}'], "invalid_audio", "0 ms of sound"),
        (['{"rate_hz": 16000, "encoding": "float32"}', b"\0\0\xc0\x7f" * 99], "invalid_audio", "not finite"),
        (['{"rate_hz": 8000, "encoding": "pcm16"}', *[bytes(800_000)] * 3], "invalid_audio", "more than 100 s"),
    ],
)
def test_what_is_wrong_is_told(served: Served, messages: list[str | bytes], code: str, says: str) -> None:
    with opened(served, messages[0]) as wire:
        with contextlib.suppress(ConnectionClosed):
            for message in messages[1:]:
                wire.send(message)
        *_, last = received(wire)
        assert wire.close_code == 1008
    assert last["type"] == "error"
    assert last["error"]["code"] == code
    assert says in last["error"]["message"]


def test_streams_are_limited_end_when_idle_and_need_a_key(tiny: Path, tmp_path: Path) -> None:
    settings = Settings(tmp_path, str(tiny), workers=1, streams=1, stream_idle_s=0.5, grace_s=1.0)
    with serving(settings, keys=ApiKeys({"anna": hash_key("a")})) as served:
        with opened(served, {**PCM16, "key": "b"}) as wire:
            (refused,) = received(wire)
            assert refused["error"]["code"] == "unauthorized"
        with opened(served, PCM16, additional_headers={"Authorization": "Bearer a"}) as wire:
            assert json.loads(wire.recv(30))["type"] == "ready"
            with pytest.raises(InvalidStatus) as refusal, opened(served, {**PCM16, "key": "a"}):
                pass
            response = refusal.value.response
            assert response.status_code == 503
            assert int(response.headers["retry-after"]) >= 1
            assert b'"busy"' in response.body
            (idle,) = received(wire)
            assert idle["error"]["code"] == "upload_timeout"
        with opened(served, {**PCM16, "key": "a"}) as wire:
            assert json.loads(wire.recv(30))["type"] == "ready"


def test_a_process_that_dies_takes_its_streams_and_no_more(served: Served) -> None:
    with opened(served, PCM16) as wire:
        assert json.loads(wire.recv(30))["type"] == "ready"
        served.house.stream_pools()[0]._crew[0].stop()  # type: ignore[union-attr]
        wire.send(bytes(3200))
        (lost,) = received(wire)
        assert "was lost with the process" in lost["error"]["message"]
    with opened(served, PCM16) as wire:
        assert json.loads(wire.recv(30))["type"] == "ready"


def test_who_goes_away_is_forgotten(served: Served) -> None:
    with opened(served, PCM16) as wire:
        wire.recv(30)
        assert 'overtone_open{what="streams"} 1.0' in served.ask("GET", "/metrics").content.decode()
        wire.send(bytes(3200))
    until_s = time.monotonic() + 10
    while 'overtone_open{what="streams"} 0.0' not in served.ask("GET", "/metrics").content.decode():
        assert time.monotonic() < until_s
        time.sleep(0.05)


def test_who_sends_too_fast_is_slowed_down(odd: Served) -> None:
    sent = []

    def send(wire: ClientConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(200):
                wire.send(bytes(500_000))
                sent.append(500_000)

    with opened(odd, PCM16) as wire:
        wire.recv(30)
        wire.send(b"sleeps0.9")
        sender = threading.Thread(target=send, args=(wire,))
        sender.start()
        time.sleep(0.6)
        assert 0 < sum(sent) < 20_000_000, "what has not been heard waits at the client"
    sender.join()


def test_all_that_was_sent_is_heard(served: Served) -> None:
    with opened(served, PCM16) as wire:
        for _ in range(90):
            wire.send(bytes(2 * RATE_HZ))
        wire.send('{"type": "end"}')
        *_, last = received(wire)
    assert last["timeline"]["duration_s"] == 90.0
