"""POST /v1/recognise returns the predictions of the library, and errors for invalid requests."""

import csv
import errno
import io
import json
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audio_files import encoded
from serving import Served, form_type, multipart
from synthetic_audio import RATE_HZ, silence, voice

from overtone.formats.json import to_object
from overtone.inference.recogniser import load
from overtone.service.api.multipart import MultipartReader

CLIP = encoded(voice(180, 1.0), RATE_HZ, "FLAC")
OTHER = encoded(voice(120, 1.5, level=0.3), 44_100, "OGG", "VORBIS")
LONG_HEADERS = b"".join(b"\r\nX-%d: %s" % (number, b"a" * 3000) for number in range(3)) + b"\r\n\r\n"
SILENCE = encoded(silence(1.0), RATE_HZ)


def expected_object(tiny: Path, content: bytes, name: str) -> dict[str, object]:
    return {**to_object(load(tiny).recognise(content)), "path": name}


def test_a_raw_file_gets_the_prediction_of_the_library(served: Served, tiny: Path) -> None:
    types = ("audio/flac", "application/octet-stream", "AUDIO/x-anything; codecs=1", "audio/x-wav", "video/webm")
    for media_type in (*types, "video/mp4", "application/mp4", "binary/octet-stream"):
        reply = served.raw("/v1/recognise?name=folder/my%20clip.flac", CLIP, Content_Type=media_type)
        assert reply.status == 200
        assert reply.headers["content-type"] == "application/json"
        assert reply.json == {"predictions": [expected_object(tiny, CLIP, "my clip.flac")], "failures": []}
    assert served.raw("/v1/recognise", CLIP).json["predictions"][0]["path"] == "audio"


def test_several_files_get_predictions_and_failures_in_order(served: Served, tiny: Path) -> None:
    reply = served.post("/v1/recognise", ("../../b.ogg", OTHER), ("bad.wav", b"not audio"), ("C:\\a.flac", CLIP))
    assert reply.status == 200
    assert reply.json["predictions"] == [expected_object(tiny, OTHER, "b.ogg"), expected_object(tiny, CLIP, "a.flac")]
    (failure,) = reply.json["failures"]
    assert (failure["index"], failure["path"], failure["code"]) == (1, "bad.wav", "invalid_audio")
    assert failure["message"].startswith("bad.wav: ")


@pytest.mark.parametrize(
    ("name", "accept", "content_type"),
    [
        ("csv", "text/csv", "text/csv; charset=utf-8"),
        ("jsonl", "application/x-ndjson;q=0.9, image/png", "application/x-ndjson"),
        ("table", "text/*", "text/plain; charset=utf-8"),
        ("parquet", "application/vnd.apache.parquet", "application/vnd.apache.parquet"),
    ],
)
def test_format_by_accept_and_by_name(served: Served, name: str, accept: str, content_type: str) -> None:
    files = (("a.flac", CLIP), ("b.ogg", OTHER))
    by_accept = served.post("/v1/recognise", *files, Accept="text/plain" if name == "table" else accept)
    by_name = served.post(f"/v1/recognise?format={name}", *files)
    assert by_accept.status == by_name.status == 200
    assert by_accept.headers["content-type"] == by_name.headers["content-type"] == content_type
    assert by_accept.content == by_name.content
    if name == "parquet":
        table = pytest.importorskip("pyarrow.parquet").read_table(io.BytesIO(by_name.content))
        assert table["path"].to_pylist() == ["a.flac", "b.ogg"]
        return
    text = by_name.content.decode()
    if name == "csv":
        assert [row["path"] for row in csv.DictReader(io.StringIO(text))] == ["a.flac", "b.ogg"]
    if name == "jsonl":
        assert [json.loads(line)["path"] for line in text.splitlines()] == ["a.flac", "b.ogg"]
    if name == "table":
        assert "a.flac" in text


def test_a_format_whose_package_is_missing_is_not_acceptable(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    reply = served.post("/v1/recognise?format=parquet", ("a.flac", CLIP))
    assert (reply.status, reply.code) == (406, "not_acceptable") and "pyarrow" in reply.json["error"]["message"]


def test_formats_without_failures_return_an_error_if_one_file_fails(served: Served) -> None:
    reply = served.post("/v1/recognise?format=csv", ("a.flac", CLIP), ("silent.wav", SILENCE))
    assert (reply.status, reply.code) == (422, "invalid_audio")
    (failure,) = reply.json["error"]["failures"]
    assert failure["path"] == "silent.wav"
    assert "silen" in failure["message"]


def test_a_file_without_sound_gets_advice(served: Served) -> None:
    turns = b"SPEAKER talk 1 0.5 3.0 <NA> <NA> anna <NA> <NA>\n"
    alone = served.post("/v1/recognise", ("talk.rttm", turns))
    assert (alone.status, alone.code) == (422, "invalid_audio")
    several = served.post("/v1/recognise", ("talk.rttm", turns), ("talk.wav", CLIP)).json["failures"]
    for message in (alone.json["error"]["message"], several[0]["message"]):
        assert message.startswith("talk.rttm: contains speaker turns (RTTM)")


@pytest.mark.parametrize(
    ("query", "headers", "body", "status", "code", "message"),
    [
        ("", {}, b"not audio at all", 422, "invalid_audio", "audio"),
        ("?name=quiet.wav", {}, SILENCE, 422, "invalid_audio", "quiet.wav: no speech"),
        ("", {}, b"", 400, "malformed_request", "empty"),
        ("", {"Content_Type": "application/json"}, b"{}", 415, "unsupported_media_type", "multipart/form-data"),
        ("", {"Content_Type": "application/x-www-form-urlencoded"}, CLIP, 415, "unsupported_media_type", "audio/wav"),
        ("", {"Content_Encoding": "gzip"}, CLIP, 415, "unsupported_media_type", "Content-Encoding"),
        ("", {"Content_Type": "multipart/form-data"}, CLIP, 400, "malformed_request", "boundary"),
        ("", {"Content_Type": form_type()}, CLIP, 400, "malformed_request", "multipart"),
        ("", {"Content_Type": form_type()}, multipart((("a", CLIP),))[:-20], 400, "malformed_request", "truncated"),
        ("", {"Content_Type": form_type()}, multipart((("a", CLIP),), "audio"), 400, "malformed_request", "'audio'"),
        ("", {"Content_Type": form_type()}, multipart((("a", CLIP),) * 4), 413, "too_large", "more than 3 files"),
        (
            "",
            {"Content_Type": form_type()},
            multipart((("a", CLIP),)).replace(b"\r\n\r\n", LONG_HEADERS),
            413,
            "too_large",
            "headers",
        ),
        ("", {}, bytes(1_000_001), 413, "too_large", "larger than 1 MB"),
        ("?format=cvs", {}, CLIP, 422, "invalid_parameter", "'csv'"),
        ("?fromat=csv", {}, CLIP, 422, "invalid_parameter", "'format'"),
        ("?name=a&name=b", {}, CLIP, 422, "invalid_parameter", "given 2 times"),
        ("", {"Accept": "image/png"}, CLIP, 406, "not_acceptable", "text/csv"),
        ("", {"Idempotency_Key": "k" * 256}, CLIP, 422, "invalid_parameter", "Idempotency-Key"),
    ],
)
def test_invalid_requests(
    served: Served, query: str, headers: dict[str, str], body: bytes, status: int, code: str, message: str
) -> None:
    reply = served.raw(f"/v1/recognise{query}", body, **headers)
    assert (reply.status, reply.code) == (status, code)
    assert reply.json["error"]["status"] == status
    assert message in reply.json["error"]["message"]
    assert served.ask("GET", "/ready").status == 200


def test_a_decompression_bomb_is_rejected_before_it_is_decoded(served: Served) -> None:
    bomb = encoded(np.zeros(8 * 3600 * 8000, np.int16), 8000, "FLAC")
    assert len(bomb) < 1_000_000
    begin_s = time.perf_counter()
    reply = served.raw("/v1/recognise?name=bomb.flac", bomb)
    assert (reply.status, reply.code) == (422, "invalid_audio")
    assert "more than 20 s" in reply.json["error"]["message"]
    assert time.perf_counter() - begin_s < 5


def test_a_body_without_content_length_is_limited(served: Served) -> None:
    reply = served.ask("POST", "/v1/recognise", (bytes(100_000) for _ in range(11)), Content_Type="audio/wav")
    assert (reply.status, reply.code) == (413, "too_large")


def test_an_incomplete_body_times_out(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), 30) as slow:
        slow.sendall(b"POST /v1/recognise HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc")
        assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_the_same_idempotency_key_gets_the_stored_response(served: Served) -> None:
    first = served.raw("/v1/recognise", CLIP, Idempotency_Key="one")
    again = served.raw("/v1/recognise", CLIP, Idempotency_Key="one")
    assert first.status == again.status == 200
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    other = served.raw("/v1/recognise", OTHER, Idempotency_Key="one")
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert served.raw("/v1/recognise?format=csv", CLIP, Idempotency_Key="one").code == "idempotency_key_reused"
    assert "idempotency-replayed" not in served.raw("/v1/recognise", OTHER, Idempotency_Key="two").headers


def test_concurrent_retries_wait_for_the_first_response(faulty: Served) -> None:
    replies = []

    def ask() -> None:
        replies.append(faulty.raw("/v1/recognise", b"sleeps0.3", Idempotency_Key="both"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reply.status for reply in replies] == [200] * 4
    assert sum("idempotency-replayed" in reply.headers for reply in replies) == 3


def test_errors_are_not_stored_under_a_key(faulty: Served, tmp_path: Path) -> None:
    assert faulty.raw("/v1/recognise", b"rejects", Idempotency_Key="error").status == 422
    again = faulty.raw("/v1/recognise", b"rejects", Idempotency_Key="error")
    assert (again.status, again.code) == (422, "invalid_audio")


def test_a_decoder_that_crashes_or_hangs_fails_one_request(faulty: Served) -> None:
    deaths = faulty.backend.pool.deaths
    reply = faulty.raw("/v1/recognise?name=bad.wav", b"dies")
    assert (reply.status, reply.code) == (422, "invalid_audio")
    assert reply.json["error"]["message"].startswith("bad.wav: crashes the decoder")
    reply = faulty.raw("/v1/recognise?name=slow.wav", b"sleeps60")
    assert (reply.status, reply.code) == (422, "invalid_audio")
    assert "1 s" in reply.json["error"]["message"]
    assert faulty.raw("/v1/recognise", b"well").json["predictions"][0]["emotion"] == "happy"
    assert faulty.backend.pool.deaths == deaths + 3
    reply = faulty.post("/v1/recognise", ("a", b"well"), ("b", b"dies"), ("c", b"rejects"), ("d", b"well"))
    assert [prediction["path"] for prediction in reply.json["predictions"]] == ["a", "d"]
    assert [failure["path"] for failure in reply.json["failures"]] == ["b", "c"]


def test_overload_is_rejected_with_retry_after(faulty: Served) -> None:
    replies = []

    def ask() -> None:
        replies.append(faulty.raw("/v1/recognise", b"sleeps0.5"))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted({reply.status for reply in replies}) == [200, 503]
    assert sum(reply.status == 200 for reply in replies) >= 3, "one running and two queued"
    for reply in replies:
        if reply.status == 503:
            assert reply.code == "overloaded"
            assert int(reply.headers["retry-after"]) >= 1
    assert faulty.raw("/v1/recognise", b"well").status == 200


class FullDiskFile(io.FileIO):
    """A file on a disk with limited space."""

    free_bytes = 0

    def write(self, content: Any) -> int:
        if self.tell() + len(content) > self.free_bytes:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(content)


@pytest.mark.parametrize("free_bytes", [0, 1_040_000, 1_150_000, 1_199_999])
def test_a_full_disk_is_reported_as_overload(
    faulty: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free_bytes: int
) -> None:
    """Also if the disk is full only when the last part is flushed, or when the file is closed."""
    monkeypatch.setattr(FullDiskFile, "free_bytes", free_bytes)
    monkeypatch.setattr(
        tempfile, "TemporaryFile", lambda *_, **__: io.BufferedRandom(FullDiskFile(tmp_path / "body", "w+"))
    )
    content = bytes(1_200_000)
    for reply in (faulty.raw("/v1/recognise", content), faulty.post("/v1/recognise", ("a", content))):
        assert (reply.status, reply.code) == (503, "overloaded")
        assert int(reply.headers["retry-after"]) >= 1


def test_the_memory_limit_holds_for_all_files_together() -> None:
    reader = MultipartReader(form_type(), {"file": 16})
    reader.write(multipart(tuple((f"{number}.wav", bytes(900_000)) for number in range(16))))
    files = reader.finish()
    assert [len(upload.content()) for upload in files] == [900_000] * 16
    assert sum(not upload.file._rolled for upload in files) == 1  # type: ignore[attr-defined]
    reader.close()
