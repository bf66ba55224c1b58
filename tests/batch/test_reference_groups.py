"""Inputs of one group are adapted to each other, with the same result however often the batch is interrupted."""

import csv
import io
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from output_rows import read_rows

from overtone.audio.decode import read
from overtone.batch import reference_groups
from overtone.batch.inputs import Input, Inputs, collect_inputs
from overtone.batch.recogniser_config import RecogniserConfig
from overtone.batch.reference_groups import assign_groups
from overtone.batch.run import run
from overtone.errors import InputError, ModelError, OptionError, OvertoneError
from overtone.formats.csv import write
from overtone.inference.recogniser import load

RATE_HZ = 16_000
SPEAKERS = ("anna", "ben", "anna", "carl", "ben", "anna", "", "ben", "carl", "dora", "dora", "dora")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, audio files of which the last one is not audio, and a manifest with their speakers."""
    folder = tmp_path_factory.mktemp("work")
    tiny_model.write(folder / "adapts.onnx", adapts=True)
    tiny_model.write(folder / "plain.onnx")
    rng = np.random.default_rng(4)
    rows = []
    for number, speaker in enumerate(SPEAKERS):
        name = f"{number % 2}/{number:02}.wav"
        (folder / name).parent.mkdir(exist_ok=True)
        soundfile.write(folder / name, rng.normal(0, 0.02 * (1 + number), RATE_HZ).clip(-1, 1), RATE_HZ)
        rows.append([name, speaker])
    (folder / rows[-1][0]).write_bytes(b"not audio")
    with (folder / "m.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "speaker"], *rows])
    return folder


@pytest.fixture
def config(work: Path) -> RecogniserConfig:
    return RecogniserConfig(str(work / "adapts.onnx"))


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_groups, "PART_CLIPS", 4)


def run_manifest(work: Path, output: Path, config: RecogniserConfig, by: str = "speaker", **options) -> list[dict]:
    run(collect_inputs([str(work / "m.csv")]), output, config, reference_by=by, processes=1, **options)
    return read_rows(output / "predictions.csv")


@pytest.fixture(scope="module")
def uninterrupted(work: Path) -> Path:
    """The output of an uninterrupted batch, grouped by speaker."""
    run_manifest(work, work / "out", RecogniserConfig(str(work / "adapts.onnx")))
    return work / "out"


def test_inputs_are_adapted_to_their_group(work: Path, uninterrupted: Path) -> None:
    rows = read_rows(uninterrupted / "predictions.csv")
    paths = {row["path"]: work / row["path"] for row in rows}
    recogniser = load(work / "adapts.onnx")
    sizes = {"anna": 3, "ben": 3, "carl": 0, "dora": 0, "": 0}  # the third file of dora is not audio
    assert [int(row["reference_clips"]) for row in rows] == [sizes[row["speaker"]] for row in rows]
    for row in rows:
        group = [path for path, other in zip(paths.values(), rows, strict=True) if other["speaker"] == row["speaker"]]
        adapted = recogniser.adapt(group) if sizes[row["speaker"]] else recogniser
        expected = io.StringIO()
        write([adapted.recognise(read(paths[row["path"]]))], expected)
        (expected_row,) = csv.DictReader(io.StringIO(expected.getvalue()))
        assert {**expected_row, "path": ""} == {**{key: row[key] for key in expected_row}, "path": ""}
    (failure,) = read_rows(uninterrupted / "failures.csv")
    assert failure["path"].endswith("11.wav")
    assert not (uninterrupted / "parts").exists()


@pytest.mark.parametrize("interrupted_after", [6, 15])
def test_an_interrupted_batch_ends_the_same(
    work: Path, uninterrupted: Path, config: RecogniserConfig, tmp_path: Path, interrupted_after: int
) -> None:
    steps: list[tuple[int, int]] = []

    def interrupt(done: int, total: int, text: str) -> None:
        steps.append((done, total))
        if len(steps) == interrupted_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_manifest(work, tmp_path / "out", config, progress=interrupt)
    run_manifest(work, tmp_path / "out", config, progress=interrupt)
    assert steps[-1] == (9 + 12, 9 + 12)  # clips of groups that are large enough, and inputs
    names = ("predictions.csv", "failures.csv", "batch.json")
    contents = [[(folder / name).read_bytes() for name in names] for folder in (tmp_path / "out", uninterrupted)]
    assert contents[0] == contents[1]


def test_another_grouping_is_another_batch(work: Path, uninterrupted: Path, config: RecogniserConfig) -> None:
    with pytest.raises(OvertoneError, match="differs in reference_by"):
        run_manifest(work, uninterrupted, config, by="folder")


def test_groups_by_folder(work: Path) -> None:
    inputs = collect_inputs([str(work / "0"), os.path.relpath(work / "1")])
    assert assign_groups(inputs, "folder") == (0,) * 6 + (1,) * 6
    urls = Inputs([Input(f"s3://b/{name}", f"s3://b/{name}") for name in ("x/1", "x/2", "x/3", "x/y/1", "1")])
    assert assign_groups(urls, "folder") == (0, 0, 0, None, None)
    copied = Inputs([Input(f"{k % 2}/{k}.wav", "/cache/ab/ab12.wav", origin=f"d.parquet, row {k}") for k in range(6)])
    assert assign_groups(copied, "folder") == (0, 1, 0, 1, 0, 1)


def test_a_column_named_folder_has_priority() -> None:
    rows = [Input("a", f"{k}/a.wav", values=(value,)) for k, value in enumerate([7, 7, None, 7, ""])]
    assert assign_groups(Inputs(rows, "m.csv", ("folder",)), "folder") == (0, 0, None, 0, None)


def test_a_large_group_refers_to_clips_spread_over_it(
    work: Path, config: RecogniserConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference_groups, "MAX_GROUP_CLIPS", 3)
    rows = run_manifest(work, tmp_path / "out", config, by="folder")
    assert {int(row["reference_clips"]) for row in rows if row["path"].startswith("0/")} == {3}
    clips = [work / name for name in ("0/00.wav", "0/04.wav", "0/08.wav")]
    adapted = load(work / "adapts.onnx").adapt(clips).recognise(work / "0" / "02.wav")
    (row,) = (row for row in rows if row["path"] == "0/02.wav")
    assert float(row["p_sad"]) == pytest.approx(adapted.probabilities[adapted.emotions.index("sad")], abs=2e-6)


def test_incompatible_options_are_refused(work: Path, config: RecogniserConfig, tmp_path: Path) -> None:
    inputs, out = collect_inputs([str(work / "m.csv")]), tmp_path / "out"
    with pytest.raises(InputError, match=r"m\.csv: no column 'speakr'.*speaker"):
        run(inputs, out, config, reference_by="speakr")
    with pytest.raises(OptionError, match="cannot be combined with --reference"):
        run(inputs, out, config._replace(reference=("a.wav",)), reference_by="speaker")
    with pytest.raises(OptionError, match="--engine local"):
        run(inputs, out, config, reference_by="speaker", engine="ray")
    with pytest.raises(OptionError, match="shards"):
        run(inputs, out, config, reference_by="speaker", shard=(1, 2))
    with pytest.raises(ModelError, match="no speaker adapter"):
        run(inputs, out, RecogniserConfig(str(work / "plain.onnx")), reference_by="speaker")
    assert not out.exists()


def test_a_batch_without_large_groups_is_not_adapted(config: RecogniserConfig, work: Path, tmp_path: Path) -> None:
    inputs = collect_inputs([str(work / "0" / "00.wav")])
    run(inputs, tmp_path / "out", config, reference_by="folder", processes=1)
    (row,) = read_rows(tmp_path / "out" / "predictions.csv")
    assert row["reference_clips"] == "0"
