"""`overtone batch` as a process: killed, stopped, starved, and fed with what is no sound."""

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

from overtone.batch.local_engine import PART_INPUTS
from overtone.cli.main import main

PROJECT = Path(__file__).resolve().parent.parent.parent
ROWS = 4 * PART_INPUTS + 5
RATE_HZ = 16_000
KILLS = 2

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, a sound, and a manifest of stretches of it that fills a good many parts, one of its rows bad."""
    folder = tmp_path_factory.mktemp("work")
    tiny_model.write(folder / "tiny.onnx")
    soundfile.write(folder / "long.wav", np.random.default_rng(3).normal(0, 0.2, 50 * RATE_HZ), RATE_HZ)
    rows = [["long.wav", f"{0.1 * k:.1f}", f"{0.1 * k + 8:.1f}"] for k in range(ROWS)]
    rows[100][0] = "gone.wav"
    with (folder / "m.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "start_s", "end_s"], *rows])
    return folder


@pytest.fixture(scope="module")
def undisturbed(work: Path) -> dict[str, bytes]:
    """The files of a batch that nobody disturbed."""
    process = start(work, work / "out")
    _, err = process.communicate()
    assert process.returncode == 1
    assert err == f"overtone: 1 of {ROWS} could not be recognised; {work / 'out' / 'failures.csv'} says why\n"
    return contents(work / "out")


def start(
    work: Path, out: Path, before: Callable[[], object] | None = None, **environment: str
) -> subprocess.Popen[str]:
    """The batch as a process and a process group of its own."""
    words = ["batch", str(work / "m.csv"), "--output", str(out), "--model", str(work / "tiny.onnx"), "--processes", "2"]
    return subprocess.Popen(
        [sys.executable, "-m", "overtone", *words],
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


def wait_for(parts: int, out: Path, process: subprocess.Popen[str], patience_s: float = 60) -> None:
    """Returns when so many parts lie in the folder, or the batch has ended."""
    end_s = time.monotonic() + patience_s
    while process.poll() is None and parts_in(out) < parts:
        assert time.monotonic() < end_s, "no part came"
        time.sleep(0.002)


def test_killed_at_random_moments_it_ends_the_same(work: Path, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
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
    assert contents(out) == undisturbed


def test_ctrl_c_leaves_what_is_done_and_no_traceback(work: Path, tmp_path: Path) -> None:
    process = start(work, tmp_path / "out", lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    wait_for(1, tmp_path / "out", process)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate()
    assert (process.returncode, err) == (130, "")
    assert parts_in(tmp_path / "out") > 0
    assert not (tmp_path / "out" / "answers.csv").exists()


def test_a_disk_that_fills_up_leaves_no_half_a_file(work: Path, undisturbed: dict[str, bytes], tmp_path: Path) -> None:
    out, largest = tmp_path / "out", len(undisturbed["answers.csv"]) - 1

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    process = start(work, out, limit)
    _, err = process.communicate()
    assert process.returncode == 1
    assert err == f"overtone: cannot write {out}/parts/answers.csv: File too large; make room or choose another place\n"
    assert not any(path.name.startswith("answers") for path in (*out.iterdir(), *(out / "parts").iterdir()))
    assert not list((out / "parts").glob(".*.part"))
    start(work, out).communicate()
    assert contents(out) == undisturbed


CRASHING = """
import os, signal
import overtone.audio.discovery as search
is_special = search.is_special

def is_special_or_deadly(file):
    if file.name == "gone.wav":
        os.kill(os.getpid(), signal.SIGSEGV)
    return is_special(file)

search.is_special = is_special_or_deadly
"""


def test_a_file_that_crashes_the_decoder_costs_itself(
    work: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(CRASHING)  # imported by every Python that starts
    paths = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    process = start(work, tmp_path / "out", PYTHONPATH=paths)
    process.communicate()
    assert process.returncode == 1
    found = contents(tmp_path / "out")
    assert found["answers.csv"] == undisturbed["answers.csv"]
    (row,) = csv.DictReader(found["failures.csv"].decode().splitlines())
    assert row["path"] == "gone.wav"
    assert row["error"].startswith(f"{work}/gone.wav: two processes died of it (SIGSEGV): ")


def test_every_kind_of_bad_file_is_named(work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    good = audio_files.encoded(audio_files.tone(RATE_HZ), RATE_HZ)
    names = ["a.wav", "new\nline.wav", 'with "quotes", commas.wav', "not-utf8-\udcff.wav"]
    bad = {
        "empty.wav": b"",
        "text.wav": b"I am no sound",
        "truncated.wav": good[:-100],
        "header.wav": good[:4] + bytes(40) + good[44:],
        "nan.wav": audio_files.encoded(np.full(RATE_HZ, np.nan), RATE_HZ, depth="FLOAT"),
        "short.wav": audio_files.encoded(audio_files.tone(RATE_HZ, 0.05), RATE_HZ),
        "silence.wav": audio_files.encoded(np.zeros(RATE_HZ), RATE_HZ),
        "long.wav": audio_files.encoded(np.zeros(601 * 8_000), 8_000, depth="PCM_U8"),
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
    assert "13 of 17 could not be recognised" in capsys.readouterr().err
    text = (out / "answers.csv").read_bytes().decode("utf-8", "surrogateescape")
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    assert [Path(row["path"]).name for row in rows] == sorted(names)
    with (out / "failures.csv").open(newline="") as file:
        failures = {Path(row["path"]).name: row["error"] for row in csv.DictReader(file)}
    assert failures.keys() == {*bad, "loop.wav", "dangling.wav", "pipe.wav", "folder.wav", "missing.wav"}
    for name, told in {
        "empty.wav": "is empty",
        "nan.wav": "not finite",
        "short.wav": "no speech in 50 ms",
        "silence.wav": "nothing but silence",
        "long.wav": "more than 600 s",
        "pipe.wav": "not a regular file",
        "folder.wav": "a folder without sound files",
        "missing.wav": "no such file",
    }.items():
        assert told in failures[name]


def test_an_output_folder_that_cannot_be_made(work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "out"
    assert main(["batch", str(work / "m.csv"), "--output", str(out), "--model", str(work / "tiny.onnx")]) == 1
    assert capsys.readouterr().err.startswith(f"overtone: cannot write {out}")


def test_what_predict_says_of_a_speaker_it_knows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    speech = str(PROJECT / "examples" / "speech")
    known = [speech, "--adapt-from", speech, "--uncertain-below", "0.6"]
    assert main(["predict", speech, "--format", "csv"]) == 0
    unknown = capsys.readouterr().out
    assert main(["predict", *known, "--format", "csv"]) == 0
    expected = capsys.readouterr().out
    assert main(["batch", *known, "--output", str(tmp_path / "out"), "--processes", "1"]) == 0
    assert (tmp_path / "out" / "answers.csv").read_text("utf-8") == expected != unknown


def test_adapting_to_no_clip_is_refused(work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["batch", str(work / "m.csv"), "--output", str(tmp_path / "out"), "--adapt-from", str(tmp_path)]
    assert main(words) == 1
    left_out, refused = capsys.readouterr().err.splitlines()
    assert left_out.startswith(f"overtone: not adapted to: {tmp_path}: a folder without sound files")
    assert "to adapt to a speaker takes at least one clip" in refused


@pytest.mark.parametrize("shard", ["0/2", "3/2", "2", "a/b", "1/"])
def test_a_shard_that_is_none(shard: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["batch", "x", "--output", "y", "--shard", shard])
    assert "argument --shard: expected" in capsys.readouterr().err
