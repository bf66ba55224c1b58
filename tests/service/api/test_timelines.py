"""Timeline jobs: they return the timeline of the library in every format, and survive restarts and full disks."""

import io
import json
import sqlite3
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audio_files import encoded
from serving import BOUNDARY, Reply, Served, form_type, serving
from synthetic_audio import RATE_HZ, speech_like

from overtone.formats import TIMELINE_FORMATS, timeline_json, write_timeline
from overtone.inference.recogniser import load
from overtone.service import job_runner
from overtone.service.api import timelines
from overtone.service.api.auth import ApiKeys, hash_key
from overtone.service.job_store import MAX_ATTEMPTS
from overtone.service.settings import Settings
from overtone.timeline import Segment, Timeline

SPEECH = encoded(speech_like(np.random.default_rng(5), 8.0), RATE_HZ, "FLAC")
TURNS = b"SPEAKER talk 1 0.5 3.0 <NA> <NA> anna <NA> <NA>\nSPEAKER talk 1 4.0 2.0 <NA> <NA> ben <NA> <NA>\n"


def wait_until_finished(served: Served, reply: Reply, **headers: str) -> dict[str, Any]:
    """Wait until the job of a reply is done or has failed; return it."""
    assert reply.status == 202, reply.content
    assert reply.headers["location"] == f"/v1/jobs/{reply.json['id']}"
    until_s = time.monotonic() + 60
    while time.monotonic() < until_s:
        job = served.ask("GET", reply.headers["location"], **headers).json
        if job["state"] in ("done", "failed"):
            return job
        time.sleep(0.05)
    raise AssertionError(f"not finished: {job}")


def to_object(timeline: Timeline) -> Any:
    text = io.StringIO()
    timeline_json.write(timeline, text)
    return json.loads(text.getvalue())


def renamed(timeline: Timeline, name: str) -> Any:
    return {**to_object(timeline), "path": name}


def test_a_job_returns_the_timeline_of_the_library(served: Served, tiny: Path) -> None:
    job = wait_until_finished(served, served.raw("/v1/timeline?name=a/talk.flac", SPEECH, Content_Type="audio/flac"))
    assert (job["state"], job["name"], job["error"]) == ("done", "talk.flac", "")
    assert job["processed_s"] == job["duration_s"] == 8.0
    assert job["finished_s"] >= job["created_s"]
    reply = served.ask("GET", job["timeline"])
    assert reply.headers["content-type"] == "application/json"
    assert reply.json == renamed(load(tiny).timeline(SPEECH), "talk.flac")
    assert not list(served.backend.spool.iterdir()), "uploads are deleted"


def test_a_timeline_in_every_format(served: Served, tiny: Path) -> None:
    job = wait_until_finished(served, served.post("/v1/timeline", ("talk.flac", SPEECH)))
    timeline = load(tiny).timeline(SPEECH)
    for name in sorted(TIMELINE_FORMATS.keys() - {"svg"}):  # as slow as png
        reply = served.ask("GET", f"{job['timeline']}?format={name}")
        assert reply.status == 200, name
        if name not in ("png", "html"):
            accepted = served.ask("GET", job["timeline"], Accept=reply.headers["content-type"].split(";")[0])
            assert accepted.content == reply.content, name
        if name in (
            "table",
            "csv",
            "textgrid",
            "audacity",
            "webvtt",
            "srt",
        ):  # without the path of the recording, or as text
            content = io.BytesIO()
            stream = io.TextIOWrapper(content, "utf-8", newline="")
            write_timeline(replace(timeline, source="talk.flac"), stream, name)
            stream.flush()
            assert reply.content == content.getvalue(), name
    assert served.ask("GET", job["timeline"], Accept="video/mp4").code == "not_acceptable"
    assert served.ask("GET", f"{job['timeline']}?format=elna").code == "invalid_parameter"


def test_each_turn_is_a_segment(served: Served, tiny: Path) -> None:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n'
    body = (head % ("turns", "t.RTTM")).encode() + TURNS + b"\r\n"
    body += (head % ("file", "talk.flac")).encode() + SPEECH + f"\r\n--{BOUNDARY}--\r\n".encode()
    job = wait_until_finished(served, served.ask("POST", "/v1/timeline", body, Content_Type=form_type()))
    turns = [Segment(0.5, 3.5, speaker="anna"), Segment(4.0, 6.0, speaker="ben")]
    assert served.ask("GET", job["timeline"]).json == renamed(load(tiny).timeline(SPEECH, turns=turns), "talk.flac")
    bad = served.ask("POST", "/v1/timeline", body.replace(b"t.RTTM", b"t.doc"), Content_Type=form_type())
    assert bad.code == "unsupported_media_type"
    broken = served.ask("POST", "/v1/timeline", body.replace(b"3.0", b"xyz"), Content_Type=form_type())
    failed = wait_until_finished(served, broken)
    assert failed["state"] == "failed"
    assert str(served.backend.spool) not in failed["error"]
    twice = served.post("/v1/timeline", ("a", SPEECH), ("b", SPEECH))
    assert (twice.status, twice.code) == (400, "malformed_request")


def test_turns_keep_their_words_and_are_refused_if_they_do_not_fit(served: Served) -> None:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n'

    def post_turns(end_s: float) -> dict[str, Any]:
        turns = {"segments": [{"start": 0.5, "end": end_s, "text": " well, <b>yes</b>", "speaker": "SPEAKER_00"}]}
        body = (head % ("turns", "t.json")).encode() + json.dumps(turns).encode() + b"\r\n"
        body += (head % ("file", "talk.flac")).encode() + SPEECH + f"\r\n--{BOUNDARY}--\r\n".encode()
        return wait_until_finished(served, served.ask("POST", "/v1/timeline", body, Content_Type=form_type()))

    job = post_turns(3.5)
    for name, text in (
        ("json", '"text": "well, <b>yes</b>"'),
        ("html", "well, &lt;b&gt;yes&lt;/b&gt;"),
        ("webvtt", "well, &lt;b&gt;yes&lt;/b&gt;"),
        ("whisperx", '"text": "well, <b>yes</b>", "speaker": "SPEAKER_00", "emotion": {"label": '),
    ):
        assert text in served.ask("GET", f"{job['timeline']}?format={name}").content.decode(), name
    failed = post_turns(60)
    assert failed["state"] == "failed"
    assert "turn 1: the turn from 0.5 to 60 s is beyond the end of talk.flac at 8.000 s" in failed["error"]


def test_overlapping_turns_are_limited(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each turn is recognised separately: many turns over the whole recording would take too long."""

    def post_turns(turns: int) -> Reply:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n'
        body = (head % ("turns", "t.csv")).encode() + b"start_s,end_s\n" + b"0,8\n" * turns + b"\r\n"
        body += (head % ("file", "talk.flac")).encode() + SPEECH + f"\r\n--{BOUNDARY}--\r\n".encode()
        return served.ask("POST", "/v1/timeline", body, Content_Type=form_type())

    assert wait_until_finished(served, post_turns(16))["state"] == "done"
    job = wait_until_finished(served, post_turns(17))
    assert job["state"] == "failed"
    assert job["error"].startswith("talk.flac: more than 16 turns at the same time")
    monkeypatch.setattr(timelines, "MAX_TURNS_BYTES", 20)
    assert (post_turns(2).status, post_turns(2).code) == (413, "too_large")


def test_an_error_names_the_file_of_the_client(served: Served) -> None:
    job = wait_until_finished(served, served.post("/v1/timeline", ("../x/talk.wav", b"not audio")))
    assert job["state"] == "failed"
    assert job["error"].startswith("talk.wav: ")
    reply = served.ask("GET", job["timeline"])
    assert (reply.status, reply.code) == (422, "invalid_audio")
    long = encoded(np.zeros(101 * 8000, np.int16), 8000, "FLAC")
    assert "more than 100 s" in wait_until_finished(served, served.raw("/v1/timeline", long))["error"]


def test_a_job_can_be_deleted(served: Served) -> None:
    job = wait_until_finished(served, served.raw("/v1/timeline", SPEECH))
    assert served.ask("DELETE", f"/v1/jobs/{job['id']}").status == 204
    for method, path in (("GET", ""), ("GET", "/timeline"), ("DELETE", "")):
        assert served.ask(method, f"/v1/jobs/{job['id']}{path}").code == "not_found"
    assert served.ask("GET", "/v1/jobs/..%2f..%2fetc").code == "not_found"


def test_the_same_idempotency_key_returns_the_same_job(served: Served) -> None:
    first = served.raw("/v1/timeline", SPEECH, Idempotency_Key="talk")
    again = served.raw("/v1/timeline", SPEECH, Idempotency_Key="talk")
    assert again.json["id"] == first.json["id"]
    assert again.headers["idempotency-replayed"] == "true"
    assert served.raw("/v1/timeline", SPEECH[:-1], Idempotency_Key="talk").code == "idempotency_key_reused"
    assert served.raw("/v1/timeline", SPEECH).json["id"] != first.json["id"]
    wait_until_finished(served, first)


def test_jobs_resume_after_a_restart(tiny: Path, tmp_path: Path) -> None:
    settings = Settings(tmp_path, str(tiny), workers=1, shutdown_grace_s=1.0, max_jobs=3)
    keys = ApiKeys({"anna": hash_key("a"), "ben": hash_key("b")})
    anna, ben = {"Authorization": "Bearer a"}, {"X_API_Key": "b"}
    with serving(settings, keys=keys) as served:
        served.backend.runner.stop()  # so that the jobs stay queued
        replies = [served.raw("/v1/timeline", SPEECH, **anna) for _ in range(4)]
        assert [reply.status for reply in replies] == [202, 202, 202, 503]
        assert int(replies[-1].headers["retry-after"]) > 1
        assert served.ask("GET", replies[0].headers["location"], **anna).json["state"] == "queued"
        reply = served.ask("GET", replies[0].json["timeline"], **anna)
        assert (reply.status, reply.code, reply.headers["retry-after"]) == (409, "job_not_finished", "1")
    (tmp_path / "spool" / "left-behind").write_text("by a killed service")
    with serving(settings._replace(max_jobs_per_key=0), keys=keys) as served:
        for reply in replies[:3]:
            assert wait_until_finished(served, reply, **anna)["state"] == "done"
            assert served.ask("GET", reply.headers["location"], **ben).code == "not_found", "the job of another owner"
        assert not list(served.backend.spool.iterdir())
        too_many = served.raw("/v1/timeline", SPEECH, **anna)
        assert (too_many.status, too_many.code) == (429, "too_many_jobs")
        assert int(too_many.headers["retry-after"]) > 1


def test_deleting_a_running_job_stops_it(tmp_path: Path, tiny: Path) -> None:
    talk = encoded(np.tile(speech_like(np.random.default_rng(5), 8.0), 100), RATE_HZ)
    settings = Settings(tmp_path, str(tiny), workers=1, shutdown_grace_s=0.5)
    with serving(settings) as served:
        reply = served.raw("/v1/timeline", talk)
        other = served.raw("/v1/timeline", SPEECH)
        while (job := served.ask("GET", reply.headers["location"]).json)["processed_s"] == 0:
            assert job["state"] in ("queued", "running")
            time.sleep(0.05)
        assert 0 < job["processed_s"] < job["duration_s"] == 800
        assert served.ask("DELETE", reply.headers["location"]).status == 204
        assert wait_until_finished(served, other)["state"] == "done"


def test_a_job_that_crashes_the_worker_fails(faulty: Served) -> None:
    job = wait_until_finished(faulty, faulty.raw("/v1/timeline?name=bomb", b"dies"))
    assert job["state"] == "failed"
    assert job["error"].startswith("bomb: crashes the decoder")
    assert wait_until_finished(faulty, faulty.raw("/v1/timeline", b"well"))["state"] == "done"


def test_a_store_error_does_not_stop_the_runner(faulty: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = faulty.backend.store.finish
    calls: list[str] = []

    def full(job_id: str, result: bytes, duration_s: float) -> bool:
        calls.append(job_id)
        if len(calls) == 1:
            raise sqlite3.OperationalError("database or disk is full")
        return finish(job_id, result, duration_s)

    monkeypatch.setattr(job_runner, "RETRY_DELAY_S", 0.05)
    monkeypatch.setattr(faulty.backend.store, "finish", full)
    job = wait_until_finished(faulty, faulty.raw("/v1/timeline", b"well"))
    assert job["state"] == "done"
    assert len(calls) == 2


def test_a_full_disk_loses_no_job(faulty: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if more writes fail than a job has attempts."""
    store, failures = faulty.backend.store, FailingStore(4 * MAX_ATTEMPTS)
    monkeypatch.setattr(job_runner, "RETRY_DELAY_S", 0.01)
    for name in ("claim", "finish", "requeue"):
        monkeypatch.setattr(store, name, failures.wrap(getattr(store, name)))
    assert wait_until_finished(faulty, faulty.raw("/v1/timeline", b"well"))["state"] == "done"
    assert failures.left == 0


class FailingStore:
    """Makes every second call of a method fail, until a number of calls is reached."""

    def __init__(self, times: int) -> None:
        self.left = times

    def wrap(self, method: Any) -> Any:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            if self.left:
                self.left -= 1
                if self.left % 2:
                    raise sqlite3.OperationalError("database or disk is full")
            return method(*arguments, **options)

        return wrapped


def full_store(*_: Any) -> None:
    raise sqlite3.OperationalError("database or disk is full")


@pytest.mark.parametrize("name", ["add", "stored_response", "delete", "store_response"])
def test_a_store_error_is_reported_as_overload(faulty: Served, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    job = wait_until_finished(faulty, faulty.raw("/v1/timeline", b"well"))
    monkeypatch.setattr(faulty.backend.store, name, full_store)
    reply = {
        "add": lambda: faulty.raw("/v1/timeline", b"well"),
        "stored_response": lambda: faulty.raw("/v1/timeline", b"well", Idempotency_Key="f"),
        "delete": lambda: faulty.ask("DELETE", f"/v1/jobs/{job['id']}"),
        "store_response": lambda: faulty.raw("/v1/recognise", b"well", Idempotency_Key="k"),
    }[name]()
    assert (reply.status, reply.code) == (503, "overloaded")
    assert int(reply.headers["retry-after"]) >= 1
    assert not list(faulty.backend.spool.iterdir()), "the uploads of a rejected request are deleted"


@pytest.mark.parametrize("name", ["here.flac", "%E5%A3%B0" * 255])
def test_a_file_name_of_the_client_is_never_a_local_path(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.flac").touch()
    with serving(Settings(tmp_path / "data", str(tiny), workers=1)) as served:
        job = wait_until_finished(served, served.raw(f"/v1/timeline?name={name}", SPEECH))
        reply = served.ask("GET", f"{job['timeline']}?format=elan")
        assert reply.status == 200, reply.content
        assert str(tmp_path).encode() not in reply.content
        assert served.backend.pool.deaths == 0


@pytest.mark.parametrize("path", ["/v1/timeline", "/v1/recognise"])
def test_uploads_are_not_written_under_the_name_of_the_client(served: Served, path: str) -> None:
    served.post(path, ("../../../../tmp/overtone-was-here.flac", SPEECH))
    assert not Path("/tmp/overtone-was-here.flac").exists()
