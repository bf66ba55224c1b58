"""A batch ends with the same files whatever happens on the way, and a bad input costs nobody but itself."""

import csv
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model

from overtone.audio.decode import read
from overtone.batch import local_engine
from overtone.batch.checkpoint import BatchCheckpoint, BatchFingerprint
from overtone.batch.inputs import Inputs, collect_inputs
from overtone.batch.local_engine import PART_INPUTS
from overtone.batch.recogniser_config import RecogniserConfig
from overtone.batch.run import run
from overtone.datatypes import Prediction
from overtone.errors import InputError, OptionError, OvertoneError
from overtone.formats import save
from overtone.inference.recogniser import load

RATE_HZ = 16_000
INPUTS = 2 * PART_INPUTS + 5


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, one sound, and a manifest of stretches of it that fills three parts, two of its rows bad."""
    folder = tmp_path_factory.mktemp("work")
    tiny_model.write(folder / "tiny.onnx")
    sound = np.random.default_rng(3).normal(0, 0.2, 20 * RATE_HZ)
    soundfile.write(folder / "long.wav", sound, RATE_HZ)
    rows = [["long.wav", f"{0.1 * k:.1f}", f"{0.1 * k + 1:.1f}", f"row {k}"] for k in range(INPUTS)]
    rows[7][0] = rows[70][0] = "gone.wav"
    with (folder / "m.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "start_s", "end_s", "note"], *rows])
    return folder


@pytest.fixture
def setting(work: Path) -> RecogniserConfig:
    return RecogniserConfig(str(work / "tiny.onnx"))


@pytest.fixture
def inputs(work: Path) -> Inputs:
    return collect_inputs([str(work / "m.csv")])


@pytest.fixture(scope="module")
def undisturbed(work: Path) -> dict[str, bytes]:
    """The files of a batch that nobody disturbed."""
    report = run(collect_inputs([str(work / "m.csv")]), work / "out", RecogniserConfig(str(work / "tiny.onnx")), jobs=2)
    assert (report["answers"], report["failures"]) == (INPUTS - 2, 2)
    return contents(work / "out")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file in a folder and below, by its name."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


def test_answers_are_those_of_the_recogniser_in_order(
    work: Path, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    assert sorted(undisturbed) == ["answers.csv", "batch.json", "failures.csv"]
    recogniser = load(work / "tiny.onnx")
    expected = []
    for row in rows_of(work / "m.csv"):
        if row["path"] == "long.wav":
            start_s, end_s = float(row["start_s"]), float(row["end_s"])
            answer = recogniser.recognise(read(work / "long.wav", start_s=start_s, end_s=end_s))
            fields = {**vars(answer), "source": row.pop("path"), "columns": row}
            expected.append(Prediction(**fields))
    save(expected, tmp_path / "expected.csv", "csv")
    assert undisturbed["answers.csv"] == (tmp_path / "expected.csv").read_bytes()


def test_failures_keep_the_columns_of_the_manifest(work: Path, undisturbed: dict[str, bytes]) -> None:
    assert undisturbed["failures.csv"].decode() == (
        "start_s,end_s,note,path,error\n"
        f"0.7,1.7,row 7,gone.wav,{work}/gone.wav: no such file\n"
        f"7.0,8.0,row 70,gone.wav,{work}/gone.wav: no such file\n"
    )


def test_stopped_after_every_file_it_ends_the_same(
    inputs: Inputs,
    setting: RecogniserConfig,
    undisturbed: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A file takes its place by one rename; each run gets to one more of them."""
    replace, places = Path.replace, []

    def replace_and_stop(path: Path, target: Path) -> Path:
        if target.name in places:
            return replace(path, target)
        replace(path, target)
        places.append(target.name)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", replace_and_stop)
    while True:
        try:
            report = run(inputs, tmp_path / "out", setting, jobs=1)
        except KeyboardInterrupt:
            continue
        break
    assert sorted(places) == [
        *("00000.jsonl", "00001.jsonl", "00002.jsonl"),
        *("answers.csv", "batch.json", "failures.csv", "plan.json"),
    ]
    assert contents(tmp_path / "out") == undisturbed
    assert report["failures"] == 2


def test_what_is_done_is_not_done_again(
    inputs: Inputs,
    setting: RecogniserConfig,
    work: Path,
    undisturbed: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(local_engine, "results", None)  # no worker is asked
    (work / "out" / "parts").mkdir()  # killed while it cleared away
    report = run(inputs, work / "out", setting)
    assert (report["answers"], report["failures"]) == (INPUTS - 2, 2)
    assert contents(work / "out") == undisturbed
    assert not (work / "out" / "parts").exists()


def test_parts_that_are_there_are_kept_and_emptied_ones_done_anew(
    inputs: Inputs,
    setting: RecogniserConfig,
    undisturbed: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, told = tmp_path / "out", []
    monkeypatch.setattr(BatchCheckpoint, "finish", broken)
    with pytest.raises(OvertoneError, match="no room"):
        run(inputs, out, setting, jobs=1)
    monkeypatch.undo()
    (out / "parts" / "00001.jsonl").write_bytes(b"")  # as after a power cut
    run(inputs, out, setting, jobs=1, progress=lambda done, total, text: told.append((done, total)))
    assert told[0] == (INPUTS - PART_INPUTS + 1, INPUTS)
    assert told[-1] == (INPUTS, INPUTS)
    assert len(told) == PART_INPUTS
    assert contents(out) == undisturbed


def broken(*_: object) -> None:
    raise OvertoneError("no room")


@pytest.mark.parametrize("done", [True, False])
def test_another_batch_is_refused(
    work: Path, inputs: Inputs, setting: RecogniserConfig, tmp_path: Path, done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    few = Inputs(inputs.rows[:3], inputs.manifest, inputs.columns)
    if not done:
        monkeypatch.setattr(local_engine, "results", broken)
        with pytest.raises(OvertoneError, match="no room"):
            run(few, out, setting, jobs=1)
        monkeypatch.undo()
    else:
        run(few, out, setting, jobs=1)
    before = contents(out)
    other = tiny_model.write(tmp_path / "other.onnx", id="tiny-2")
    trials: list[tuple[Callable[[], object], str]] = [
        (lambda: run(inputs, out, setting), "other inputs;"),
        (lambda: run(few, out, RecogniserConfig(str(other))), "other model;"),
        (lambda: run(few, out, setting._replace(uncertain_below=0.9)), "other uncertain_below;"),
        (lambda: run(few, out, setting, form="jsonl", shard=(1, 2)), "other shard, other form;"),
    ]
    for trial, told in trials:
        with pytest.raises(OvertoneError, match=f"out: the batch in this folder has {told}.* begin anew"):
            trial()
    assert contents(out) == before


def test_a_folder_of_something_else_or_somebody_else_is_refused(
    inputs: Inputs, setting: RecogniserConfig, tmp_path: Path
) -> None:
    for name in ("mine/answers.csv", "ours/parts/take.wav"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text("dear to me")
        out = tmp_path / Path(name).parts[0]
        with pytest.raises(OvertoneError, match=rf"holds something else \({path.name}\)"):
            run(inputs, out, setting)
        assert contents(out) == {str(path.relative_to(out)): b"dear to me"}
        assert (out / "parts").exists() == ("parts" in name)
    with BatchCheckpoint(tmp_path / "out").locked(), pytest.raises(OvertoneError, match="another process is at work"):
        run(inputs, tmp_path / "out", setting)


def test_shards_share_the_parts_out(
    inputs: Inputs, setting: RecogniserConfig, undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    header, *lines = undisturbed["answers.csv"].splitlines()
    found = []
    for shard in (1, 2, 4):
        out = tmp_path / str(shard)
        run(inputs, out, setting, shard=(shard, 4), jobs=1)
        found.append((out / "answers.csv").read_bytes().splitlines())
    assert found[2] == [b"path,emotion,confidence,uncertain,duration_s"], "there are three parts"
    assert found[0] == [header, *lines[: PART_INPUTS - 1]]
    assert found[1] == [header, *lines[PART_INPUTS - 1 : 2 * PART_INPUTS - 2]]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"form": "json"}, "no form of a batch is called 'json'; did you mean 'jsonl'?"),
        ({"jobs": 0}, "jobs: expected at least 1"),
        ({"shard": (3, 2)}, "shard: expected K/N"),
    ],
)
def test_wrong_options(inputs: Inputs, setting: RecogniserConfig, tmp_path: Path, options: dict, told: str) -> None:
    with pytest.raises(OptionError, match=told.replace("?", r"\?")):
        run(inputs, tmp_path / "out", setting, **options)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["emotion", "mel_p_sad", "model"])
def test_columns_called_as_ours_are_refused(work: Path, setting: RecogniserConfig, tmp_path: Path, name: str) -> None:
    (tmp_path / "m.csv").write_text(f"path,{name}\na.wav,x\n")
    with pytest.raises(InputError, match=rf"m\.csv: its column '{name}' .*'given_{name}'"):
        run(collect_inputs([str(tmp_path / "m.csv")]), tmp_path / "out", setting)


def test_a_model_that_changes_meanwhile_ends_the_batch(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, begin = tiny_model.write(tmp_path / "m.onnx"), BatchCheckpoint.begin

    def begin_and_swap(parts: BatchCheckpoint, plan: BatchFingerprint) -> None:
        begin(parts, plan)
        tiny_model.write(model, id="tiny-2")

    monkeypatch.setattr(BatchCheckpoint, "begin", begin_and_swap)
    with pytest.raises(OvertoneError, match=r"m\.onnx: has changed while the batch ran"):
        run(inputs, tmp_path / "out", RecogniserConfig(str(model)), jobs=1)


def test_json_lines_and_parquet_hold_the_same(work: Path, setting: RecogniserConfig, tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
    import pyarrow.parquet

    columns = {"path": [str(work / "long.wav"), "gone.wav"], "id": pa.array([4, 5], pa.int8()), "said": ["oh", None]}
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "m.parquet")
    inputs = collect_inputs([str(tmp_path / "m.parquet")])
    for form in ("jsonl", "parquet"):
        run(inputs, tmp_path / form, setting, form=form, jobs=1)
    (line,) = (tmp_path / "jsonl" / "answers.jsonl").read_text().splitlines()
    table = pyarrow.parquet.read_table(tmp_path / "parquet" / "answers.parquet")
    (row,) = table.to_pylist()
    assert str(table.schema.field("id").type) == "int8"
    found = json.loads(line)
    for name in ("id", "said", "path", "emotion"):
        assert found[name] == row[name]
    assert round(row["p_sad"], 6) == found["probabilities"]["sad"]
    assert [row["id"] for row in rows_of(tmp_path / "parquet" / "failures.csv")] == ["5"]


def test_files_that_change_and_vanish_are_answered_or_named(setting: RecogniserConfig, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    sound = np.random.default_rng(3).normal(0, 0.2, RATE_HZ)
    paths = [folder / f"{number:03}.wav" for number in range(3 * PART_INPUTS)]
    for path in paths:
        soundfile.write(path, sound, RATE_HZ)
    whole = paths[0].read_bytes()
    inputs = collect_inputs([str(folder)])
    ended = threading.Event()

    def disturb() -> None:
        rng = np.random.default_rng(5)
        while not ended.is_set():
            path = paths[rng.integers(len(paths))]
            path.unlink() if rng.random() < 0.3 and path.exists() else path.write_bytes(
                whole[: rng.integers(len(whole))]
            )

    disturber = threading.Thread(target=disturb)
    disturber.start()
    try:
        report = run(inputs, tmp_path / "out", setting, jobs=1)
    finally:
        ended.set()
        disturber.join()
    answered, failed = rows_of(tmp_path / "out" / "answers.csv"), rows_of(tmp_path / "out" / "failures.csv")
    assert sorted(row["path"] for row in answered + failed) == [str(path) for path in paths]
    assert report["failures"] == len(failed) > 0
