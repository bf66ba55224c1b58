"""Access control: API keys, origins and host names; errors and metrics of all paths."""

import http.client
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from faulty_service_worker import COMMAND as FAULTY_WORKER
from serving import Served, serving

from overtone.errors import InputError
from overtone.service.api.auth import ApiKeys, hash_key, new_key, read_keys
from overtone.service.settings import Settings

ORIGIN = "https://page.example"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    keys = ApiKeys({"anna": hash_key("key-of-anna"), "ben": hash_key("key-of-ben")})
    with serving(Settings(tmp_path_factory.mktemp("guarded"), workers=1), FAULTY_WORKER, keys, (ORIGIN,)) as running:
        yield running


@pytest.fixture(scope="module")
def open_to_origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(Settings(tmp_path_factory.mktemp("page"), workers=1), FAULTY_WORKER, origins=(ORIGIN,)) as running:
        yield running


def test_a_key_is_required(guarded: Served) -> None:
    for headers in ({}, {"Authorization": "Bearer key-of-carl"}, {"X_API_Key": "é"}, {"Authorization": "Basic x"}):
        for path in ("/v1/models", "/v1/recognise", "/v1/nowhere", "/metrics", "/v1/openapi.json"):
            reply = guarded.ask("GET", path, **headers)
            assert (reply.status, reply.code) == (401, "unauthorized"), path
            assert reply.headers["www-authenticate"] == "Bearer"
    for headers in ({"Authorization": "bearer key-of-anna"}, {"X_API_Key": "key-of-ben"}):
        assert guarded.ask("GET", "/v1/models", **headers).json["models"][0]["id"] == "faulty"
        assert guarded.ask("GET", "/metrics", **headers).status == 200
        assert "security" in guarded.ask("GET", "/v1/openapi.json", **headers).json
    assert guarded.ask("GET", "/health").status == guarded.ask("GET", "/ready").status == 200


def test_keys_do_not_share_stored_responses(guarded: Served) -> None:
    anna = guarded.raw("/v1/recognise", b"well", Idempotency_Key="same", X_API_Key="key-of-anna")
    ben = guarded.raw("/v1/recognise", b"other", Idempotency_Key="same", X_API_Key="key-of-ben")
    assert anna.status == ben.status == 200
    assert "idempotency-replayed" not in ben.headers


def test_other_origins_and_hosts_are_rejected(served: Served) -> None:
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "http://[::", ""):
        for method, path in (("POST", "/v1/recognise"), ("GET", "/v1/models"), ("GET", "/health")):
            reply = served.ask(method, path, Origin=origin)
            assert (reply.status, reply.code) == (403, "forbidden_origin"), path
    assert served.ask("GET", "/v1/models", Origin=f"http://127.0.0.1:{served.port}").status == 200
    for host in ("evil.example", f"evil.example:{served.port}", "127.0.0.1.evil.example", "", "[::", "[x]"):
        reply = served.ask("GET", "/v1/models", Host=host, Origin=f"http://{host}")
        assert (reply.status, reply.code) == (403, "forbidden_origin"), "DNS rebinding"
    for host in ("localhost", "LOCALHOST:80", "[::1]:8080", "127.0.0.2"):
        assert served.ask("GET", "/health", Host=host).status == 200


@pytest.mark.parametrize(("hosts", "status"), [(None, 200), (("box.example",), 403)])
def test_other_hosts_are_rejected_if_any_is_configured(
    hosts: tuple[str, ...] | None, status: int, tmp_path: Path
) -> None:
    with serving(Settings(tmp_path, workers=1), FAULTY_WORKER, hosts=hosts) as running:
        reply = running.ask("GET", "/v1/models", Host="evil.example", Origin="http://evil.example")
        assert reply.status == status
        for host in ("box.example", f"box.example:{running.port}", "localhost", "127.0.0.1"):
            assert running.ask("GET", "/v1/models", Host=host).status == 200


def test_an_allowed_origin_can_read_responses(open_to_origin: Served, guarded: Served) -> None:
    for running, headers in ((open_to_origin, {}), (guarded, {"X_API_Key": "key-of-anna"})):
        reply = running.raw("/v1/recognise", b"well", Origin=ORIGIN, **headers)
        assert reply.status == 200
        assert reply.headers["access-control-allow-origin"] == ORIGIN
        request_headers = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "x-api-key"}
        preflight = running.ask("OPTIONS", "/v1/recognise", Origin=ORIGIN, **request_headers)
        assert preflight.status == 200
        assert preflight.headers["access-control-allow-origin"] == ORIGIN
        other = running.ask("OPTIONS", "/v1/recognise", Origin="https://evil.example", **request_headers)
        assert "access-control-allow-origin" not in other.headers
    assert open_to_origin.ask("GET", "/health", Host="page.example").status == 200


def test_key_file(tmp_path: Path) -> None:
    key = new_key()
    file = tmp_path / "keys"
    file.write_text(f"# name  sha256\n\nanna  {hash_key(key)}\n")
    assert read_keys(file).owner(key) == "anna"
    assert read_keys(file).owner(key + "x") is None
    for content, message in (
        ("", "contains no keys"),
        ("anna secret", ":1: expected a new name and a SHA-256"),
        (f"a {hash_key('a')}\na {hash_key('b')}", ":2: expected a new name"),
    ):
        file.write_text(content)
        with pytest.raises(InputError, match=message):
            read_keys(file)
    with pytest.raises(InputError, match="cannot be read"):
        read_keys(tmp_path / "none")


def test_router_errors_have_the_common_shape(served: Served) -> None:
    assert served.ask("GET", "/nowhere").code == "not_found"
    reply = served.ask("PUT", "/v1/recognise")
    assert (reply.status, reply.code, reply.headers["allow"]) == (405, "method_not_allowed", "POST")
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert served.ask("GET", "/health?x=1").code == "invalid_parameter"


def test_invalid_http_is_rejected(served: Served) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)) as connection:
        connection.connect()
        connection.sock.sendall(b"\x16\x03\x01 no http at all\r\n\r\n")
        assert connection.sock.recv(100).startswith(b"HTTP/1.1 400")
    assert served.ask("GET", "/health").status == 200


def test_metrics(served: Served) -> None:
    served.ask("GET", "/v1/models")
    text = served.ask("GET", "/metrics").content.decode()
    for line in (
        'overtone_requests_total{method="GET",path="/v1/models",status="200"}',
        'overtone_request_duration_seconds_bucket{le="0.3",path="/v1/models"}',
        'overtone_worker_deaths_total{pool="clips"}',
        'overtone_queue_length{pool="clips"} 0.0',
        'overtone_busy_workers{pool="clips"} 0.0',
        "overtone_active_uploads 0.0",
        "overtone_active_streams 0.0",
        'overtone_jobs{state="queued"}',
    ):
        assert line in text


def test_an_internal_error_is_returned_counted_and_logged_once(
    open_to_origin: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(open_to_origin.backend.store, "job", fail)
    reply = open_to_origin.ask("GET", "/v1/jobs/" + "0" * 32, Origin=ORIGIN)
    assert (reply.status, reply.code) == (500, "internal_error")
    assert b"secret" not in reply.content
    assert reply.headers["access-control-allow-origin"] == ORIGIN
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert [record.getMessage() for record in caplog.records] == ["internal error"]
    metrics = open_to_origin.ask("GET", "/metrics").content.decode()
    assert 'overtone_requests_total{method="GET",path="/v1/jobs/{job_id}",status="500"} 1.0' in metrics
    assert 'status="0"' not in metrics
