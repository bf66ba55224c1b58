"""The output of `predict`, `batch` and `timeline`, corrected by a person, is a manifest as it is."""

import csv
import json
import shutil
from pathlib import Path

import pytest
import tiny_model

from overtone.cli.main import main
from overtone.corpora import manifest
from overtone.corpora.metadata import CorpusScan
from overtone.errors import CorpusError

SPEECH = Path(__file__).resolve().parent.parent.parent / "examples" / "speech"
NAMES = ("level", "loud-hard-falling", "slow-soft-low")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a model and recordings in a subfolder."""
    (tmp_path / "calls").mkdir()
    for name in NAMES:
        shutil.copy(SPEECH / f"{name}.flac", tmp_path / "calls")
    tiny_model.write(tmp_path / "tiny.onnx")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def overtone(*arguments: str) -> None:
    assert main([*arguments, "--model", "tiny.onnx"]) == 0


def correct(table: Path, corrections: dict[int, dict[str, str]]) -> None:
    """Change cells of a table as a person would: row -> column -> text. A column that is missing is added."""
    if table.suffix == ".parquet":
        pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
        rows = pq.read_table(table).to_pylist()
        change(rows, corrections)
        pq.write_table(pa.Table.from_pylist(rows), table)
    elif table.suffix == ".jsonl":
        rows = [json.loads(line) for line in table.read_text("utf-8").splitlines()]
        change(rows, corrections)
        table.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    else:
        with table.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        change(rows, corrections)
        with table.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys(), delimiter=";")
            writer.writeheader()
            writer.writerows(rows)


def change(rows: list[dict], corrections: dict[int, dict[str, str]]) -> None:
    columns = {name for cells in corrections.values() for name in cells}
    for number, row in enumerate(rows):
        for name in columns:
            row.setdefault(name, "")
        row.update(corrections.get(number, {}))


def labels(scan: CorpusScan) -> dict[str, str]:
    return {Path(utterance.path).stem: utterance.emotion for utterance in scan.utterances}


@pytest.mark.parametrize("format", ["csv", "jsonl"])
@pytest.mark.parametrize("place", ["out", "calls", "elsewhere"])
def test_predictions_are_a_manifest(folder: Path, format: str, place: str) -> None:
    Path(place).mkdir(exist_ok=True)
    table = Path(place) / f"out.{format}"
    overtone("predict", "calls", "--output", str(table), "--format", format, "--uncertain-below", "0.9")
    correct(table, {0: {"emotion": "Frustrated"}})
    scan = manifest.read(table)
    found = labels(scan)
    assert list(found) == list(NAMES) and found["level"] == "Frustrated"
    assert scan.hints == (f"{table}: 2 of 3 labels are those that a model predicted, 2 of them uncertain",)


@pytest.mark.parametrize("command", ["predict", "timeline"])
def test_tables_of_german_excel_are_a_manifest(folder: Path, command: str) -> None:
    overtone(command, "calls", "--output", "out.csv", "--csv-dialect", "excel-de", "--uncertain-below", "0")
    assert ";0," in Path("out.csv").read_text("utf-8-sig")
    scan = manifest.read(Path("out.csv"))
    assert list(labels(scan)) == list(NAMES) and set(labels(scan).values()) != {"neutral"}
    assert scan.hints == ("out.csv: 3 of 3 labels are those that a model predicted",)


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_a_batch_is_a_manifest_wherever_its_inputs_are(
    folder: Path, format: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("calls/list.csv").write_text("path,Speaker,start_s,end_s\n" + "".join(f"{n}.flac,{n[0]},0,1\n" for n in NAMES))
    overtone("batch", "calls/list.csv", "--output", "out", "--format", format, "--processes", "1")
    correct(Path("out") / f"predictions.{format}", {1: {"corrected": "tired"}})
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    scan = manifest.read(folder / "out")
    assert labels(scan)["loud-hard-falling"] == "tired"
    assert [(u.speaker, u.start_s, u.end_s) for u in scan.utterances] == [(n[0], 0.0, 1.0) for n in NAMES]
    assert "2 of 3 labels are those that a model predicted" in scan.hints[0]


@pytest.mark.parametrize("name", ["emotion", "label"])
def test_the_labels_of_a_batch_remain_the_labels(folder: Path, name: str) -> None:
    Path("list.csv").write_text(f"path,{name}\n" + "".join(f"calls/{n}.flac,own {n}\n" for n in NAMES[:2]))
    with Path("list.csv").open("a") as file:
        file.write(f"calls/{NAMES[2]}.flac,\n")
    overtone("batch", "list.csv", "--output", "out", "--processes", "1")
    correct(Path("out/predictions.csv"), {0: {"corrected": "tired"}})
    scan = manifest.read(Path("out"))
    assert labels(scan) == {NAMES[0]: "tired", NAMES[1]: f"own {NAMES[1]}"}
    assert scan.ignored == {"without speech or label": 1}
    assert scan.hints == ()


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_segments_of_a_timeline_are_a_manifest(folder: Path, format: str) -> None:
    Path("turns.csv").write_text("start_s,end_s,speaker\n0,0.9,anna\n0.9,1.8,ben\n")
    arguments = [
        "calls/level.flac",
        "--turns",
        "turns.csv",
        "--format",
        format,
        "--output",
        f"out.{format}",
        "--no-adapt",
    ]
    overtone("timeline", *arguments)
    correct(Path(f"out.{format}"), {0: {"emotion": "tired"}})
    scan = manifest.read(Path(f"out.{format}"))
    first = scan.utterances[0]
    assert (first.emotion, first.speaker, first.start_s) == ("tired", "anna", 0.0)
    assert len(scan.utterances) + scan.ignored.get("without speech or label", 0) == 2


def test_a_folder_of_corrected_tables(folder: Path) -> None:
    Path("corrected").mkdir()
    overtone("predict", "calls/level.flac", "--output", "corrected/a.csv")
    overtone("predict", "calls/slow-soft-low.flac", "--output", "corrected/b.jsonl")
    correct(Path("corrected/b.jsonl"), {0: {"emotion": "tired"}})
    scan = manifest.read(Path("corrected"))
    assert labels(scan)["slow-soft-low"] == "tired" and len(scan.utterances) == 2
    shutil.copy("corrected/a.csv", "corrected/c.csv")
    correct(Path("corrected/c.csv"), {0: {"emotion": "tired"}})
    with pytest.raises(
        CorpusError, match=r"^corrected, corrected/c\.csv, line 2: '.*' is 'tired' here and '.*' in corrected/a\.csv"
    ):
        manifest.read(Path("corrected"))


def test_a_missing_file_of_a_prediction_is_reported(folder: Path) -> None:
    Path("out").mkdir()
    overtone("predict", "calls", "--output", "out/out.csv")
    Path("calls/level.flac").unlink()
    with pytest.raises(
        CorpusError, match=r"line 2: no audio file 'calls/level.flac' next to the table, nor in the folder"
    ):
        manifest.read(Path("out/out.csv"))


def test_two_columns_of_labels_are_an_error(folder: Path) -> None:
    text = "path,emotion,confidence,uncertain,given_emotion,label\ncalls/level.flac,sad,0.5,true,calm,calm\n"
    Path("out.csv").write_text(text)
    with pytest.raises(CorpusError, match=r"out\.csv, line 1: both 'given_emotion' and 'label' are labels; remove one"):
        manifest.read(Path("out.csv"))
