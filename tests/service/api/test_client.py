"""The client returns the results of the library through a running service."""

import io
import os
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from audio_files import encoded
from serving import Served, serving
from synthetic_audio import RATE_HZ, speech_like

import overtone
from overtone.errors import InputError, ServiceError
from overtone.service.settings import Settings

SPEECH = encoded(speech_like(np.random.default_rng(5), 8.0), RATE_HZ, "FLAC")


@pytest.fixture
def client(served: Served) -> overtone.Client:
    return overtone.Client(f"http://127.0.0.1:{served.port}/", retry_timeout_s=0)


def test_prediction_equals_the_one_of_the_library(client: overtone.Client, tiny: Path, tmp_path: Path) -> None:
    expected = overtone.load(tiny, uncertain_below=None).recognise(SPEECH)
    file = tmp_path / "é & ü?.flac"
    file.write_bytes(SPEECH)
    for source, name in (
        (file, file.name),
        (str(file), file.name),
        (SPEECH, "audio in memory"),
        (io.BytesIO(SPEECH), "audio"),
    ):
        prediction = client.recognise(source)
        assert prediction.source == name
        assert (prediction.emotion, prediction.emotions) == (expected.emotion, expected.emotions)
        assert not prediction.uncertain
        np.testing.assert_allclose(prediction.probabilities, expected.probabilities, atol=1e-6)
        np.testing.assert_allclose(prediction.branches["mel"], expected.branches["mel"], atol=1e-6)
        assert prediction.model == "tiny-1"
        assert prediction.prosody.keys() == expected.prosody.keys()
        for value in ("speech_s", "arousal", "valence"):
            assert getattr(prediction, value) == pytest.approx(getattr(expected, value), abs=1e-3)
    prediction, error = client.recognise_many([file, tmp_path / "none.wav"])
    assert isinstance(prediction, overtone.Prediction)
    assert isinstance(error, InputError)
    assert str(error).endswith("none.wav: cannot be read: No such file or directory")


def test_a_service_may_predict_some_classes_and_branches(tiny: Path, tmp_path: Path) -> None:
    chosen = {"emotions": ("happy", "sad", "neutral"), "branches": ("mel",)}
    expected = overtone.load(tiny, **chosen).recognise(SPEECH)
    with serving(Settings(tmp_path, str(tiny), workers=1, **chosen)) as running:
        client = overtone.Client(f"http://127.0.0.1:{running.port}", retry_timeout_s=0)
        prediction, timeline, (card,) = client.recognise(SPEECH), client.timeline(SPEECH), client.models
    assert prediction.emotions == expected.emotions == ("neutral", "happy", "sad")
    np.testing.assert_allclose(prediction.probabilities, expected.probabilities, atol=1e-6)
    assert list(prediction.branches) == ["mel"] and timeline["emotions"] == ["neutral", "happy", "sad"]
    assert (card["predicted_emotions"], len(card["emotions"])) == (["neutral", "happy", "sad"], 8)


def test_file_name_may_be_invalid_utf8(client: overtone.Client, tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"caf\xe9.flac")
    try:
        file.write_bytes(SPEECH)
    except OSError:
        pytest.skip("this file system has no such names")
    (prediction,) = client.recognise_many([file])
    assert isinstance(prediction, overtone.Prediction), prediction
    assert prediction.source == "caf?.flac"
    assert client.timeline(file)["path"] == "caf?.flac"


def test_timeline_is_returned_if_its_job_cannot_be_deleted(
    client: overtone.Client, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(job_id: str) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(served.backend.store, "delete", fail)
    assert client.timeline(SPEECH)["duration_s"] == 8.0


def test_interrupted_wait_deletes_the_job(
    client: overtone.Client, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(job_id: str) -> None:
        raise KeyboardInterrupt

    before = served.backend.store.counts()
    monkeypatch.setattr(client, "job", interrupt)
    with pytest.raises(KeyboardInterrupt):
        client.timeline(SPEECH)
    assert served.backend.store.counts() == before


def test_timeline_waits_for_the_job(client: overtone.Client, tiny: Path) -> None:
    timeline = client.timeline(SPEECH)
    assert timeline["duration_s"] == 8.0
    assert len(timeline["segments"]) == len(overtone.load(tiny).timeline(SPEECH).segments)
    assert client.timeline(SPEECH, "webvtt").startswith(b"WEBVTT")
    job = client.submit_timeline(SPEECH)
    assert client.job(job["id"])["name"] == "audio in memory"
    assert client.models[0]["id"] == "tiny-1"


def test_refused_requests_raise_errors(client: overtone.Client) -> None:
    with pytest.raises(InputError, match="audio in memory"):
        client.recognise(b"not audio")
    with pytest.raises(InputError, match="audio in memory"):
        client.timeline(b"not audio")
    with pytest.raises(ServiceError, match="404"):
        client.job("nonsense")
    with pytest.raises(InputError, match="expected an address"):
        overtone.Client("ftp://x")
    with pytest.raises(ServiceError, match="cannot be reached"):
        overtone.Client("http://127.0.0.1:9", retry_timeout_s=0).recognise(SPEECH)


class UnreliableHandler(BaseHTTPRequestHandler):
    """Closes the first connection, answers 503 to the second request, and accepts the third."""

    keys: list[str] = []  # noqa: RUF012

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.keys.append(self.headers["Idempotency-Key"])
        if len(self.keys) == 1:
            self.close_connection = True
            return
        self.send_response(503 if len(self.keys) == 2 else 200)
        self.send_header("Retry-After", "1")
        self.end_headers()
        self.wfile.write(b'{"id": "x"}')

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def test_retries_use_one_idempotency_key() -> None:
    server = HTTPServer(("127.0.0.1", 0), UnreliableHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        client = overtone.Client(f"http://127.0.0.1:{server.server_port}", retry_timeout_s=20)
        assert client.submit_timeline(SPEECH) == {"id": "x"}
    finally:
        server.shutdown()
        server.server_close()
    assert len(UnreliableHandler.keys) == 3
    assert len(set(UnreliableHandler.keys)) == 1
