"""Channels of a batch: each channel of an input as a speaker, and the column `channel` of a manifest."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tiny_model
from output_rows import read_rows

from overtone.batch import local_engine
from overtone.batch.inputs import collect_inputs
from overtone.batch.ray_task import RayTask, run_part
from overtone.batch.recogniser_config import RecogniserConfig, fingerprints
from overtone.batch.run import make_schema, run
from overtone.errors import OptionError
from overtone.inference.recogniser import load

RATE_HZ = 16_000
CALLS = 5


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, and stereo calls of which the last but one is silent on the right and the last one is mono."""
    folder = tmp_path_factory.mktemp("work")
    tiny_model.write(folder / "tiny.onnx", adapts=True)
    rng = np.random.default_rng(7)
    (folder / "calls").mkdir()
    for number in range(CALLS):
        samples = rng.normal(0, [0.05, 0.2], (RATE_HZ, 2)).clip(-1, 1)
        if number == CALLS - 2:
            samples[:, 1] = 0
        soundfile.write(folder / "calls" / f"{number}.wav", samples[:, 0] if number == CALLS - 1 else samples, RATE_HZ)
    return folder


@pytest.fixture
def config(work: Path) -> RecogniserConfig:
    return RecogniserConfig(str(work / "tiny.onnx"), channel="each")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_engine, "PART_SIZE", 2)


def write_manifest(path: Path, *rows: str, header: str = "path,channel,note") -> str:
    path.write_text("\n".join([header, *rows]) + "\n")
    return str(path)


def expected_probability(work: Path, number: int, side: int | None) -> float:
    """The first probability of a side of a call, or of its mean."""
    samples, _ = soundfile.read(work / "calls" / f"{number}.wav", always_2d=True)
    mono = samples.astype(np.float32).mean(axis=1) if side is None else samples[:, side].astype(np.float32)
    return float(load(work / "tiny.onnx").recognise(mono, RATE_HZ).probabilities[0])


def test_a_row_per_channel_in_order(work: Path, config: RecogniserConfig, tmp_path: Path) -> None:
    report = run(collect_inputs([str(work / "calls")]), tmp_path / "out", config, processes=2)
    rows, failures = read_rows(tmp_path / "out" / "predictions.csv"), read_rows(tmp_path / "out" / "failures.csv")
    expected = [*((number, side) for number in range(3) for side in range(2)), (3, 0), (4, 0)]
    names = ["left", "right"]
    assert [row["channel"] for row in rows] == [*(names[side] for _, side in expected[:-1]), "1"]
    for row, (number, side) in zip(rows, expected, strict=True):
        assert row["path"] == str(work / "calls" / f"{number}.wav")
        assert float(row["p_neutral"]) == pytest.approx(expected_probability(work, number, side), abs=1e-6)
    (failure,) = failures
    assert (failure["path"], failure["channel"]) == (str(work / "calls" / "3.wav"), "right")
    assert failure["error"].startswith(f"{work / 'calls' / '3.wav'}, channel right: no speech")
    assert (report["predictions"], report["failures"]) == (8, 1)


def test_an_interrupted_batch_of_channels_ends_the_same(
    work: Path, config: RecogniserConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs, replace, written = collect_inputs([str(work / "calls")]), Path.replace, []
    named = config._replace(channel_names=("agent", 'say "hé", Anna'))
    run(inputs, tmp_path / "whole", named, processes=1)

    def replace_and_stop(path: Path, target: Path) -> Path:
        replace(path, target)
        if target.name in written:
            return target
        written.append(target.name)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", replace_and_stop)
    report = None
    while report is None:
        try:
            report = run(inputs, tmp_path / "out", named, processes=1)
        except KeyboardInterrupt:
            continue
    assert "00002.jsonl" in written
    for name in ("predictions.csv", "failures.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    rows = read_rows(tmp_path / "out" / "predictions.csv")
    assert {row["channel"] for row in rows} == set(named.channel_names)
    failures = read_rows(tmp_path / "out" / "failures.csv")
    assert [row["channel"] for row in failures] == ["2", "each"], (
        "valid channels: it is a manifest of what to try again"
    )
    assert [row.channel for row in collect_inputs([str(tmp_path / "out" / "failures.csv")]).rows] == ["2", "each"]
    assert failures[1]["error"].endswith("4.wav: has 1 channel, but 2 channel names are given; give 1")


def test_the_channel_of_a_row_has_priority(work: Path, config: RecogniserConfig, tmp_path: Path) -> None:
    rows = ["0.wav,left,a", "0.wav,2,b", "1.wav,,c", "1.wav,mix,d", "2.wav,each,e", "4.wav,right,f"]
    manifest = write_manifest(work / "calls" / "m.csv", *rows)
    expected = [(0, 0, "left", "a"), (0, 1, "2", "b"), (1, 0, "left", "c"), (1, None, "mix", "d"), (2, 0, "left", "e"),
                (2, 1, "right", "e")]  # fmt: skip
    for format in ("csv", "jsonl", "parquet"):
        out = tmp_path / format
        run(collect_inputs([manifest]), out, config._replace(channel="left"), processes=1, format=format)
        found = read_predictions(out / f"predictions.{format}")
        for row, (number, side, channel, note) in zip(found, expected, strict=True):
            assert (row["path"], row["channel"], row["note"]) == (f"{number}.wav", channel, note)
            probability = row["probabilities"]["neutral"] if format == "jsonl" else float(row["p_neutral"])
            assert probability == pytest.approx(expected_probability(work, number, side), abs=1e-6)
        (failure,) = read_rows(out / "failures.csv")
        error = f"{work / 'calls' / '4.wav'}: has 1 channel, so there is no right channel; choose mix"
        assert failure == {"note": "f", "path": "4.wav", "channel": "right", "error": error}


def read_predictions(path: Path) -> list[dict]:
    if path.suffix == ".parquet":
        pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
        import pyarrow.parquet

        return list(pyarrow.parquet.read_table(path).to_pylist())
    lines = path.read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines] if path.suffix == ".jsonl" else list(csv.DictReader(lines))


def test_an_empty_column_names_the_mean(work: Path, config: RecogniserConfig, tmp_path: Path) -> None:
    manifest = write_manifest(work / "calls" / "e.csv", "0.wav,,x", "4.wav, ,y")
    run(collect_inputs([manifest]), tmp_path / "out", config._replace(channel="mix"), processes=1)
    assert [row["channel"] for row in read_rows(tmp_path / "out" / "predictions.csv")] == ["mix", "mix"]


def test_a_parquet_manifest_may_have_numbers(work: Path) -> None:
    pa = pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
    import pyarrow.parquet

    for cells, expected in ((pa.array([2, None, 1], pa.float64()), ["2", "", "1"]), (["left"] * 3, ["left"] * 3)):
        pyarrow.parquet.write_table(pa.table({"path": ["0.wav"] * 3, "channel": cells}), work / "calls" / "m.parquet")
        inputs = collect_inputs([str(work / "calls" / "m.parquet")])
        assert [row.channel for row in inputs.rows] == expected
        assert (inputs.columns, inputs.types, inputs.has_channels) == ((), {}, True)


def test_bad_channels_are_errors_of_their_rows(work: Path) -> None:
    manifest = write_manifest(work / "calls" / "bad.csv", "0.wav,phone,x", "0.wav,left,y", "0.wav,0,z")
    remedy = "rename the column if it is about something else"
    expected = "channel: expected mix, each, left, right or a number from 1, got"
    assert [row.error for row in collect_inputs([manifest]).rows] == [
        f"{manifest}, line 2: {expected} 'phone'; {remedy}",
        "",
        f"{manifest}, line 4: {expected} '0'; {remedy}",
    ]


def test_reference_groups_have_the_channels_of_their_rows(work: Path, config: RecogniserConfig, tmp_path: Path) -> None:
    rows = [f"{number}.wav,{channel},{channel}" for number in range(3) for channel in ("left", "right")]
    inputs = collect_inputs([write_manifest(work / "calls" / "groups.csv", *rows, header="path,channel,speaker")])
    mean = config._replace(channel="mix")
    for by in ("speaker", "channel"):
        run(inputs, tmp_path / by, mean, processes=1, reference_by=by)
    found = read_rows(tmp_path / "speaker" / "predictions.csv")
    assert {row["reference_clips"] for row in found} == {"3"}
    assert [row["p_sad"] for row in read_rows(tmp_path / "channel" / "predictions.csv")] == [
        row["p_sad"] for row in found
    ]
    sides = [soundfile.read(work / "calls" / f"{number}.wav", dtype="float32")[0][:, 1] for number in range(3)]
    for number, side in enumerate(sides):
        soundfile.write(tmp_path / f"{number}.wav", side, RATE_HZ)
    adapted = load(work / "tiny.onnx").adapt(sorted(tmp_path.glob("*.wav")))
    for row, side in zip(found[1::2], sides, strict=True):
        probabilities = dict(zip(adapted.emotions, adapted.recognise(side, RATE_HZ).probabilities, strict=True))
        assert float(row["p_sad"]) == pytest.approx(probabilities["sad"], abs=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channel": "mix", "channel_names": ("a", "b")}, "--channel-names: needs --channel each, or a row"),
        ({"channel_names": ("a", "a")}, "channel names: 'a' is given twice"),
        ({"channel": "both"}, "channel: expected mix, each, left, right or a number from 1"),
        ({"reference": ("x.wav",)}, "--reference: cannot be combined with channel each"),
    ],
)
def test_options_that_contradict_are_refused(
    work: Path, config: RecogniserConfig, tmp_path: Path, options: dict, message: str
) -> None:
    with pytest.raises(OptionError) as error:
        run(collect_inputs([str(work / "calls")]), tmp_path / "out", config._replace(**options))
    assert str(error.value).startswith(message)


def test_names_may_be_for_rows_of_the_manifest(work: Path, config: RecogniserConfig, tmp_path: Path) -> None:
    manifest = write_manifest(work / "calls" / "n.csv", "0.wav,left,x", "0.wav,each,y")
    named = config._replace(channel="mix", channel_names=("agent", "customer"))
    run(collect_inputs([manifest]), tmp_path / "out", named, processes=1)
    rows = read_rows(tmp_path / "out" / "predictions.csv")
    assert [row["channel"] for row in rows] == ["left", "agent", "customer"]
    with pytest.raises(OptionError, match="--reference-by: cannot be combined with channel each"):
        run(collect_inputs([manifest]), tmp_path / "other", config._replace(channel="mix"), reference_by="note")


def test_a_part_on_a_cluster_has_the_same_rows(work: Path, config: RecogniserConfig, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow comes with the [parquet] extra")
    inputs = collect_inputs([str(work / "calls")])
    run(inputs, tmp_path / "local", config, processes=1, format="parquet")
    schema = make_schema(inputs, config.load(lambda error: None), config.channel)
    task = RayTask(str(tmp_path / "ray"), config, tuple(fingerprints(config).items()), schema)
    assert run_part(task, 0, inputs.rows, isolated=False) == {"predictions": 8, "failures": 1}
    assert read_predictions(tmp_path / "ray" / "predictions" / "part-00000.parquet") == read_predictions(
        tmp_path / "local" / "predictions.parquet"
    )
