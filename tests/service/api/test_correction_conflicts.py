"""Two people who correct one timeline: entity tags and conditions as in RFC 9110, over HTTP and with the client."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from serving import Reply, Served
from test_timelines import SPEECH, wait_until_finished

import overtone
from overtone.errors import InputError, PreconditionFailedError, ServiceError
from overtone.formats import EXTRA_PACKAGES
from overtone.service.correction_table import CorrectionTable

NOTHING = {"segments": []}


@pytest.fixture(scope="module")
def finished(served: Served) -> dict[str, Any]:
    return wait_until_finished(served, served.post("/v1/timeline", ("talk.flac", SPEECH)))


@pytest.fixture
def path(served: Served, finished: dict[str, Any]) -> Iterator[str]:
    """The path of the corrections of a finished job, without corrections."""
    path = f"/v1/jobs/{finished['id']}/corrections"
    put(served, path, NOTHING)
    yield path
    put(served, path, NOTHING)


def put(served: Served, path: str, document: Any, **headers: str) -> Reply:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return served.ask("PUT", path, body, Content_Type="application/json", **headers)


def labelled(emotion: str) -> dict[str, Any]:
    row = {"start_s": 0.5, "end_s": 2.0, "model_segment": 0, "decided_by": "person", "emotion": emotion}
    return {"segments": [row]}


def test_the_entity_tag_is_strong_and_changes_with_the_corrections(served: Served, path: str) -> None:
    tags = []
    for document in (labelled("sad"), labelled("happy"), NOTHING, labelled("sad")):
        reply = put(served, path, document)
        read = served.ask("GET", path)
        assert (reply.status, read.status, read.json) == (204, 200, document)
        assert reply.headers["etag"] == read.headers["etag"]
        tags.append(read.headers["etag"])
    assert all(tag[0] == tag[-1] == '"' for tag in tags), "strong tags"
    assert len(set(tags)) == 3 and tags[0] == tags[3]


@pytest.mark.parametrize(
    "body",
    [
        b'\n{"segments" :[ ]}  ',
        b'\xef\xbb\xbf{"segments": []}',
        '{"segments":[{"start_s":0.50,"end_s":2,"emotion":"\\u0074rès","model_segment":0,"decided_by":"person"}]}'.encode(),
    ],
)
def test_corrections_are_kept_byte_by_byte_since_the_response_has_an_entity_tag(
    served: Served, path: str, body: bytes
) -> None:
    assert put(served, path, body).status == 204
    assert served.ask("GET", path).content == body
    assert put(served, path, body.decode("utf-8-sig").encode("utf-16")).code == "malformed_request"


def test_a_stale_change_is_refused_and_changes_nothing(served: Served, path: str) -> None:
    first = served.ask("GET", path).headers["etag"]
    anna = put(served, path, labelled("sad"), If_Match=first)
    assert anna.status == 204
    ben = put(served, path, labelled("happy"), If_Match=first)
    assert (ben.status, ben.code) == (412, "precondition_failed")
    assert ben.headers["etag"] == anna.headers["etag"], "the current one"
    assert served.ask("GET", path).json == labelled("sad")
    assert put(served, path, NOTHING, If_Match=first).status == 412, "removing is a change, too"
    assert put(served, path, labelled("sad"), If_Match=first).status == 204, "a retry whose response was lost"
    assert put(served, path, labelled("happy"), If_Match=anna.headers["etag"]).status == 204


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("*", 204),
        ("{etag}", 204),
        ('"other", {etag}', 204),
        (' , "other",\t{etag} ,', 204),
        ('"other"', 412),
        ("W/{etag}", 412),  # strong comparison
        ('"{digest}-gzip"', 204),  # as Apache has changed it
        ('"{digest}-gzip-br", "{digest}-other"', 412),
        ('"with,comma", "*"', 412),
        ('"with blank"', 400),
        ("", 400),
        ("other", 400),
        ("{etag} {etag}", 400),
        ("*, {etag}", 400),
        ('"open', 400),
    ],
)
def test_if_match(served: Served, path: str, condition: str, status: int) -> None:
    etag = served.ask("GET", path).headers["etag"]
    condition = condition.format(etag=etag, digest=etag.strip('"'))
    reply = put(served, path, labelled("sad"), If_Match=condition)
    assert reply.status == status
    assert served.ask("GET", path).json == (labelled("sad") if status == 204 else NOTHING)


@pytest.mark.parametrize(
    ("condition", "get", "change"),
    [("*", 304, 412), ("{etag}", 304, 412), ('"other", W/{etag}', 304, 412), ('"other"', 200, 204), ("x", 400, 400)],
)
def test_if_none_match(served: Served, path: str, condition: str, get: int, change: int) -> None:
    etag = served.ask("GET", path).headers["etag"]
    header = {"If_None_Match": condition.format(etag=etag)}
    read = served.ask("GET", path, **header)
    assert read.status == get and (get == 400 or read.headers["etag"] == etag)
    assert get != 304 or read.content == b""
    assert put(served, path, labelled("sad"), **header).status == change
    assert served.ask("GET", path, If_Match='"other"').status == 412


def test_a_condition_does_not_hide_another_error(served: Served, path: str) -> None:
    invalid = {"segments": [{"start_s": 1}]}
    assert put(served, path, invalid, If_Match='"other"').code == "invalid_corrections"
    assert put(served, f"/v1/jobs/{'0' * 32}/corrections", NOTHING, If_Match='"other"').code == "not_found"


def test_of_simultaneous_changes_one_wins(served: Served, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All changes are checked and about to be stored before the first of them is."""
    etag, clients = served.ask("GET", path).headers["etag"], 3
    barrier, store = threading.Barrier(clients), CorrectionTable.set_corrections

    def store_together(*arguments: Any) -> bool:
        barrier.wait(timeout=30)
        return store(*arguments)

    monkeypatch.setattr(CorrectionTable, "set_corrections", store_together)
    with ThreadPoolExecutor(clients) as pool:
        names = [f"label {number}" for number in range(clients)]
        replies = list(pool.map(lambda name: put(served, path, labelled(name), If_Match=etag), names))
    monkeypatch.undo()
    assert sorted(reply.status for reply in replies) == [204, *[412] * (clients - 1)]
    (winner,) = (name for name, reply in zip(names, replies, strict=True) if reply.status == 204)
    assert served.ask("GET", path).json == labelled(winner)


def test_the_client_reads_and_stores_corrections(served: Served, finished: dict[str, Any], path: str) -> None:
    anna, ben = (overtone.Client(f"http://127.0.0.1:{served.port}", retry_timeout_s=0) for _ in range(2))
    job = finished["id"]
    before = ben.corrections(job)
    assert before.segments == []
    stored = anna.set_corrections(job, labelled("sad")["segments"], if_match=anna.corrections(job).etag)
    assert anna.corrections(job) == stored and stored.segments == labelled("sad")["segments"]
    with pytest.raises(PreconditionFailedError, match="read them again"):
        ben.set_corrections(job, [], if_match=before.etag)
    assert ben.set_corrections(job, [], if_match=ben.corrections(job).etag).segments == []
    ben.set_corrections(job, labelled("sad")["segments"])  # of any state
    decided = [row["decided_by"] for row in ben.job_timeline(job)["segments"] if row["speech"]]
    assert "person" in decided
    rows = ben.job_timeline(job, "csv", csv_dialect="excel-de").decode("utf-8-sig").splitlines()
    assert rows[0].startswith("path;start_s;") and ";person;" in "\n".join(rows)
    assert {row["decided_by"] for row in ben.job_timeline(job, corrected=False)["segments"]} == {"model"}
    with pytest.raises(InputError, match="segment 1"):
        ben.set_corrections(job, [{"start_s": 1.0}])  # type: ignore[typeddict-item]
    for call in (ben.corrections, ben.job_timeline, lambda job_id: ben.set_corrections(job_id, [])):
        with pytest.raises(ServiceError, match="no such job"):
            call("0" * 32)


@pytest.mark.parametrize(
    "call",
    [
        lambda client: client.recognise(None),
        lambda client: client.recognise(np.zeros(16_000)),
        lambda client: client.recognise(SPEECH, reference="anna.wav"),
        lambda client: list(client.recognise_many("clip.wav")),
        lambda client: list(client.recognise_many(SPEECH)),
        lambda client: client.job(None),
        lambda client: client.delete_job(""),
        lambda client: client.corrections({"id": "0" * 32}),
        lambda client: client.set_corrections("0" * 32, None),
        lambda client: client.set_corrections("0" * 32, [{"start_s": np.float32(1)}]),
        lambda client: client.set_corrections("0" * 32, [], if_match='"a"\r\nX: y'),
        lambda client: overtone.Client(client.url, api_key="ключ").job("0" * 32),
    ],
)
def test_wrong_arguments_of_the_client_are_named(served: Served, call: Any) -> None:
    client = overtone.Client(f"http://127.0.0.1:{served.port}", retry_timeout_s=0)
    client.url = f"http://127.0.0.1:{served.port}"
    with pytest.raises(InputError, match=r"expected|not valid|several"):
        call(client)


def test_an_unknown_format_does_not_cost_the_timeline(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    client = overtone.Client(f"http://127.0.0.1:{served.port}", retry_timeout_s=0)
    before = set(served.backend.store.counts().items())
    monkeypatch.setitem(EXTRA_PACKAGES, "pictures", "not_installed")  # in the service
    for options in ({"format": "cvs"}, {"format": "json", "csv_dialect": "excel"}, {"format": "png"}):
        with pytest.raises(InputError, match="kept") as caught:
            client.timeline(SPEECH, **options)
        job = str(caught.value).partition("job_timeline('")[2].partition("'")[0]
        assert client.job_timeline(job)["duration_s"] == 8.0
        client.delete_job(job)
    assert set(served.backend.store.counts().items()) == before
