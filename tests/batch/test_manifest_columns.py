"""The columns and rows of a manifest in the output of a batch: names, types, channels, and rows that are invalid."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from output_rows import read_rows

from overtone.audio.decode import read
from overtone.batch.inputs import collect_inputs
from overtone.batch.recogniser_config import RecogniserConfig
from overtone.batch.run import run
from overtone.corpora import manifest
from overtone.errors import InputError
from overtone.inference.recogniser import load

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and an audio file."""
    folder = tmp_path_factory.mktemp("work")
    tiny_model.write(folder / "tiny.onnx")
    soundfile.write(folder / "long.wav", np.random.default_rng(3).normal(0, 0.2, 20 * RATE_HZ), RATE_HZ)
    return folder


@pytest.fixture
def config(work: Path) -> RecogniserConfig:
    return RecogniserConfig(str(work / "tiny.onnx"))


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_manifest_columns_named_like_output_columns_are_kept_under_another_name(
    work: Path, config: RecogniserConfig, tmp_path: Path, format: str
) -> None:
    text = "path,Emotion,mel_p_sad,model,label\n" + f"{work}/long.wav,Joy,0.5,x,y\n{work}/gone.wav,ärgerlich,,,z\n"
    (tmp_path / "m.csv").write_text(text, "utf-8")
    run(collect_inputs([str(tmp_path / "m.csv")]), tmp_path / "out", config, format=format, processes=1)
    (row,) = read_table(tmp_path / "out" / f"predictions.{format}")
    assert list(row)[:4] == ["given_Emotion", "given_mel_p_sad", "given_model", "label"]
    assert list(row.values())[:4] == ["Joy", "0.5", "x", "y"]
    assert row["emotion"] != "Joy"
    (failure,) = read_rows(tmp_path / "out" / "failures.csv")
    assert (failure["given_Emotion"], failure["label"]) == ("ärgerlich", "z")


@pytest.mark.parametrize(
    ("columns", "cells", "interval"),
    [
        ("duration", "1.5", (None, None)),
        ("start_s", "0.5", (0.5, None)),
        ("start_s,Duration_s", "0.5,2", (0.5, 2.5)),
        ("offset,duration", "0.5,2", (0.5, 2.5)),
        ("offset,duration", ",2", (None, 2.0)),
        ("start_s,end_s,offset", "0.5,2,9", (0.5, 2.0)),
    ],
)
def test_predictions_name_the_intervals_of_their_manifest(
    work: Path, config: RecogniserConfig, tmp_path: Path, columns: str, cells: str, interval: tuple[float, float]
) -> None:
    """The output column `duration_s` is no second duration."""
    (tmp_path / "m.csv").write_text(f"path,emotion,{columns}\n{work}/long.wav,sad,{cells}\n")
    run(collect_inputs([str(tmp_path / "m.csv")]), tmp_path / "out", config, processes=1)
    (row,) = collect_inputs([str(tmp_path / "out" / "predictions.csv")]).rows
    assert (row.start_s, row.end_s, row.error) == (*interval, "")
    (utterance,) = manifest.read(tmp_path / "out").utterances
    assert (utterance.start_s, utterance.end_s, utterance.emotion) == (interval[0] or 0.0, interval[1], "sad")


def test_columns_that_would_have_one_name_are_refused(work: Path, config: RecogniserConfig, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("path,emotion,given_emotion\na.wav,x,y\n")
    with pytest.raises(InputError, match=r"m\.csv: both 'emotion' and 'given_emotion' would be 'given_emotion'"):
        run(collect_inputs([str(tmp_path / "m.csv")]), tmp_path / "out", config)


def read_table(path: Path) -> list[dict]:
    """The rows of a table of predictions in any format."""
    if path.suffix == ".csv":
        return list(read_rows(path))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return pytest.importorskip("pyarrow.parquet").read_table(path).to_pylist()


def test_bad_rows_of_a_manifest_are_failures(work: Path, config: RecogniserConfig, tmp_path: Path) -> None:
    rows = [*["long.wav,1,x"] * 3, "long.wav,soon,y", "long.wav", ",1,z"]
    (work / "bad.csv").write_text("path,end_s,note\n" + "\n".join(rows) + "\n")
    report = run(collect_inputs([str(work / "bad.csv")]), tmp_path / "out", config, processes=1)
    assert (report["predictions"], report["failures"]) == (3, 3)
    assert (tmp_path / "out" / "failures.csv").read_text().splitlines()[1:] == [
        f"soon,y,long.wav,\"{work}/bad.csv, line 5: end_s 'soon' is not a number of seconds such as 12.5\"",
        f',,long.wav,"{work}/bad.csv, line 6: 1 cells where the header has 3"',
        f"1,z,,\"{work}/bad.csv, line 7: its 'path' is not a file name\"",
    ]


def test_each_row_may_name_a_channel(config: RecogniserConfig, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    soundfile.write(tmp_path / "call.wav", rng.normal(0, [0.2, 0.02], (RATE_HZ, 2)), RATE_HZ)
    lines = ['{"path": "call.wav", "channel": "left"}', '{"path": "call.wav", "channel": 2}', '{"path": "call.wav"}']
    lines += ['{"path": "call.wav", "channel": 3}']
    (tmp_path / "m.jsonl").write_text("\n".join(lines))
    inputs = collect_inputs([str(tmp_path / "m.jsonl")])
    report = run(inputs, tmp_path / "out", config._replace(channel="right"), processes=1)
    recogniser = load(config.model_path)
    expected = [
        recogniser.recognise(read(tmp_path / "call.wav", channel=channel)) for channel in ("left", "right", "right")
    ]
    found = read_rows(tmp_path / "out" / "predictions.csv")
    assert [row["confidence"] for row in found] == [f"{prediction.confidence:.6f}" for prediction in expected]
    assert found[0]["p_sad"] != found[1]["p_sad"] == found[2]["p_sad"]
    (failure,) = read_rows(tmp_path / "out" / "failures.csv")
    assert failure["error"].endswith("has 2 channels, so there is no channel 3; choose a channel from 1 to 2, or mix")
    assert report["failures"] == 1


def test_types_of_json_lines_are_kept_in_parquet(work: Path, config: RecogniserConfig, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet", reason="pyarrow comes with the [parquet] extra")
    lines = [
        f'{{"path": "{work}/long.wav", "n": 3, "x": 1, "ok": true, "more": [1]}}',
        f'{{"path": "{work}/long.wav", "x": 0.5}}',
    ]
    (tmp_path / "m.jsonl").write_text("\n".join(lines))
    run(collect_inputs([str(tmp_path / "m.jsonl")]), tmp_path / "out", config, format="parquet", processes=1)
    rows = pq.read_table(tmp_path / "out" / "predictions.parquet").to_pylist()
    assert [[row[name] for name in ("n", "x", "ok", "more")] for row in rows] == [
        [3, 1.0, True, "[1]"],
        [None, 0.5, None, None],
    ]


def test_json_lines_and_parquet_have_the_same_content(work: Path, config: RecogniserConfig, tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
    import pyarrow.parquet

    columns = {"path": [str(work / "long.wav"), "gone.wav"], "id": pa.array([4, 5], pa.int8()), "said": ["oh", None]}
    pyarrow.parquet.write_table(pa.table(columns), tmp_path / "m.parquet")
    inputs = collect_inputs([str(tmp_path / "m.parquet")])
    for format in ("jsonl", "parquet"):
        run(inputs, tmp_path / format, config, format=format, processes=1)
    (line,) = (tmp_path / "jsonl" / "predictions.jsonl").read_text().splitlines()
    table = pyarrow.parquet.read_table(tmp_path / "parquet" / "predictions.parquet")
    (row,) = table.to_pylist()
    assert str(table.schema.field("id").type) == "int8"
    found = json.loads(line)
    for name in ("id", "said", "path", "emotion"):
        assert found[name] == row[name]
    assert round(row["p_sad"], 6) == found["probabilities"]["sad"]
    assert [row["id"] for row in read_rows(tmp_path / "parquet" / "failures.csv")] == ["5"]
