"""Reference clips in requests to recognise, and timelines and streams that are adapted to themselves."""

import json
from pathlib import Path

import numpy as np
import pytest
from audio_files import encoded
from serving import BOUNDARY, Reply, Served, form_type
from synthetic_audio import RATE_HZ, silence, speech_like, voice

import overtone
from overtone.errors import InputError, OvertoneError
from overtone.formats.json import to_object
from overtone.inference.recogniser import load

CLIP = encoded(voice(180, 1.0), RATE_HZ, "FLAC")
REFERENCE = tuple(encoded(voice(120 + 40 * k, 1.0, level=0.1 + 0.2 * k), RATE_HZ, "FLAC") for k in range(3))
TALK = encoded(speech_like(np.random.default_rng(5), 12.0), RATE_HZ, "FLAC")
SILENCE = encoded(silence(1.0), RATE_HZ)


def form(*parts: tuple[str, str, bytes]) -> bytes:
    """Return a form of fields, file names and contents."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n'
    body = b"".join((head % (field, name)).encode() + content + b"\r\n" for field, name, content in parts)
    return body + f"--{BOUNDARY}--\r\n".encode()


def post(served: Served, path: str, *parts: tuple[str, str, bytes], **headers: str) -> Reply:
    return served.ask("POST", path, form(*parts), Content_Type=form_type(), **headers)


def references(*contents: bytes) -> list[tuple[str, str, bytes]]:
    return [("reference", f"r{number}.flac", content) for number, content in enumerate(contents)]


def test_predictions_are_adapted_to_the_reference_clips(adapting: Served, adapts: Path) -> None:
    adapted = load(adapts).adapt(REFERENCE)
    files = [("file", "a.flac", CLIP), ("file", "b.flac", REFERENCE[0])]
    reply = post(adapting, "/v1/recognise", *references(*REFERENCE), *files)
    assert reply.status == 200
    expected = [{**to_object(adapted.recognise(content)), "path": name} for _, name, content in files]
    assert reply.json == {"predictions": expected, "failures": []}
    assert {row["reference_clips"] for row in reply.json["predictions"]} == {3}
    alone = post(adapting, "/v1/recognise", *files)
    assert {row["reference_clips"] for row in alone.json["predictions"]} == {0}
    assert alone.json["predictions"] != reply.json["predictions"]


def test_bad_reference_clips_are_named_and_the_others_count(adapting: Served) -> None:
    parts = [*references(REFERENCE[0], SILENCE, b"not audio"), ("file", "a.flac", CLIP)]
    reply = post(adapting, "/v1/recognise", *parts)
    assert reply.json["predictions"][0]["reference_clips"] == 1
    failures = [(row["field"], row["index"], row["path"], row["code"]) for row in reply.json["failures"]]
    assert failures == [("reference", k, f"r{k}.flac", "invalid_audio") for k in (1, 2)]
    assert post(adapting, "/v1/recognise?format=csv", *parts).code == "invalid_audio"
    none = post(adapting, "/v1/recognise", *references(SILENCE), ("file", "a.flac", CLIP))
    assert (none.status, none.code) == (422, "invalid_audio")
    assert [row["path"] for row in none.json["error"]["failures"]] == ["r0.flac"]


def test_invalid_requests_with_reference_clips(adapting: Served, served: Served) -> None:
    file = ("file", "a.flac", CLIP)
    for service, parts, status, code in (
        (adapting, [*references(*REFERENCE, CLIP), file], 413, "too_large"),
        (adapting, references(*REFERENCE), 400, "malformed_request"),
        (served, [*references(*REFERENCE), file], 422, "invalid_parameter"),
    ):
        reply = post(service, "/v1/recognise", *parts)
        assert (reply.status, reply.code) == (status, code)
    for service, can_adapt in ((adapting, True), (served, False)):
        assert service.ask("GET", "/v1/models").json["models"][0]["can_adapt"] is can_adapt


def test_a_retry_with_other_reference_clips_is_another_request(adapting: Served) -> None:
    file = ("file", "a.flac", CLIP)
    first = post(adapting, "/v1/recognise", *references(*REFERENCE), file, Idempotency_Key="k")
    again = post(adapting, "/v1/recognise", *references(*REFERENCE), file, Idempotency_Key="k")
    assert again.content == first.content
    for parts in ([*references(*REFERENCE[:2]), file], [("file", "r0.flac", REFERENCE[0]), file]):
        assert post(adapting, "/v1/recognise", *parts, Idempotency_Key="k").code == "idempotency_key_reused"


def test_the_client_sends_reference_clips(adapting: Served, adapts: Path, tmp_path: Path) -> None:
    client = overtone.Client(f"http://127.0.0.1:{adapting.port}", retry_timeout_s=0)
    path = tmp_path / 'é "quoted".flac'
    path.write_bytes(REFERENCE[0])
    expected = load(adapts).adapt(REFERENCE[:2]).recognise(path)
    prediction = client.recognise(path, reference=[path, REFERENCE[1]])
    assert prediction.reference_clips == 2
    np.testing.assert_allclose(prediction.probabilities, expected.probabilities, atol=1e-6)
    errors: list[OvertoneError] = []
    prediction = client.recognise(path, reference=[tmp_path / "gone.wav", SILENCE, CLIP], on_error=errors.append)
    assert prediction.reference_clips == 1
    assert [type(error) for error in errors] == [InputError, InputError]
    assert "gone.wav" in str(errors[0])
    for bad in ([tmp_path / "gone.wav"], [CLIP, SILENCE]):
        with pytest.raises(InputError):
            client.recognise(path, reference=bad)


def test_timelines_are_adapted_to_themselves(adapting: Served, adapts: Path) -> None:
    client = overtone.Client(f"http://127.0.0.1:{adapting.port}", retry_timeout_s=0)
    for adapt, adaptation in ((True, "recording"), (False, "none")):
        timeline = client.timeline(TALK, adapt=adapt)
        expected = load(adapts).timeline(TALK, adapt=adapt)
        assert timeline["adaptation"] == expected.adaptation == adaptation
        clips = [part.prediction.reference_clips for part in expected.segments if part.prediction]
        assert [part["reference_clips"] for part in timeline["segments"] if part["speech"]] == clips
    assert adapting.raw("/v1/timeline?adapt=no", TALK).code == "invalid_parameter"


def test_streams_are_adapted_to_the_audio_before(adapting: Served) -> None:
    websockets = pytest.importorskip("websockets.sync.client")
    samples = (32_000 * speech_like(np.random.default_rng(5), 12.0)).astype("<i2").tobytes()
    for adapt, adaptation in ((True, "stream"), (False, "none")):
        with websockets.connect(f"ws://127.0.0.1:{adapting.port}/v1/stream") as socket:
            socket.send(json.dumps({"rate_hz": RATE_HZ, "encoding": "pcm16", "adapt": adapt}))
            socket.recv()
            socket.send(samples)
            socket.send(json.dumps({"type": "end"}))
            messages = [json.loads(message) for message in socket]
        assert messages[-1]["timeline"]["adaptation"] == adaptation
        assert any(row.get("reference_clips") for row in messages[:-1]) == adapt
