"""A recording becomes a job, and the job the timeline of the library, in every form; whatever happens in between."""

import io
import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audio_files import encoded
from serving import BOUNDARY, Reply, Served, form_type, serving
from sounds import RATE_HZ, speech_like

from overtone.formats import TIMELINE_FORMATS, timeline_json, write_timeline
from overtone.inference.recogniser import load
from overtone.service import job_runner
from overtone.service.api import timelines
from overtone.service.api.auth import ApiKeys, hash_key
from overtone.service.job_store import MAX_STARTS
from overtone.service.settings import Settings
from overtone.timeline import Segment, Timeline

SPEECH = encoded(speech_like(np.random.default_rng(5), 8.0), RATE_HZ, "FLAC")
TURNS = b"SPEAKER talk 1 0.5 3.0 <NA> <NA> anna <NA> <NA>\nSPEAKER talk 1 4.0 2.0 <NA> <NA> ben <NA> <NA>\n"


def finished(served: Served, reply: Reply, **headers: str) -> dict[str, Any]:
    """The job of a reply, once it is done or has failed."""
    assert reply.status == 202, reply.content
    assert reply.headers["location"] == f"/v1/jobs/{reply.json['id']}"
    until_s = time.monotonic() + 60
    while time.monotonic() < until_s:
        job = served.ask("GET", reply.headers["location"], **headers).json
        if job["state"] in ("done", "failed"):
            return job
        time.sleep(0.05)
    raise AssertionError(f"still {job}")


def as_json(timeline: Timeline) -> Any:
    text = io.StringIO()
    timeline_json.write(timeline, text)
    return json.loads(text.getvalue())


def named(timeline: Timeline, name: str) -> Any:
    return {**as_json(timeline), "path": name}


def test_a_job_gives_the_timeline_of_the_library(served: Served, tiny: Path) -> None:
    job = finished(served, served.raw("/v1/timeline?name=a/talk.flac", SPEECH, Content_Type="audio/flac"))
    assert (job["state"], job["name"], job["error"]) == ("done", "talk.flac", "")
    assert job["processed_s"] == job["duration_s"] == 8.0
    assert job["finished_s"] >= job["created_s"]
    reply = served.ask("GET", job["timeline"])
    assert reply.headers["content-type"] == "application/json"
    assert reply.json == named(load(tiny).timeline(SPEECH), "talk.flac")
    assert not list(served.house.spool.iterdir()), "uploads are deleted"


def test_a_timeline_in_every_form(served: Served, tiny: Path) -> None:
    job = finished(served, served.post("/v1/timeline", ("talk.flac", SPEECH)))
    timeline = load(tiny).timeline(SPEECH)
    for form in sorted(TIMELINE_FORMATS.keys() - {"svg"}):  # it takes as long as png
        reply = served.ask("GET", f"{job['timeline']}?format={form}")
        assert reply.status == 200, form
        if form not in ("png", "html"):
            accepted = served.ask("GET", job["timeline"], Accept=reply.headers["content-type"].split(";")[0])
            assert accepted.content == reply.content, form
        if form in ("table", "csv", "textgrid", "audacity", "webvtt"):  # these do not name the recording, or not alone
            content = io.BytesIO()
            stream = io.TextIOWrapper(content, "utf-8", newline="")
            write_timeline(timeline, stream, form)
            stream.flush()
            ours = content.getvalue().replace(timeline.source.encode(), b"talk.flac")
            assert reply.content == ours, form
    assert served.ask("GET", job["timeline"], Accept="video/mp4").code == "not_acceptable"
    assert served.ask("GET", f"{job['timeline']}?format=elen").code == "invalid_parameter"


def test_turns_get_an_answer_each(served: Served, tiny: Path) -> None:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n'
    body = (head % ("turns", "t.RTTM")).encode() + TURNS + b"\r\n"
    body += (head % ("file", "talk.flac")).encode() + SPEECH + f"\r\n--{BOUNDARY}--\r\n".encode()
    job = finished(served, served.ask("POST", "/v1/timeline", body, Content_Type=form_type()))
    turns = [Segment(0.5, 3.5, speaker="anna"), Segment(4.0, 6.0, speaker="ben")]
    assert served.ask("GET", job["timeline"]).json == named(load(tiny).timeline(SPEECH, segments=turns), "talk.flac")
    bad = served.ask("POST", "/v1/timeline", body.replace(b"t.RTTM", b"t.doc"), Content_Type=form_type())
    assert bad.code == "unsupported_media_type"
    broken = served.ask("POST", "/v1/timeline", body.replace(b"3.0", b"xyz"), Content_Type=form_type())
    failed = finished(served, broken)
    assert failed["state"] == "failed"
    assert str(served.house.spool) not in failed["error"]
    twice = served.post("/v1/timeline", ("a", SPEECH), ("b", SPEECH))
    assert (twice.status, twice.code) == (400, "malformed")


def test_turns_are_no_way_round_the_limits(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each turn is heard by itself: many of the whole recording would take for ever."""

    def asked(turns: int) -> Reply:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n'
        body = (head % ("turns", "t.csv")).encode() + b"start_s,end_s\n" + b"0,8\n" * turns + b"\r\n"
        body += (head % ("file", "talk.flac")).encode() + SPEECH + f"\r\n--{BOUNDARY}--\r\n".encode()
        return served.ask("POST", "/v1/timeline", body, Content_Type=form_type())

    assert finished(served, asked(16))["state"] == "done"
    job = finished(served, asked(17))
    assert job["state"] == "failed"
    assert job["error"].startswith("talk.flac: more than 16 turns at the same time")
    monkeypatch.setattr(timelines, "TURNS_BYTES", 20)
    assert (asked(2).status, asked(2).code) == (413, "too_large")


def test_what_cannot_be_heard_fails_under_its_own_name(served: Served) -> None:
    job = finished(served, served.post("/v1/timeline", ("../x/talk.wav", b"no sound")))
    assert job["state"] == "failed"
    assert job["error"].startswith("talk.wav: not a sound that can be read")
    reply = served.ask("GET", job["timeline"])
    assert (reply.status, reply.code) == (422, "invalid_audio")
    long = encoded(np.zeros(101 * 8000, np.int16), 8000, "FLAC")
    assert "more than 100 s" in finished(served, served.raw("/v1/timeline", long))["error"]


def test_a_job_can_be_deleted(served: Served) -> None:
    job = finished(served, served.raw("/v1/timeline", SPEECH))
    assert served.ask("DELETE", f"/v1/jobs/{job['id']}").status == 204
    for method, path in (("GET", ""), ("GET", "/timeline"), ("DELETE", "")):
        assert served.ask(method, f"/v1/jobs/{job['id']}{path}").code == "not_found"
    assert served.ask("GET", "/v1/jobs/..%2f..%2fetc").code == "not_found"


def test_the_same_key_gives_the_same_job(served: Served) -> None:
    first = served.raw("/v1/timeline", SPEECH, Idempotency_Key="talk")
    again = served.raw("/v1/timeline", SPEECH, Idempotency_Key="talk")
    assert again.json["id"] == first.json["id"]
    assert again.headers["idempotency-replayed"] == "true"
    assert served.raw("/v1/timeline", SPEECH[:-1], Idempotency_Key="talk").code == "idempotency_key_reused"
    assert served.raw("/v1/timeline", SPEECH).json["id"] != first.json["id"]
    finished(served, first)


def test_jobs_go_on_when_the_service_comes_back(tiny: Path, tmp_path: Path) -> None:
    settings = Settings(tmp_path, str(tiny), workers=1, grace_s=1.0, jobs=3)
    keys = ApiKeys({"anna": hash_key("a"), "ben": hash_key("b")})
    anna, ben = {"Authorization": "Bearer a"}, {"X_API_Key": "b"}
    with serving(settings, keys=keys) as served:
        served.house.runner.stop()  # nobody works on them
        replies = [served.raw("/v1/timeline", SPEECH, **anna) for _ in range(4)]
        assert [reply.status for reply in replies] == [202, 202, 202, 503]
        assert int(replies[-1].headers["retry-after"]) > 1
        assert served.ask("GET", replies[0].headers["location"], **anna).json["state"] == "queued"
        reply = served.ask("GET", replies[0].json["timeline"], **anna)
        assert (reply.status, reply.code, reply.headers["retry-after"]) == (409, "job_not_finished", "1")
    (tmp_path / "spool" / "left-behind").write_text("by a service that was killed")
    with serving(settings._replace(jobs_of_one=0), keys=keys) as served:
        for reply in replies[:3]:
            assert finished(served, reply, **anna)["state"] == "done"
            assert served.ask("GET", reply.headers["location"], **ben).code == "not_found", "it is not hers"
        assert not list(served.house.spool.iterdir())
        too_many = served.raw("/v1/timeline", SPEECH, **anna)
        assert (too_many.status, too_many.code) == (429, "too_many_jobs")
        assert int(too_many.headers["retry-after"]) > 1


def test_a_running_job_that_is_deleted_ends(tmp_path: Path, tiny: Path) -> None:
    talk = encoded(np.tile(speech_like(np.random.default_rng(5), 8.0), 100), RATE_HZ)
    settings = Settings(tmp_path, str(tiny), workers=1, grace_s=0.5)
    with serving(settings) as served:
        reply = served.raw("/v1/timeline", talk)
        other = served.raw("/v1/timeline", SPEECH)
        while (job := served.ask("GET", reply.headers["location"]).json)["processed_s"] == 0:
            assert job["state"] in ("queued", "running")
            time.sleep(0.05)
        assert 0 < job["processed_s"] < job["duration_s"] == 800
        assert served.ask("DELETE", reply.headers["location"]).status == 204
        assert finished(served, other)["state"] == "done"


def test_a_job_that_kills_is_given_up(odd: Served) -> None:
    job = finished(odd, odd.raw("/v1/timeline?name=bomb", b"dies"))
    assert job["state"] == "failed"
    assert job["error"].startswith("bomb: crashes the decoder")
    assert finished(odd, odd.raw("/v1/timeline", b"well"))["state"] == "done"


def test_a_store_that_fails_once_does_not_end_the_work(odd: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = odd.house.store.finish
    times: list[str] = []

    def full(job_id: str, result: bytes, duration_s: float) -> bool:
        times.append(job_id)
        if len(times) == 1:
            raise sqlite3.OperationalError("database or disk is full")
        return finish(job_id, result, duration_s)

    monkeypatch.setattr(job_runner, "TROUBLE_S", 0.05)
    monkeypatch.setattr(odd.house.store, "finish", full)
    job = finished(odd, odd.raw("/v1/timeline", b"well"))
    assert job["state"] == "done"
    assert len(times) == 2


def test_a_full_disk_loses_no_job_and_stops_no_work(odd: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever cannot be written, and however often: more often than a job may be begun."""
    store, full = odd.house.store, FailsOften(4 * MAX_STARTS)
    monkeypatch.setattr(job_runner, "TROUBLE_S", 0.01)
    for name in ("claim", "finish", "queue_again"):
        monkeypatch.setattr(store, name, full.before(getattr(store, name)))
    assert finished(odd, odd.raw("/v1/timeline", b"well"))["state"] == "done"
    assert full.left == 0


class FailsOften:
    """Does what it is asked every other time until the disk is empty enough."""

    def __init__(self, times: int) -> None:
        self.left = times

    def before(self, does: Any) -> Any:
        def done(*arguments: Any, **options: Any) -> Any:
            if self.left:
                self.left -= 1
                if self.left % 2:
                    raise sqlite3.OperationalError("database or disk is full")
            return does(*arguments, **options)

        return done


def full_store(*_: Any) -> None:
    raise sqlite3.OperationalError("database or disk is full")


@pytest.mark.parametrize("name", ["add", "first", "delete", "keep_first"])
def test_what_cannot_be_kept_is_to_be_asked_again(odd: Served, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    job = finished(odd, odd.raw("/v1/timeline", b"well"))
    monkeypatch.setattr(odd.house.store, name, full_store)
    reply = {
        "add": lambda: odd.raw("/v1/timeline", b"well"),
        "first": lambda: odd.raw("/v1/timeline", b"well", Idempotency_Key="f"),
        "delete": lambda: odd.ask("DELETE", f"/v1/jobs/{job['id']}"),
        "keep_first": lambda: odd.raw("/v1/recognise", b"well", Idempotency_Key="k"),
    }[name]()
    assert (reply.status, reply.code) == (503, "busy")
    assert int(reply.headers["retry-after"]) >= 1
    assert not list(odd.house.spool.iterdir()), "nothing of a recording that was not taken is left"


@pytest.mark.parametrize("name", ["here.flac", "%E5%A3%B0" * 255])
def test_a_name_is_not_looked_for_on_this_machine(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.flac").touch()
    with serving(Settings(tmp_path / "data", str(tiny), workers=1)) as served:
        job = finished(served, served.raw(f"/v1/timeline?name={name}", SPEECH))
        reply = served.ask("GET", f"{job['timeline']}?format=elan")
        assert reply.status == 200, reply.content
        assert str(tmp_path).encode() not in reply.content
        assert served.house.pool.deaths == 0


@pytest.mark.parametrize("path", ["/v1/timeline", "/v1/recognise"])
def test_nothing_of_a_client_names_a_file(served: Served, path: str) -> None:
    served.post(path, ("../../../../tmp/overtone-was-here.flac", SPEECH))
    assert not Path("/tmp/overtone-was-here.flac").exists()
