"""Jobs are listed per API key, and a cancelled job stays until it is deleted."""

import itertools
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from audio_files import encoded
from serving import Served, serving
from synthetic_audio import RATE_HZ, speech_like

import overtone
from overtone.errors import ServiceError
from overtone.service.api.auth import ApiKeys, hash_key
from overtone.service.api.jobs import MAX_LIMIT
from overtone.service.ipc import Message
from overtone.service.settings import Settings

SPEECH = encoded(speech_like(np.random.default_rng(5), 8.0), RATE_HZ, "FLAC")
ANNA, BEN = {"Authorization": "Bearer a"}, {"Authorization": "Bearer b"}


@pytest.fixture(scope="module")
def guarded(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service with two API keys that starts no job."""
    settings = Settings(tmp_path_factory.mktemp("guarded"), str(tiny), workers=1, shutdown_grace_s=1.0)
    keys = ApiKeys({"anna": hash_key("a"), "ben": hash_key("b")})
    with serving(settings, keys=keys, page=None) as running:
        running.backend.runner.stop()
        yield running


def add_jobs(served: Served, count: int, **headers: str) -> list[str]:
    replies = [served.raw(f"/v1/timeline?name={number}.flac", SPEECH, **headers) for number in range(count)]
    assert {reply.status for reply in replies} == {202}
    return [reply.json["id"] for reply in replies]


def test_a_key_lists_its_own_jobs_newest_first(guarded: Served) -> None:
    of_anna, of_ben = add_jobs(guarded, 5, **ANNA), add_jobs(guarded, 1, **BEN)
    page = guarded.ask("GET", "/v1/jobs", **ANNA).json
    assert [job["id"] for job in page["jobs"]] == of_anna[::-1]
    assert page["next"] is None
    assert page["jobs"][0] == guarded.ask("GET", f"/v1/jobs/{of_anna[-1]}", **ANNA).json
    assert [job["id"] for job in guarded.ask("GET", "/v1/jobs", **BEN).json["jobs"]] == of_ben
    assert guarded.ask("GET", "/v1/jobs").code == "unauthorized"
    client = overtone.Client(f"http://127.0.0.1:{guarded.port}", "a", retry_timeout_s=0)
    assert [job["id"] for job in client.jobs()] == of_anna[::-1]


def test_pages_continue_where_the_last_one_ended(guarded: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if jobs were created in the same moment, and the last job of a page is deleted."""
    monkeypatch.setattr(time, "time", lambda: 2e9 + 1 / 3)
    ids = add_jobs(guarded, 5, **ANNA)
    monkeypatch.undo()
    seen, path = [], "/v1/jobs?limit=2"
    while path:
        page = guarded.ask("GET", path, **ANNA).json
        seen += [job["id"] for job in page["jobs"]]
        guarded.ask("DELETE", f"/v1/jobs/{seen[-1]}", **ANNA)
        path = page["next"] and f"/v1/jobs?limit=2&cursor={page['next']}"
    assert seen[:5] == sorted(ids, reverse=True)
    assert len(seen) == len(set(seen))


def test_the_client_reads_all_pages(guarded: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("overtone.service.api.jobs.DEFAULT_LIMIT", 2)
    ids = add_jobs(guarded, 5, **BEN)
    client = overtone.Client(f"http://127.0.0.1:{guarded.port}", "b", retry_timeout_s=0)
    assert [job["id"] for job in itertools.islice(client.jobs(), 5)] == ids[::-1]


def test_without_keys_jobs_are_not_listed(served: Served) -> None:
    (job,) = add_jobs(served, 1)
    reply = served.ask("GET", "/v1/jobs")
    assert (reply.status, reply.code) == (403, "keys_required")
    assert job not in reply.content.decode()
    with pytest.raises(ServiceError, match="has no keys"):
        list(overtone.Client(f"http://127.0.0.1:{served.port}", retry_timeout_s=0).jobs())


@pytest.mark.parametrize(
    "query", ["limit=0", f"limit={MAX_LIMIT + 1}", "limit=x", "limit=²", "cursor=", "cursor=1", "cursor=1-x", "page=1"]
)
def test_parameters_are_checked(guarded: Served, query: str) -> None:
    path = f"/v1/jobs?{query}".replace("²", "%C2%B2")
    assert guarded.ask("GET", path, **ANNA).code == "invalid_parameter"


def test_a_queued_job_is_cancelled_and_stays(guarded: Served) -> None:
    (job_id,) = add_jobs(guarded, 1, **ANNA)
    assert guarded.ask("POST", f"/v1/jobs/{job_id}/cancel", **BEN).code == "not_found", "the job of another owner"
    assert (guarded.backend.spool / job_id).exists()
    reply = guarded.ask("POST", f"/v1/jobs/{job_id}/cancel", **ANNA)
    assert (reply.status, reply.json["state"]) == (200, "cancelled")
    assert reply.json["finished_s"] >= reply.json["created_s"]
    assert not (guarded.backend.spool / job_id).exists(), "the recording is deleted"
    assert guarded.ask("GET", f"/v1/jobs/{job_id}", **ANNA).json["state"] == "cancelled"
    timeline = guarded.ask("GET", f"/v1/jobs/{job_id}/timeline", **ANNA)
    assert (timeline.status, timeline.code) == (409, "job_cancelled")
    assert 'overtone_jobs{state="cancelled"} 1' in guarded.ask("GET", "/metrics", **ANNA).content.decode()
    assert guarded.ask("DELETE", f"/v1/jobs/{job_id}", **ANNA).status == 204
    assert guarded.ask("POST", f"/v1/jobs/{job_id}/cancel", **ANNA).code == "not_found"


def test_cancelling_a_running_job_stops_it(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    talk = encoded(np.tile(speech_like(np.random.default_rng(5), 8.0), 100), RATE_HZ)
    with serving(Settings(tmp_path, str(tiny), workers=1, shutdown_grace_s=0.5), page=None) as served:
        client = overtone.Client(f"http://127.0.0.1:{served.port}", retry_timeout_s=0)
        update, processed_s = served.backend.runner._update_progress, defaultdict[str, float](float)

        def record_progress(job_id: str, message: Message) -> None:
            processed_s[job_id] = message["processed_s"]
            update(job_id, message)

        monkeypatch.setattr(served.backend.runner, "_update_progress", record_progress)
        job, other = client.submit_timeline(talk), client.submit_timeline(SPEECH)
        while client.job(job["id"])["processed_s"] == 0:
            time.sleep(0.05)
        assert client.cancel_job(job["id"])["state"] == "cancelled"
        while client.job(other["id"])["state"] != "done":  # it has the same worker
            time.sleep(0.05)
        assert client.job(job["id"])["state"] == "cancelled"
        assert processed_s[job["id"]] < 800, "the worker has stopped"
        assert not list(served.backend.spool.iterdir())
        assert client.cancel_job(other["id"])["state"] == "done", "a job that has ended stays as it is"
        client.delete_job(job["id"])
        with pytest.raises(ServiceError, match="404"):
            client.job(job["id"])
