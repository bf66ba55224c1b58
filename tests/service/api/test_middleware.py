"""Only who may comes in."""

import http.client
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from odd_service_worker import COMMAND as ODD
from serving import Served, serving

from overtone.errors import InputError
from overtone.service.api.auth import ApiKeys, hash_key, new_key, read_keys
from overtone.service.settings import Settings

PAGE = "https://page.example"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    keys = ApiKeys({"anna": hash_key("key-of-anna"), "ben": hash_key("key-of-ben")})
    with serving(Settings(tmp_path_factory.mktemp("guarded"), workers=1), ODD, keys, (PAGE,)) as running:
        yield running


@pytest.fixture(scope="module")
def open_to_a_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(Settings(tmp_path_factory.mktemp("page"), workers=1), ODD, origins=(PAGE,)) as running:
        yield running


def test_a_key_is_needed_and_told_about(guarded: Served) -> None:
    for headers in ({}, {"Authorization": "Bearer key-of-carl"}, {"X_API_Key": "é"}, {"Authorization": "Basic x"}):
        for path in ("/v1/models", "/v1/recognise", "/v1/nowhere", "/metrics", "/v1/openapi.json"):
            reply = guarded.ask("GET", path, **headers)
            assert (reply.status, reply.code) == (401, "unauthorized"), path
            assert reply.headers["www-authenticate"] == "Bearer"
    for headers in ({"Authorization": "bearer key-of-anna"}, {"X_API_Key": "key-of-ben"}):
        assert guarded.ask("GET", "/v1/models", **headers).json["models"][0]["id"] == "odd"
        assert guarded.ask("GET", "/metrics", **headers).status == 200
        assert "security" in guarded.ask("GET", "/v1/openapi.json", **headers).json
    assert guarded.ask("GET", "/health").status == guarded.ask("GET", "/ready").status == 200


def test_one_does_not_get_the_first_answer_of_another(guarded: Served) -> None:
    anna = guarded.raw("/v1/recognise", b"well", Idempotency_Key="same", X_API_Key="key-of-anna")
    ben = guarded.raw("/v1/recognise", b"other", Idempotency_Key="same", X_API_Key="key-of-ben")
    assert anna.status == ben.status == 200
    assert "idempotency-replayed" not in ben.headers


def test_pages_of_other_origins_are_refused(served: Served) -> None:
    own = f"127.0.0.1:{served.port}"
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "http://[::", ""):
        for method, path in (("POST", "/v1/recognise"), ("GET", "/v1/models"), ("GET", "/health")):
            reply = served.ask(method, path, Origin=origin)
            assert (reply.status, reply.code) == (403, "forbidden_origin"), path
    assert served.ask("GET", "/v1/models", Origin=f"http://{own}").status == 200
    for host in ("evil.example", f"evil.example:{served.port}", "127.0.0.1.evil.example", "", "[::", "[x]"):
        reply = served.ask("GET", "/v1/models", Host=host, Origin=f"http://{host}")
        assert (reply.status, reply.code) == (403, "forbidden_origin"), "a name that was made to point here"
    for host in ("localhost", "LOCALHOST:80", "[::1]:8080", "127.0.0.2"):
        assert served.ask("GET", "/health", Host=host).status == 200


@pytest.mark.parametrize(("hosts", "status"), [(None, 200), (("box.example",), 403)])
def test_names_that_are_not_allowed_are_refused_where_any_is(
    hosts: tuple[str, ...] | None, status: int, tmp_path: Path
) -> None:
    with serving(Settings(tmp_path, workers=1), ODD, hosts=hosts) as running:
        rebound = running.ask("GET", "/v1/models", Host="evil.example", Origin="http://evil.example")
        assert rebound.status == status
        for host in ("box.example", f"box.example:{running.port}", "localhost", "127.0.0.1"):
            assert running.ask("GET", "/v1/models", Host=host).status == 200


def test_a_page_that_may_ask_can_read_the_answer(open_to_a_page: Served, guarded: Served) -> None:
    for running, headers in ((open_to_a_page, {}), (guarded, {"X_API_Key": "key-of-anna"})):
        reply = running.raw("/v1/recognise", b"well", Origin=PAGE, **headers)
        assert reply.status == 200
        assert reply.headers["access-control-allow-origin"] == PAGE
        asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "x-api-key"}
        before = running.ask("OPTIONS", "/v1/recognise", Origin=PAGE, **asked)
        assert before.status == 200
        assert before.headers["access-control-allow-origin"] == PAGE
        other = running.ask("OPTIONS", "/v1/recognise", Origin="https://evil.example", **asked)
        assert "access-control-allow-origin" not in other.headers
    assert open_to_a_page.ask("GET", "/health", Host="page.example").status == 200


def test_a_file_of_keys(tmp_path: Path) -> None:
    key = new_key()
    file = tmp_path / "keys"
    file.write_text(f"# who  what\n\nanna  {hash_key(key)}\n")
    assert read_keys(file).owner(key) == "anna"
    assert read_keys(file).owner(key + "x") is None
    for content, says in (
        ("", "holds no key"),
        ("anna secret", ":1: expected a new name and a SHA-256"),
        (f"a {hash_key('a')}\na {hash_key('b')}", ":2: expected a new name"),
    ):
        file.write_text(content)
        with pytest.raises(InputError, match=says):
            read_keys(file)
    with pytest.raises(InputError, match="cannot be read"):
        read_keys(tmp_path / "none")


def test_errors_of_the_router_have_the_same_shape(served: Served) -> None:
    assert served.ask("GET", "/nowhere").code == "not_found"
    reply = served.ask("PUT", "/v1/recognise")
    assert (reply.status, reply.code, reply.headers["allow"]) == (405, "method_not_allowed", "POST")
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert served.ask("GET", "/health?x=1").code == "invalid_parameter"


def test_a_head_that_is_no_http_ends_no_service(served: Served) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)) as connection:
        connection.connect()
        connection.sock.sendall(b"\x16\x03\x01 no http at all\r\n\r\n")
        assert connection.sock.recv(100).startswith(b"HTTP/1.1 400")
    assert served.ask("GET", "/health").status == 200


def test_metrics_tell_of_requests_and_workers(served: Served) -> None:
    served.ask("GET", "/v1/models")
    text = served.ask("GET", "/metrics").content.decode()
    for line in (
        'overtone_requests_total{method="GET",path="/v1/models",status="200"}',
        'overtone_request_seconds_bucket{le="0.3",path="/v1/models"}',
        'overtone_worker_deaths{of="clips"}',
        'overtone_jobs{state="queued"}',
    ):
        assert line in text


def test_a_fault_is_told_counted_and_logged_once(
    open_to_a_page: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def faulty(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(open_to_a_page.house.store, "job", faulty)
    reply = open_to_a_page.ask("GET", "/v1/jobs/" + "0" * 32, Origin=PAGE)
    assert (reply.status, reply.code) == (500, "failed")
    assert b"secret" not in reply.content
    assert reply.headers["access-control-allow-origin"] == PAGE
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert [record.getMessage() for record in caplog.records] == ["a fault of the service"]
    counted = open_to_a_page.ask("GET", "/metrics").content.decode()
    assert 'overtone_requests_total{method="GET",path="/v1/jobs/{job_id}",status="500"} 1.0' in counted
    assert 'status="0"' not in counted
