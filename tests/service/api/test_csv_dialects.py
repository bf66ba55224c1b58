"""`?csv_dialect=` of the service: CSV for Excel, of predictions and timelines, and clear errors for other formats."""

import csv
import io
from typing import Any

import pytest
from audio_files import encoded
from serving import Served
from synthetic_audio import RATE_HZ, voice
from test_timelines import SPEECH, wait_until_finished

from overtone.formats.csv_dialect import DIALECTS

CLIP = encoded(voice(180, 1.0), RATE_HZ, "FLAC")


@pytest.fixture(scope="module")
def job(served: Served) -> dict[str, Any]:
    return wait_until_finished(served, served.post("/v1/timeline", ("talk.flac", SPEECH)))


def cells(content: bytes, dialect: str) -> list[list[str]]:
    row = DIALECTS[dialect]
    text = content.decode("utf-8")
    assert text.startswith("\ufeff") == row.for_excel
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=row.separator))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_predictions(served: Served, dialect: str) -> None:
    plain = served.post("/v1/recognise?format=csv", ("=1+1.flac", CLIP))
    reply = served.post(f"/v1/recognise?format=csv&csv_dialect={dialect}", ("=1+1.flac", CLIP))
    assert reply.headers["content-type"] == plain.headers["content-type"] == "text/csv; charset=utf-8"
    (header, row), found = cells(plain.content, "plain"), cells(reply.content, dialect)
    quoted = "'" if DIALECTS[dialect].for_excel else ""
    assert row[0] == "=1+1.flac" and found[1][0] == f"{quoted}=1+1.flac"
    assert found == [header, [found[1][0], *(cell.replace(".", DIALECTS[dialect].decimal) for cell in row[1:])]]
    by_accept = served.post(f"/v1/recognise?csv_dialect={dialect}", ("=1+1.flac", CLIP), Accept="text/csv")
    assert by_accept.content == reply.content


@pytest.mark.parametrize("name", ["csv", "summary"])
def test_timelines(served: Served, job: dict[str, Any], name: str) -> None:
    plain = cells(served.ask("GET", f"{job['timeline']}?format={name}").content, "plain")
    for dialect, row in DIALECTS.items():
        reply = served.ask("GET", f"{job['timeline']}?format={name}&csv_dialect={dialect}")
        expected = [
            plain[0],
            *([plain[1][0], *[cell.replace(".", row.decimal) for cell in line[1:]]] for line in plain[1:]),
        ]
        assert cells(reply.content, dialect) == expected


@pytest.mark.parametrize(
    "query",
    [
        "format=csv&csv_dialect=excel-fr",
        "format=json&csv_dialect=excel",
        "csv_dialect=excel-de",
        "format=csv&csv_dialect=",
        "format=csv&csv_dialect=excel&csv_dialect=plain",
    ],
)
def test_invalid_dialects(served: Served, job: dict[str, Any], query: str) -> None:
    for reply in (
        served.post(f"/v1/recognise?{query}", ("a.flac", CLIP)),
        served.ask("GET", f"{job['timeline']}?{query}"),
    ):
        assert (reply.status, reply.code) == (422, "invalid_parameter")
        assert "csv_dialect" in reply.json["error"]["message"]
    assert "summary" not in served.post("/v1/recognise?csv_dialect=excel", ("a.flac", CLIP)).json["error"]["message"]


def test_a_retry_in_another_dialect_is_another_request(served: Served) -> None:
    def ask(query: str) -> Any:
        return served.post(f"/v1/recognise?format=csv{query}", ("a.flac", CLIP), Idempotency_Key="dialect")

    first = ask("&csv_dialect=excel-de")
    again = ask("&csv_dialect=excel-de")
    assert again.content == first.content and again.headers["idempotency-replayed"] == "true"
    for query in ("", "&csv_dialect=excel"):
        assert ask(query).code == "idempotency_key_reused"
