"""The client gives what the library gives, by way of a service."""

import io
import os
import sqlite3
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from audio_files import encoded
from serving import Served
from sounds import RATE_HZ, speech_like

import overtone
from overtone.errors import InputError, ServiceError

SPEECH = encoded(speech_like(np.random.default_rng(5), 8.0), RATE_HZ, "FLAC")


@pytest.fixture
def client(served: Served) -> overtone.Client:
    return overtone.Client(f"http://127.0.0.1:{served.port}/", patience_s=0)


def test_an_answer_is_that_of_the_library(client: overtone.Client, tiny: Path, tmp_path: Path) -> None:
    expected = overtone.load(tiny, uncertain_below=None).recognise(SPEECH)
    file = tmp_path / "é & ü?.flac"
    file.write_bytes(SPEECH)
    for source, name in (
        (file, file.name),
        (str(file), file.name),
        (SPEECH, "sound in memory"),
        (io.BytesIO(SPEECH), "sound"),
    ):
        answer = client.recognise(source)
        assert answer.source == name
        assert (answer.emotion, answer.emotions, answer.uncertain) == (expected.emotion, expected.emotions, False)
        np.testing.assert_allclose(answer.probabilities, expected.probabilities, atol=1e-6)
        np.testing.assert_allclose(answer.branches["mel"], expected.branches["mel"], atol=1e-6)
        assert answer.model == "tiny-1"
        assert answer.prosody.keys() == expected.prosody.keys()
    answer, error = client.recognise_many([file, tmp_path / "none.wav"])
    assert isinstance(answer, overtone.Prediction)
    assert isinstance(error, InputError)
    assert str(error).endswith("none.wav: cannot be read: No such file or directory")


def test_a_file_may_be_called_anything(client: overtone.Client, tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"caf\xe9.flac")
    try:
        file.write_bytes(SPEECH)
    except OSError:
        pytest.skip("this file system has no such names")
    (answer,) = client.recognise_many([file])
    assert isinstance(answer, overtone.Prediction), answer
    assert answer.source == "caf?.flac"
    assert client.timeline(file)["path"] == "caf?.flac"


def test_a_timeline_is_given_though_its_job_cannot_be_deleted(
    client: overtone.Client, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(job_id: str) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(served.house.store, "delete", gone)
    assert client.timeline(SPEECH)["duration_s"] == 8.0


def test_who_stops_waiting_leaves_no_job(
    client: overtone.Client, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(job_id: str) -> None:
        raise KeyboardInterrupt

    before = served.house.store.counts()
    monkeypatch.setattr(client, "job", interrupted)
    with pytest.raises(KeyboardInterrupt):
        client.timeline(SPEECH)
    assert served.house.store.counts() == before


def test_a_timeline_is_waited_for(client: overtone.Client, tiny: Path) -> None:
    told = client.timeline(SPEECH)
    assert told["duration_s"] == 8.0
    assert len(told["segments"]) == len(overtone.load(tiny).timeline(SPEECH).segments)
    assert client.timeline(SPEECH, "webvtt").startswith(b"WEBVTT")
    job = client.begin_timeline(SPEECH)
    assert client.job(job["id"])["name"] == "sound in memory"
    assert client.models[0]["id"] == "tiny-1"


def test_what_is_refused_is_told(client: overtone.Client) -> None:
    with pytest.raises(InputError, match="sound in memory: not a sound"):
        client.recognise(b"no sound")
    with pytest.raises(InputError, match="sound in memory: not a sound"):
        client.timeline(b"no sound")
    with pytest.raises(ServiceError, match="404: no such job"):
        client.job("nonsense")
    with pytest.raises(InputError, match="expected an address"):
        overtone.Client("ftp://x")
    with pytest.raises(ServiceError, match="cannot be reached"):
        overtone.Client("http://127.0.0.1:9", patience_s=0).recognise(SPEECH)


class Moody(BaseHTTPRequestHandler):
    """Breaks the first connection, has no time for the second, and knows nothing of the third."""

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
        """Nothing."""


def test_what_fails_by_chance_is_tried_again_under_one_key() -> None:
    server = HTTPServer(("127.0.0.1", 0), Moody)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        client = overtone.Client(f"http://127.0.0.1:{server.server_port}", patience_s=20)
        assert client.begin_timeline(SPEECH) == {"id": "x"}
    finally:
        server.shutdown()
        server.server_close()
    assert len(Moody.keys) == 3
    assert len(set(Moody.keys)) == 1
