"""`overtone batch` as a process: killed, interrupted, with a full disk, and with files that are not audio."""

import csv
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import audio_files
import numpy as np
import pytest
import soundfile
import tiny_model

from overtone.batch.local_engine import PART_SIZE
from overtone.cli.main import main

PROJECT = Path(__file__).resolve().parent.parent.parent
ROWS = 4 * PART_SIZE + 5
RATE_HZ = 16_000
KILLS = 2

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals and resource limits")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, an audio file, and a manifest of its segments that fills several parts and has one bad row."""
    folder = tmp_path_factory.mktemp("work")
    tiny_model.write(folder / "tiny.onnx")
    soundfile.write(folder / "long.wav", np.random.default_rng(3).normal(0, 0.2, 50 * RATE_HZ), RATE_HZ)
    rows = [["long.wav", f"{0.1 * k:.1f}", f"{0.1 * k + 8:.1f}"] for k in range(ROWS)]
    rows[100][0] = "gone.wav"
    with (folder / "m.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "start_s", "end_s"], *rows])
    return folder


@pytest.fixture(scope="module")
def expected_files(work: Path) -> dict[str, bytes]:
    """The output of an uninterrupted batch."""
    process = start(work, work / "out")
    _, err = process.communicate()
    assert process.returncode == 1
    assert err == f"overtone: 1 of {ROWS} inputs could not be recognised; see {work / 'out' / 'failures.csv'}\n"
    return contents(work / "out")


def start(
    work: Path, out: Path, before: Callable[[], object] | None = None, **environment: str
) -> subprocess.Popen[str]:
    """Starts the batch as a process in a new process group; `before` is called in the process."""
    arguments = ["batch", str(work / "m.csv"), "--output", str(out), "--model", str(work / "tiny.onnx")]
    return subprocess.Popen(
        [sys.executable, "-m", "overtone", *arguments, "--processes", "2"],
        cwd=PROJECT,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=before,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def parts_in(out: Path) -> int:
    return len(list((out / "parts").glob("*.jsonl")))


def wait_for(parts: int, out: Path, process: subprocess.Popen[str], timeout_s: float = 60) -> None:
    """Waits for this number of stored parts, or the end of the batch."""
    end_s = time.monotonic() + timeout_s
    while process.poll() is None and parts_in(out) < parts:
        assert time.monotonic() < end_s, "timeout"
        time.sleep(0.002)


def test_a_batch_killed_at_random_moments_ends_the_same(
    work: Path, expected_files: dict[str, bytes], tmp_path: Path
) -> None:
    rng = np.random.default_rng()
    out, kills = tmp_path / "out", 0
    while True:
        process = start(work, out)
        if kills < KILLS:
            wait_for(parts_in(out) + int(rng.integers(1, 2, endpoint=True)), out, process)
            time.sleep(rng.uniform(0, 0.03))
            process.kill()
        process.communicate()
        if process.returncode != -signal.SIGKILL:
            break
        kills += 1
    assert kills > 0
    assert process.returncode == 1
    assert contents(out) == expected_files


def test_ctrl_c_keeps_completed_parts_and_prints_no_traceback(work: Path, tmp_path: Path) -> None:
    process = start(work, tmp_path / "out", lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    wait_for(1, tmp_path / "out", process)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate()
    assert (process.returncode, err) == (130, "")
    assert parts_in(tmp_path / "out") > 0
    assert not (tmp_path / "out" / "predictions.csv").exists()


def test_a_full_disk_leaves_no_partial_file(work: Path, expected_files: dict[str, bytes], tmp_path: Path) -> None:
    out, max_bytes = tmp_path / "out", len(expected_files["predictions.csv"]) - 1

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, max_bytes))

    process = start(work, out, limit)
    _, err = process.communicate()
    assert process.returncode == 1
    assert (
        err
        == f"overtone: cannot write {out}/parts/predictions.csv: File too large; make room or choose another place\n"
    )
    assert not any(path.name.startswith("predictions") for path in (*out.iterdir(), *(out / "parts").iterdir()))
    assert not list((out / "parts").glob(".*.part"))
    start(work, out).communicate()
    assert contents(out) == expected_files


SITECUSTOMIZE = """
import os, signal
import overtone._internal.special_files as special_files
is_special = special_files.is_special

def is_special_or_crash(file):
    if file.name == "gone.wav":
        os.kill(os.getpid(), signal.SIGSEGV)
    return is_special(file)

special_files.is_special = is_special_or_crash
"""


def test_a_file_that_crashes_the_decoder_does_not_affect_the_others(
    work: Path, expected_files: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SITECUSTOMIZE)  # imported at the start of every Python process
    paths = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    process = start(work, tmp_path / "out", PYTHONPATH=paths)
    process.communicate()
    assert process.returncode == 1
    found = contents(tmp_path / "out")
    assert found["predictions.csv"] == expected_files["predictions.csv"]
    (row,) = csv.DictReader(found["failures.csv"].decode().splitlines())
    assert row["path"] == "gone.wav"
    assert row["error"].startswith(f"{work}/gone.wav: ") and "SIGSEGV" in row["error"]


def test_every_kind_of_bad_file_is_listed(work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    good = audio_files.encoded(audio_files.tone(RATE_HZ), RATE_HZ)
    names = ["a.wav", "new\nline.wav", 'with "quotes", commas.wav', "not-utf8-\udcff.wav"]
    bad = {
        "empty.wav": b"",
        "text.wav": b"not audio",
        "truncated.wav": good[:-100],
        "header.wav": good[:4] + bytes(40) + good[44:],
        "nan.wav": audio_files.encoded(np.full(RATE_HZ, np.nan), RATE_HZ, subtype="FLOAT"),
        "short.wav": audio_files.encoded(audio_files.tone(RATE_HZ, 0.05), RATE_HZ),
        "silence.wav": audio_files.encoded(np.zeros(RATE_HZ), RATE_HZ),
        "long.wav": audio_files.encoded(np.zeros(601 * 8_000), 8_000, subtype="PCM_U8"),
    }
    for name, content in {**dict.fromkeys(names, good), **bad}.items():
        (folder / name).write_bytes(content)
    (folder / "loop.wav").symlink_to("loop.wav")
    (folder / "dangling.wav").symlink_to("gone.wav")
    (folder / "up").symlink_to("..")
    os.mkfifo(folder / "pipe.wav")
    (folder / "folder.wav").mkdir()
    out = tmp_path / "out"
    sources = [str(folder), str(folder / "folder.wav"), str(tmp_path / "missing.wav")]
    command = ["batch", *sources, "--output", str(out), "--model", str(work / "tiny.onnx"), "--processes", "1"]
    assert main(command) == 1
    assert "13 of 17 inputs could not be recognised" in capsys.readouterr().err
    text = (out / "predictions.csv").read_bytes().decode("utf-8", "surrogateescape")
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    assert [Path(row["path"]).name for row in rows] == sorted(names)
    with (out / "failures.csv").open(newline="") as file:
        failures = {Path(row["path"]).name: row["error"] for row in csv.DictReader(file)}
    assert failures.keys() == {*bad, "loop.wav", "dangling.wav", "pipe.wav", "folder.wav", "missing.wav"}
    for name, message in {
        "empty.wav": "empty",
        "nan.wav": "finite",
        "short.wav": "50 ms",
        "silence.wav": "silence",
        "long.wav": "600 s",
        "pipe.wav": "not a regular file",
        "folder.wav": "a folder without",
        "missing.wav": "no such file",
    }.items():
        assert message in failures[name], name


def test_an_output_folder_that_cannot_be_created(
    work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "out"
    assert main(["batch", str(work / "m.csv"), "--output", str(out), "--model", str(work / "tiny.onnx")]) == 1
    assert capsys.readouterr().err.startswith(f"overtone: cannot write {out}")


def test_adaptation_gives_the_same_predictions_as_predict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    speech = str(PROJECT / "examples" / "speech")
    adapted = [speech, "--reference", speech, "--uncertain-below", "0.6"]
    assert main(["predict", speech, "--format", "csv"]) == 0
    unadapted = capsys.readouterr().out
    assert main(["predict", *adapted, "--format", "csv"]) == 0
    expected = capsys.readouterr().out
    assert main(["batch", *adapted, "--output", str(tmp_path / "out"), "--processes", "1"]) == 0
    assert (tmp_path / "out" / "predictions.csv").read_text("utf-8") == expected != unadapted


def test_adapting_to_no_clips_is_refused(work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["batch", str(work / "m.csv"), "--output", str(tmp_path / "out"), "--reference", str(tmp_path)]
    assert main(arguments) == 1
    skipped, error = capsys.readouterr().err.splitlines()
    assert skipped.startswith("overtone: ") and f"{tmp_path}: a folder without" in skipped
    assert "at least one" in error and "clip" in error


@pytest.mark.parametrize("shard", ["0/2", "3/2", "2", "a/b", "1/"])
def test_an_invalid_shard_is_refused(shard: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["batch", "x", "--output", "y", "--shard", shard])
    assert "argument --shard: expected" in capsys.readouterr().err
