"""POST /v1/recognise gives what the library gives, and says what is wrong with what it cannot take."""

import csv
import errno
import io
import json
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audio_files import encoded
from serving import Served, form_type, multipart
from sounds import RATE_HZ, silence, voice

from overtone.formats.json import to_object
from overtone.inference.recogniser import load
from overtone.service.api.multipart import MultipartReader

CLIP = encoded(voice(180, 1.0), RATE_HZ, "FLAC")
OTHER = encoded(voice(120, 1.5, level=0.3), 44_100, "OGG", "VORBIS")
HEADERS = b"".join(b"\r\nX-%d: %s" % (number, b"a" * 3000) for number in range(3)) + b"\r\n\r\n"
SILENCE = encoded(silence(1.0), RATE_HZ)


def expected(tiny: Path, content: bytes, name: str) -> dict[str, object]:
    return {**to_object(load(tiny).recognise(content)), "path": name}


def test_a_file_as_it_is_gets_the_answer_of_the_library(served: Served, tiny: Path) -> None:
    for kind in ("audio/flac", "application/octet-stream", "AUDIO/x-whatever; codecs=1"):
        reply = served.raw("/v1/recognise?name=folder/my%20clip.flac", CLIP, Content_Type=kind)
        assert reply.status == 200
        assert reply.headers["content-type"] == "application/json"
        assert reply.json == {"answers": [expected(tiny, CLIP, "my clip.flac")], "failures": []}
    assert served.raw("/v1/recognise", CLIP).json["answers"][0]["path"] == "sound"


def test_several_files_get_answers_and_failures_in_their_order(served: Served, tiny: Path) -> None:
    reply = served.post("/v1/recognise", ("../../b.ogg", OTHER), ("bad.wav", b"no sound"), ("C:\\a.flac", CLIP))
    assert reply.status == 200
    assert reply.json["answers"] == [expected(tiny, OTHER, "b.ogg"), expected(tiny, CLIP, "a.flac")]
    (failure,) = reply.json["failures"]
    assert (failure["number"], failure["path"], failure["code"]) == (1, "bad.wav", "invalid_audio")
    assert failure["message"].startswith("bad.wav: not a sound")


@pytest.mark.parametrize(
    ("form", "accept", "kind"),
    [
        ("csv", "text/csv", "text/csv; charset=utf-8"),
        ("jsonl", "application/x-ndjson;q=0.9, image/png", "application/x-ndjson"),
        ("table", "text/*", "text/plain; charset=utf-8"),
    ],
)
def test_forms_by_accept_and_by_name(served: Served, form: str, accept: str, kind: str) -> None:
    files = (("a.flac", CLIP), ("b.ogg", OTHER))
    by_accept = served.post("/v1/recognise", *files, Accept="text/plain" if form == "table" else accept)
    by_name = served.post(f"/v1/recognise?format={form}", *files)
    assert by_accept.status == by_name.status == 200
    assert by_accept.headers["content-type"] == by_name.headers["content-type"] == kind
    assert by_accept.content == by_name.content
    text = by_name.content.decode()
    if form == "csv":
        assert [row["path"] for row in csv.DictReader(io.StringIO(text))] == ["a.flac", "b.ogg"]
    if form == "jsonl":
        assert [json.loads(line)["path"] for line in text.splitlines()] == ["a.flac", "b.ogg"]
    if form == "table":
        assert "a.flac" in text


def test_a_form_without_place_for_failures_is_not_given_with_one(served: Served) -> None:
    reply = served.post("/v1/recognise?format=csv", ("a.flac", CLIP), ("silent.wav", SILENCE))
    assert (reply.status, reply.code) == (422, "invalid_audio")
    (failure,) = reply.json["error"]["failures"]
    assert failure["path"] == "silent.wav"
    assert "nothing but silence" in failure["message"]


@pytest.mark.parametrize(
    ("query", "headers", "body", "status", "code", "says"),
    [
        ("", {}, b"no sound at all", 422, "invalid_audio", "not a sound that can be read"),
        ("?name=quiet.wav", {}, SILENCE, 422, "invalid_audio", "quiet.wav: no speech"),
        ("", {}, b"", 400, "malformed", "empty"),
        ("", {"Content_Type": "application/json"}, b"{}", 415, "unsupported_media_type", "multipart/form-data"),
        ("", {"Content_Type": "application/x-www-form-urlencoded"}, CLIP, 415, "unsupported_media_type", "audio/wav"),
        ("", {"Content_Encoding": "gzip"}, CLIP, 415, "unsupported_media_type", "Content-Encoding"),
        ("", {"Content_Type": "multipart/form-data"}, CLIP, 400, "malformed", "boundary"),
        ("", {"Content_Type": form_type()}, CLIP, 400, "malformed", "no multipart"),
        ("", {"Content_Type": form_type()}, multipart((("a", CLIP),))[:-20], 400, "malformed", "cut short"),
        ("", {"Content_Type": form_type()}, multipart((("a", CLIP),), "sound"), 400, "malformed", "'sound'"),
        ("", {"Content_Type": form_type()}, multipart((("a", CLIP),) * 4), 413, "too_large", "more than 3 files"),
        (
            "",
            {"Content_Type": form_type()},
            multipart((("a", CLIP),)).replace(b"\r\n\r\n", HEADERS),
            413,
            "too_large",
            "headers",
        ),
        ("", {}, bytes(1_000_001), 413, "too_large", "larger than 1 MB"),
        ("?format=cvs", {}, CLIP, 422, "invalid_parameter", "did you mean 'csv'"),
        ("?froms=csv", {}, CLIP, 422, "invalid_parameter", "did you mean 'form'"),
        ("?name=a&name=b", {}, CLIP, 422, "invalid_parameter", "given 2 times"),
        ("", {"Accept": "image/png"}, CLIP, 406, "not_acceptable", "text/csv"),
        ("", {"Idempotency_Key": "k" * 256}, CLIP, 422, "invalid_parameter", "Idempotency-Key"),
    ],
)
def test_what_cannot_be_taken_is_told(
    served: Served, query: str, headers: dict[str, str], body: bytes, status: int, code: str, says: str
) -> None:
    reply = served.raw(f"/v1/recognise{query}", body, **headers)
    assert (reply.status, reply.code) == (status, code)
    assert reply.json["error"]["status"] == status
    assert says in reply.json["error"]["message"]
    assert served.ask("GET", "/ready").status == 200


def test_a_bomb_is_refused_before_it_is_decoded(served: Served) -> None:
    bomb = encoded(np.zeros(8 * 3600 * 8000, np.int16), 8000, "FLAC")
    assert len(bomb) < 1_000_000
    begin_s = time.perf_counter()
    reply = served.raw("/v1/recognise?name=bomb.flac", bomb)
    assert (reply.status, reply.code) == (422, "invalid_audio")
    assert "more than 20 s" in reply.json["error"]["message"]
    assert time.perf_counter() - begin_s < 5


def test_a_body_that_does_not_say_its_size_is_counted(served: Served) -> None:
    reply = served.ask("POST", "/v1/recognise", (bytes(100_000) for _ in range(11)), Content_Type="audio/wav")
    assert (reply.status, reply.code) == (413, "too_large")


def test_a_body_that_never_comes_is_not_waited_for(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), 30) as slow:
        slow.sendall(b"POST /v1/recognise HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc")
        assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_the_same_key_gives_the_first_answer(served: Served) -> None:
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


def test_a_retry_that_overtakes_waits_for_the_first_answer(odd: Served) -> None:
    replies = []

    def ask() -> None:
        replies.append(odd.raw("/v1/recognise", b"sleeps0.3", Idempotency_Key="both"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reply.status for reply in replies] == [200] * 4
    assert sum("idempotency-replayed" in reply.headers for reply in replies) == 3


def test_a_failure_is_not_kept_under_a_key(odd: Served, tmp_path: Path) -> None:
    assert odd.raw("/v1/recognise", b"refuses", Idempotency_Key="failed").status == 422
    again = odd.raw("/v1/recognise", b"refuses", Idempotency_Key="failed")
    assert (again.status, again.code) == (422, "invalid_audio")


def test_a_decoder_that_dies_or_hangs_costs_its_request(odd: Served) -> None:
    deaths = odd.house.pool.deaths
    reply = odd.raw("/v1/recognise?name=bad.wav", b"dies")
    assert (reply.status, reply.code) == (422, "invalid_audio")
    assert reply.json["error"]["message"].startswith("bad.wav: crashes the decoder")
    reply = odd.raw("/v1/recognise?name=slow.wav", b"sleeps60")
    assert (reply.status, reply.code) == (422, "invalid_audio")
    assert "takes longer than 1 s" in reply.json["error"]["message"]
    assert odd.raw("/v1/recognise", b"well").json["answers"][0]["emotion"] == "happy"
    assert odd.house.pool.deaths == deaths + 3
    reply = odd.post("/v1/recognise", ("a", b"well"), ("b", b"dies"), ("c", b"refuses"), ("d", b"well"))
    assert [answer["path"] for answer in reply.json["answers"]] == ["a", "d"]
    assert [failure["path"] for failure in reply.json["failures"]] == ["b", "c"]


def test_what_is_too_much_is_refused_with_a_time_to_come_back(odd: Served) -> None:
    replies = []

    def ask() -> None:
        replies.append(odd.raw("/v1/recognise", b"sleeps0.5"))

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted({reply.status for reply in replies}) == [200, 503]
    assert sum(reply.status == 200 for reply in replies) >= 3, "one at work and two that wait"
    for reply in replies:
        if reply.status == 503:
            assert reply.code == "busy"
            assert int(reply.headers["retry-after"]) >= 1
    assert odd.raw("/v1/recognise", b"well").status == 200


class FullAt(io.FileIO):
    """A file on a disk that has room for so much of it."""

    room_bytes = 0

    def write(self, content: Any) -> int:
        if self.tell() + len(content) > self.room_bytes:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(content)


@pytest.mark.parametrize("room_bytes", [0, 1_040_000, 1_150_000, 1_199_999])
def test_a_disk_that_is_full_is_a_reason_to_come_back(
    odd: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, room_bytes: int
) -> None:
    """Also where it is found out only as the last of the body is written, or as the file is closed."""
    monkeypatch.setattr(FullAt, "room_bytes", room_bytes)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda *_, **__: io.BufferedRandom(FullAt(tmp_path / "body", "w+")))
    content = bytes(1_200_000)
    for reply in (odd.raw("/v1/recognise", content), odd.post("/v1/recognise", ("a", content))):
        assert (reply.status, reply.code) == (503, "busy")
        assert int(reply.headers["retry-after"]) >= 1


def test_many_small_files_take_no_more_memory_than_one() -> None:
    parts = MultipartReader(form_type(), ("file",), 16)
    parts.write(multipart(tuple((f"{number}.wav", bytes(900_000)) for number in range(16))))
    files = parts.finish()
    assert [len(one.content()) for one in files] == [900_000] * 16
    assert sum(not one.file._rolled for one in files) == 1  # type: ignore[attr-defined]
    parts.close()
