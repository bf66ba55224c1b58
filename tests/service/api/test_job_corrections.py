"""Corrections of a job: stored, checked, limited, deleted with the job; the timeline contains them in every format."""

import csv
import io
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from serving import Reply, Served, serving
from test_timelines import SPEECH, TURNS, wait_until_finished

from overtone.service.api import job_corrections
from overtone.service.api.auth import ApiKeys, hash_key
from overtone.service.settings import Settings


@pytest.fixture(scope="module")
def job(served: Served) -> dict[str, Any]:
    """A finished job."""
    return wait_until_finished(served, served.post("/v1/timeline", ("talk.flac", SPEECH)))


def put(served: Served, job: dict[str, Any], document: Any, **headers: str) -> Reply:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    sent = {"Content_Type": "application/json", **headers}
    return served.ask("PUT", f"/v1/jobs/{job['id']}/corrections", body, **sent)


def speech(served: Served, job: dict[str, Any]) -> list[tuple[int, dict[str, Any]]]:
    """The segments of the model with speech, and their places."""
    found = served.ask("GET", f"{job['timeline']}?corrected=false").json["segments"]
    return [(place, row) for place, row in enumerate(found) if row["speech"]]


def corrections(served: Served, job: dict[str, Any]) -> dict[str, Any]:
    """The first segment split: the first part relabelled, the second wrong; the others as they are."""
    (place, first), *others = speech(served, job)
    middle_s = round((first["start_s"] + first["end_s"]) / 2, 3)
    common = {"model_segment": place, "decided_by": "person"}
    return {
        "segments": [
            {"start_s": first["start_s"], "end_s": middle_s, **common, "emotion": "<b>frustrated</b>"},
            {"start_s": middle_s, "end_s": first["end_s"], **common, "emotion": None, "text_from": []},
            *(
                {"start_s": row["start_s"], "end_s": row["end_s"], "model_segment": number, "decided_by": "model"}
                for number, row in others
            ),
        ]
    }


def test_the_timeline_is_corrected_in_every_format(served: Served, job: dict[str, Any]) -> None:
    model = {name: served.ask("GET", f"{job['timeline']}?format={name}").content for name in ("json", "textgrid")}
    (_, first), *others = speech(served, job)
    document = corrections(served, job)
    assert served.ask("GET", f"/v1/jobs/{job['id']}/corrections").json == {"segments": []}
    assert put(served, job, document).status == 204
    assert served.ask("GET", f"/v1/jobs/{job['id']}/corrections").json == document
    found = served.ask("GET", job["timeline"]).json
    rows = [row for row in found["segments"] if row["speech"]]
    assert [(row["emotion"], row["decided_by"], row.get("model_emotion")) for row in rows] == [
        ("<b>frustrated</b>", "person", first["emotion"]),
        (None, "person", first["emotion"]),
        *((row["emotion"], "model", None) for _, row in others),
    ]
    assert rows[0]["probabilities"] == first["probabilities"] and rows[0]["end_s"] == rows[1]["start_s"]
    texts = {
        name: served.ask("GET", f"{job['timeline']}?format={name}").content.decode()
        for name in ("csv", "textgrid", "elan", "webvtt", "audacity", "jsonl", "whisperx", "html", "table")
    }
    table = list(csv.DictReader(io.StringIO(texts["csv"])))
    assert [row["emotion"] for row in table if row["decided_by"] == "person"] == ["<b>frustrated</b>", ""]
    assert '"decided by"' in texts["textgrid"] and f'"wrong ({first["emotion"]})"' in texts["textgrid"]
    names = {tier.get("TIER_ID") for tier in ElementTree.fromstring(texts["elan"]).iter("TIER")}
    assert {"decided by", "model emotion"} <= names
    assert "&lt;b&gt;frustrated&lt;/b&gt; (person)" in texts["html"] and "<b>frustrated" not in texts["html"]
    for name in ("webvtt", "audacity", "table"):
        assert "(person)" in texts[name] and f"wrong ({first['emotion']})" in texts[name], name
    for name in ("png", "svg", "parquet"):
        assert served.ask("GET", f"{job['timeline']}?format={name}").status == 200, name
    for name, content in model.items():
        assert served.ask("GET", f"{job['timeline']}?format={name}&corrected=false").content == content
    assert put(served, job, {"segments": []}).status == 204
    for name, content in model.items():
        assert served.ask("GET", f"{job['timeline']}?format={name}").content == content


def test_turns_keep_their_speakers_and_words(served: Served) -> None:
    reply = served.post_turns("talk.flac", SPEECH, "t.rttm", TURNS)
    job = wait_until_finished(served, reply)
    rows = [
        {"start_s": 0.4, "end_s": 3.4, "model_segment": 0, "decided_by": "person", "emotion": "SAD"},
        {"start_s": 3.0, "end_s": 6.0, "model_segment": 1, "decided_by": "model"},
    ]
    assert put(served, job, {"segments": rows}).status == 204
    found = served.ask("GET", job["timeline"]).json["segments"]
    assert [(row["speaker"], row["start_s"]) for row in found] == [("anna", 0.4), ("ben", 3.0)], "they may overlap"
    assert found[0]["emotion"] == "sad"


INVALID = [
    ([], "'segments'"),
    ({"segments": [], "more": 1}, "'segments'"),
    ({"segments": {}}, "'segments'"),
    ({"segments": [3]}, "segment 1: expected an object"),
    ({"segments": [{"start_s": 0}]}, "segment 1: the key 'end_s' is missing"),
]
ROW = {"start_s": 1, "end_s": 2, "model_segment": 0, "decided_by": "person", "emotion": "sad"}
INVALID += [
    ({"segments": [{**ROW, **change}]}, message)
    for change, message in (
        ({"end_s": 1}, "start_s < end_s"),
        ({"start_s": True}, "start_s < end_s"),
        ({"start_s": -1}, "start_s < end_s"),
        ({"end_s": "2"}, "start_s < end_s"),
        ({"end_s": 10**400}, "start_s < end_s"),
        ({"end_s": float("nan")}, "start_s < end_s"),
        ({"end_s": 900}, "beyond the end of the recording"),
        ({"model_segment": 900}, "no segment 900 of the model"),
        ({"model_segment": 0.5}, "model_segment as a whole number"),
        ({"text_from": [900]}, "no segment 900 of the model"),
        ({"text_from": "0"}, "text_from as a list"),
        ({"decided_by": "cat"}, "decided_by among model, person"),
        ({"emotion": 3}, "emotion as a text"),
        ({"emotion": "x" * 201}, "emotion as a text"),
        ({"emotion": "  "}, "the label is empty"),
        ({"emotion": "a\x07b"}, "control character"),
        ({"decided_by": "model", "emotion": "hungry"}, "differs from the prediction"),
        ({"script": "x"}, "unknown key 'script'"),
    )
]
INVALID += [({"segments": [ROW, {**ROW, "start_s": 1.5, "end_s": 3}]}, "the segments overlap")]


@pytest.mark.parametrize(("document", "message"), INVALID, ids=[message for _, message in INVALID])
def test_invalid_corrections_are_refused(served: Served, job: dict[str, Any], document: Any, message: str) -> None:
    reply = put(served, job, document)
    assert (reply.status, reply.code) == (422, "invalid_corrections") and message in reply.json["error"]["message"]
    assert served.ask("GET", f"/v1/jobs/{job['id']}/corrections").json == {"segments": []}


def test_other_bodies_are_refused(served: Served, job: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for body, code in ((b"{", "malformed_request"), (b"[" * 100_000, "malformed_request"), (b"", "malformed_request")):
        assert put(served, job, body).code == code
    assert put(served, job, {}, Content_Type="text/plain").code == "unsupported_media_type"
    monkeypatch.setattr(job_corrections, "MAX_BYTES", 20)
    assert put(served, job, b" " * 21).code == "too_large"


def test_corrections_belong_to_their_job_and_its_owner(tiny: Path, tmp_path: Path) -> None:
    keys = ApiKeys({"anna": hash_key("a"), "ben": hash_key("b")})
    anna, ben = {"Authorization": "Bearer a"}, {"X_API_Key": "b"}
    settings = Settings(tmp_path, str(tiny), workers=1, shutdown_grace_s=1.0)
    with serving(settings, keys=keys) as served:
        job = wait_until_finished(served, served.post("/v1/timeline", ("talk.flac", SPEECH), **anna), **anna)
        rows = served.ask("GET", job["timeline"], **anna).json["segments"]
        place, first = next((place, row) for place, row in enumerate(rows) if row["speech"])
        times = {"start_s": first["start_s"], "end_s": first["end_s"], "model_segment": place}
        document = {"segments": [{**times, "decided_by": "person", "emotion": "sad"}]}
        assert put(served, job, document, **ben).code == "not_found"
        assert served.ask("GET", f"/v1/jobs/{job['id']}/corrections", **ben).code == "not_found"
        assert put(served, job, document, **anna).status == 204
        served.backend.runner.stop()
        waiting = served.post("/v1/timeline", ("talk.flac", SPEECH), **anna).json
        assert put(served, waiting, document, **anna).code == "job_not_finished"
        assert served.ask("POST", f"/v1/jobs/{waiting['id']}/cancel", **anna).json["state"] == "cancelled"
        assert put(served, waiting, document, **anna).code == "job_cancelled"
    with serving(settings, keys=keys) as served:
        assert served.ask("GET", f"/v1/jobs/{job['id']}/corrections", **anna).json == document, "after a restart"
        assert served.ask("DELETE", f"/v1/jobs/{job['id']}", **anna).status == 204
        assert served.backend.store.corrections(job["id"]) is None
