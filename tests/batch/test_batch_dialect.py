"""A batch whose CSV files are for Excel: the same values, resumed and scored as a plain one, and read again."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import soundfile
import tiny_model

from overtone.batch.checkpoint import BatchCheckpoint
from overtone.batch.inputs import collect_inputs
from overtone.batch.recogniser_config import RecogniserConfig
from overtone.batch.run import run
from overtone.cli.main import main
from overtone.corpora.ravdess import EMOTIONS
from overtone.corpora.tables import read_tables
from overtone.errors import OptionError, OvertoneError

INPUTS, RATE_HZ = 130, 16_000  # three parts
PHONE = "+4917012345.wav"  # the name of a recording, which Excel would take for a number


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, two recordings, and a manifest with labels, numbers of either sign, and texts like formulas."""
    folder = tmp_path_factory.mktemp("work")
    tiny_model.write(folder / "tiny.onnx")
    noise = np.random.default_rng(8).normal(0, 0.2, 3 * RATE_HZ)
    for name in ("long.wav", PHONE):
        soundfile.write(folder / name, noise, RATE_HZ)
    numbers = range(INPUTS)
    columns = {
        "path": ["gone.wav" if k == 3 else PHONE if k == 4 else "long.wav" for k in numbers],
        "end_s": [1 + k / 100 for k in numbers],
        "emotion": [EMOTIONS[k % 3] for k in numbers],
        "score": [k - 2.5 for k in numbers],
        "=site": [("=1+1", "-", "Köln; Süd")[k % 3] for k in numbers],
    }
    pyarrow.parquet.write_table(pa.table(columns), folder / "m.parquet")
    return folder


@pytest.fixture(scope="module")
def config(work: Path) -> RecogniserConfig:
    return RecogniserConfig(str(work / "tiny.onnx"), uncertain_below=0.3)


def batch(work: Path, config: RecogniserConfig, output: Path, dialect: str, **options: object) -> dict[str, bytes]:
    run(collect_inputs([str(work / "m.parquet")]), output, config, csv_dialect=dialect, processes=1, **options)
    return {path.name: path.read_bytes() for path in output.iterdir()}


@pytest.fixture(scope="module")
def plain(work: Path, config: RecogniserConfig, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return batch(work, config, tmp_path_factory.mktemp("plain") / "out", "plain")


def rows(content: bytes, separator: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=separator))


def for_excel(cell: str, column: str, decimal: str) -> str:
    if column in ("=site", "path", "error") or not cell:
        return f"'{cell}" if cell[:1] in ("=", "+", "-") else cell
    return cell.replace(".", decimal)


@pytest.mark.parametrize(("dialect", "separator", "decimal"), [("excel", ",", "."), ("excel-de", ";", ",")])
def test_predictions_and_failures_are_those_of_a_plain_batch(
    work: Path,
    config: RecogniserConfig,
    plain: dict[str, bytes],
    tmp_path: Path,
    dialect: str,
    separator: str,
    decimal: str,
) -> None:
    found = batch(work, config, tmp_path / "out", dialect)
    for name in ("predictions.csv", "failures.csv"):
        assert found[name].startswith(b"\xef\xbb\xbf") and found[name].count(b"\xef\xbb\xbf") == 1
        header, *table = rows(plain[name], ",")
        expected = [
            [for_excel(cell, column, decimal) for cell, column in zip(row, header, strict=True)] for row in table
        ]
        assert rows(found[name], separator) == [["'=site" if name == "=site" else name for name in header], *expected]
    assert f"-2{decimal}5".encode() in found["predictions.csv"], "a number of the manifest is no text"
    assert json.loads(found["batch.json"])["csv_dialect"] == dialect


def test_a_stopped_batch_resumes_in_its_dialect_only(
    work: Path, config: RecogniserConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = batch(work, config, tmp_path / "expected", "excel-de")
    write, out = BatchCheckpoint.write, tmp_path / "out"

    def write_and_stop(checkpoint: BatchCheckpoint, part: int, results: list[object]) -> None:
        write(checkpoint, part, results)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(BatchCheckpoint, "write", write_and_stop)
        with pytest.raises(KeyboardInterrupt):
            batch(work, config, out, "excel-de")
    for dialect in ("plain", "excel"):
        with pytest.raises(OvertoneError, match=r"differs in csv_dialect"):
            batch(work, config, out, dialect)
    assert batch(work, config, out, "excel-de") == expected
    with pytest.raises(OvertoneError, match=r"differs in csv_dialect"):
        batch(work, config, out, "plain")


def test_other_formats_and_dialects_are_refused(
    work: Path, config: RecogniserConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for options, message in (({"format": "jsonl"}, "jsonl"), ({"engine": "ray"}, "parquet")):
        with pytest.raises(OptionError, match=message):
            batch(work, config, tmp_path / "out", "excel-de", **options)
        command = ["batch", str(work / "m.parquet"), "--output", str(tmp_path / "out"), "--csv-dialect", "excel-de"]
        assert main([*command, *(text for name, value in options.items() for text in (f"--{name}", value))]) == 2
        assert message in capsys.readouterr().err
    with pytest.raises(OptionError, match="did you mean 'excel"):
        batch(work, config, tmp_path / "out", "excel-fr")
    assert not (tmp_path / "out").exists()


def test_the_score_is_that_of_a_plain_batch(work: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scores = {}
    for dialect in ("plain", "excel", "excel-de"):
        out = tmp_path / dialect
        command = ["batch", str(work / "m.parquet"), "--output", str(out), "--model", str(work / "tiny.onnx")]
        options = ["--processes", "1", "--score-by", "=site", "--score-by", "score", "--csv-dialect", dialect]
        for _ in range(2):  # the second time, of the finished batch
            assert main([*command, *options]) == 1
            scores[dialect] = json.loads((out / "score.json").read_text("utf-8"))
            (out / "score.json").unlink()
        capsys.readouterr()
    assert scores["plain"]["all"]["n"] == INPUTS - 1
    assert set(scores["plain"]["by"]["=site"]) == {"=1+1", "-", "Köln; Süd"}
    assert scores["excel"] == scores["plain"]
    decimal = {value.replace(".", ","): result for value, result in scores["plain"]["by"]["score"].items()}
    assert scores["excel-de"]["all"] == scores["plain"]["all"]
    assert scores["excel-de"]["by"]["=site"] == scores["plain"]["by"]["=site"]
    assert scores["excel-de"]["by"]["score"] == decimal


def test_shards_are_read_as_one_table_and_failures_as_a_manifest(
    work: Path, config: RecogniserConfig, plain: dict[str, bytes], tmp_path: Path
) -> None:
    found = []
    for number in (1, 2):
        shard = tmp_path / f"shard-{number}"
        batch(work, config, shard, "excel-de", shard=(number, 2))
        (table,) = read_tables(str(shard), "predictions")
        found += [str(row.cells[table.columns.index("end_s")]) for row in table.rows]
    header, *expected = rows(plain["predictions.csv"], ",")
    assert sorted(found) == sorted(row[header.index("end_s")].replace(".", ",") for row in expected)
    failures = tmp_path / "failures"
    failures.mkdir()
    (work / PHONE).rename(failures / PHONE)
    try:
        batch(work, config, tmp_path / "out", "excel-de")
    finally:
        (failures / PHONE).rename(work / PHONE)
    failed = rows((tmp_path / "out" / "failures.csv").read_bytes(), ";")
    assert [row[failed[0].index("path")] for row in failed[1:]] == ["gone.wav", f"'{PHONE}"]
    retry = work / "retry.csv"
    retry.write_bytes((tmp_path / "out" / "failures.csv").read_bytes())
    report = run(collect_inputs([str(retry)]), tmp_path / "again", config, processes=1)
    assert (report["predictions"], report["failures"]) == (1, 1), "the recording that is there again"
