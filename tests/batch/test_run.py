"""A batch ends with the same files however often it is interrupted, and a bad input does not affect the others."""

import csv
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from output_rows import read_rows

from overtone.audio.decode import read
from overtone.batch import local_engine
from overtone.batch.checkpoint import BatchCheckpoint, BatchFingerprint
from overtone.batch.inputs import Inputs, collect_inputs
from overtone.batch.local_engine import PART_SIZE
from overtone.batch.recogniser_config import RecogniserConfig
from overtone.batch.run import run
from overtone.datatypes import Prediction
from overtone.errors import OptionError, OvertoneError
from overtone.formats import save
from overtone.formats.csv import FIXED_COLUMNS
from overtone.inference.recogniser import load

RATE_HZ = 16_000
INPUTS = 2 * PART_SIZE + 5


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, an audio file, and a manifest of its segments that fills three parts and has two bad rows."""
    folder = tmp_path_factory.mktemp("work")
    tiny_model.write(folder / "tiny.onnx")
    samples = np.random.default_rng(3).normal(0, 0.2, 20 * RATE_HZ)
    soundfile.write(folder / "long.wav", samples, RATE_HZ)
    rows = [["long.wav", f"{0.1 * k:.1f}", f"{0.1 * k + 1:.1f}", f"row {k}"] for k in range(INPUTS)]
    rows[7][0] = rows[70][0] = "gone.wav"
    with (folder / "m.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "start_s", "end_s", "note"], *rows])
    return folder


@pytest.fixture
def config(work: Path) -> RecogniserConfig:
    return RecogniserConfig(str(work / "tiny.onnx"))


@pytest.fixture
def inputs(work: Path) -> Inputs:
    return collect_inputs([str(work / "m.csv")])


@pytest.fixture(scope="module")
def expected_files(work: Path) -> dict[str, bytes]:
    """The output of an uninterrupted batch."""
    config = RecogniserConfig(str(work / "tiny.onnx"))
    report = run(collect_inputs([str(work / "m.csv")]), work / "out", config, processes=2)
    assert (report["predictions"], report["failures"]) == (INPUTS - 2, 2)
    return contents(work / "out")


def contents(folder: Path) -> dict[str, bytes]:
    """The content of every file in a folder and its subfolders, by relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_predictions_are_those_of_the_recogniser_in_order(
    work: Path, expected_files: dict[str, bytes], tmp_path: Path
) -> None:
    assert sorted(expected_files) == ["batch.json", "failures.csv", "predictions.csv"]
    recogniser = load(work / "tiny.onnx")
    expected = []
    for row in read_rows(work / "m.csv"):
        if row["path"] == "long.wav":
            start_s, end_s = float(row["start_s"]), float(row["end_s"])
            prediction = recogniser.recognise(read(work / "long.wav", start_s=start_s, end_s=end_s))
            fields = {**vars(prediction), "source": row.pop("path"), "columns": row}
            expected.append(Prediction(**fields))
    save(expected, tmp_path / "expected.csv", "csv")
    assert expected_files["predictions.csv"] == (tmp_path / "expected.csv").read_bytes()


def test_failures_keep_the_columns_of_the_manifest(work: Path, expected_files: dict[str, bytes]) -> None:
    assert expected_files["failures.csv"].decode() == (
        "start_s,end_s,note,path,error\n"
        f"0.7,1.7,row 7,gone.wav,{work}/gone.wav: no such file\n"
        f"7.0,8.0,row 70,gone.wav,{work}/gone.wav: no such file\n"
    )


def test_a_batch_stopped_after_every_file_ends_the_same(
    inputs: Inputs,
    config: RecogniserConfig,
    expected_files: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every file is written by one rename; each run is stopped at the first new one."""
    replace, written = Path.replace, []

    def replace_and_stop(path: Path, target: Path) -> Path:
        if target.name in written:
            return replace(path, target)
        replace(path, target)
        written.append(target.name)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", replace_and_stop)
    while True:
        try:
            report = run(inputs, tmp_path / "out", config, processes=1)
        except KeyboardInterrupt:
            continue
        break
    assert sorted(written) == [
        *("00000.jsonl", "00001.jsonl", "00002.jsonl"),
        *("batch.json", "failures.csv", "fingerprint.json", "predictions.csv"),
    ]
    assert contents(tmp_path / "out") == expected_files
    assert report["failures"] == 2


def test_a_finished_batch_is_not_run_again(
    inputs: Inputs,
    config: RecogniserConfig,
    work: Path,
    expected_files: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(local_engine, "run_tasks", None)  # no worker is used
    (work / "out" / "parts").mkdir()  # killed before it removed the parts
    report = run(inputs, work / "out", config)
    assert (report["predictions"], report["failures"]) == (INPUTS - 2, 2)
    assert contents(work / "out") == expected_files
    assert not (work / "out" / "parts").exists()


def test_stored_parts_are_reused_and_emptied_ones_run_again(
    inputs: Inputs,
    config: RecogniserConfig,
    expected_files: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, progress = tmp_path / "out", []
    monkeypatch.setattr(BatchCheckpoint, "finish", raise_disk_full)
    with pytest.raises(OvertoneError, match="disk full"):
        run(inputs, out, config, processes=1)
    monkeypatch.undo()
    (out / "parts" / "00001.jsonl").write_bytes(b"")  # as after a power cut
    run(inputs, out, config, processes=1, progress=lambda done, total, text: progress.append((done, total)))
    assert progress[0] == (INPUTS - PART_SIZE + 1, INPUTS)
    assert progress[-1] == (INPUTS, INPUTS)
    assert len(progress) == PART_SIZE
    assert contents(out) == expected_files


def raise_disk_full(*_: object) -> None:
    raise OvertoneError("disk full")


@pytest.mark.parametrize("done", [True, False])
def test_another_batch_is_refused(
    work: Path, inputs: Inputs, config: RecogniserConfig, tmp_path: Path, done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    few = Inputs(inputs.rows[:3], inputs.manifest, inputs.columns)
    if not done:
        monkeypatch.setattr(local_engine, "run_tasks", raise_disk_full)
        with pytest.raises(OvertoneError, match="disk full"):
            run(few, out, config, processes=1)
        monkeypatch.undo()
    else:
        run(few, out, config, processes=1)
    before = contents(out)
    other = tiny_model.write(tmp_path / "other.onnx", id="tiny-2")
    trials: list[tuple[Callable[[], object], str]] = [
        (lambda: run(inputs, out, config), "inputs;"),
        (lambda: run(few, out, RecogniserConfig(str(other))), "model;"),
        (lambda: run(few, out, config._replace(uncertain_below=0.9)), "uncertain_below;"),
        (lambda: run(few, out, config._replace(emotions=("sad", "calm"), branches=("mel",))), "emotions, branches;"),
        (lambda: run(few, out, config._replace(channel="1")), "channel;"),
        (lambda: run(few, out, config, format="jsonl", shard=(1, 2)), "shard, format;"),
    ]
    for trial, differences in trials:
        with pytest.raises(OvertoneError, match=f"out: .* differs in {differences} choose another"):
            trial()
    assert contents(out) == before


def test_each_part_belongs_to_one_shard(
    inputs: Inputs, config: RecogniserConfig, expected_files: dict[str, bytes], tmp_path: Path
) -> None:
    header, *lines = expected_files["predictions.csv"].splitlines()
    found = []
    for shard in (1, 2, 4):
        out = tmp_path / str(shard)
        run(inputs, out, config, shard=(shard, 4), processes=1)
        found.append((out / "predictions.csv").read_bytes().splitlines())
    assert found[2] == [",".join(FIXED_COLUMNS).encode()], "there are three parts"
    assert found[0] == [header, *lines[: PART_SIZE - 1]]
    assert found[1] == [header, *lines[PART_SIZE - 1 : 2 * PART_SIZE - 2]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "json"}, "unknown batch format 'json'; did you mean 'jsonl'?"),
        ({"processes": 0}, "processes: expected at least 1"),
        ({"shard": (3, 2)}, "shard: expected K/N"),
    ],
)
def test_invalid_options_are_refused(
    inputs: Inputs, config: RecogniserConfig, tmp_path: Path, options: dict, message: str
) -> None:
    with pytest.raises(OptionError, match=message.replace("?", r"\?")):
        run(inputs, tmp_path / "out", config, **options)
    assert not (tmp_path / "out").exists()


def test_a_model_file_that_changes_ends_the_batch(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, start = tiny_model.write(tmp_path / "m.onnx"), BatchCheckpoint.start

    def start_and_replace_model(checkpoint: BatchCheckpoint, fingerprint: BatchFingerprint) -> None:
        start(checkpoint, fingerprint)
        tiny_model.write(model, id="tiny-2")

    monkeypatch.setattr(BatchCheckpoint, "start", start_and_replace_model)
    with pytest.raises(OvertoneError, match=r"m\.onnx: has changed"):
        run(inputs, tmp_path / "out", RecogniserConfig(str(model)), processes=1)


def test_files_that_change_or_disappear_are_recognised_or_listed_as_failures(
    config: RecogniserConfig, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    samples = np.random.default_rng(3).normal(0, 0.2, RATE_HZ)
    paths = [folder / f"{number:03}.wav" for number in range(3 * PART_SIZE)]
    for path in paths:
        soundfile.write(path, samples, RATE_HZ)
    content = paths[0].read_bytes()
    inputs = collect_inputs([str(folder)])
    ended = threading.Event()

    def disturb() -> None:
        rng = np.random.default_rng(5)
        while not ended.is_set():
            path = paths[rng.integers(len(paths))]
            path.unlink() if rng.random() < 0.3 and path.exists() else path.write_bytes(
                content[: rng.integers(len(content))]
            )

    disturber = threading.Thread(target=disturb)
    disturber.start()
    try:
        report = run(inputs, tmp_path / "out", config, processes=1)
    finally:
        ended.set()
        disturber.join()
    recognised, failed = read_rows(tmp_path / "out" / "predictions.csv"), read_rows(tmp_path / "out" / "failures.csv")
    assert sorted(row["path"] for row in recognised + failed) == [str(path) for path in paths]
    assert report["failures"] == len(failed) > 0
