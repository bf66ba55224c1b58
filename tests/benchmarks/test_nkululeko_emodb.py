"""The comparison with nkululeko, with a program in its place that writes predictions as it does."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks import nkululeko_emodb
from benchmarks.nkululeko_emodb import OURS, main

PROJECT = Path(__file__).resolve().parents[2]
SENTENCES, EMOTIONS = ("a01", "b02"), {"W": "angry", "T": "sad", "N": "neutral"}
SPEAKERS = ("03", "08", "09")
FAKE = f"""#!{sys.executable}
import ast, configparser, csv, pathlib, sys

if sys.argv[1] == "-c":
    print("1.14.1")
    sys.exit()
config = configparser.ConfigParser()
config.read(sys.argv[-1])
data = config["DATA"]
labels, (speaker,) = ast.literal_eval(data["labels"]), ast.literal_eval(data["emodb.split_strategy"])
rows = [row for row in csv.DictReader(open(data["emodb"])) if row["speaker"] == speaker]
assert rows and len(rows) < len(list(csv.DictReader(open(data["emodb"]))))
folder = pathlib.Path(config["EXP"]["root"]) / "emodb" / "results"
folder.mkdir(parents=True, exist_ok=True)
with open(folder / "pred_emotion.csv", "w", newline="") as stream:
    writer = csv.writer(stream)
    writer.writerow(["file", *labels, "predicted"])
    for row in rows[MISSING:]:
        writer.writerow([row["file"], *(0.9 if name == "sad" else 0.05 for name in labels), "sad"])
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the stored predictions and a page with markers, as the current folder."""
    (tmp_path / "results" / "oof" / "emodb").mkdir(parents=True)
    for file in OURS.values():
        shutil.copy(PROJECT / nkululeko_emodb.OOF / file, tmp_path / nkululeko_emodb.OOF / file)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "nkululeko.md").write_text("Before\n<!-- scores:start -->\nold\n<!-- scores:end -->\nafter\n")
    for speaker in SPEAKERS:
        for sentence in SENTENCES:
            for letter in EMOTIONS:
                path = tmp_path / "emodb" / "wav" / f"{speaker}{sentence}{letter}a.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(project: Path, missing: int = 0) -> int:
    fake = project / "python"
    fake.write_text(FAKE.replace("MISSING", str(missing)))
    fake.chmod(0o755)
    return main(["--python", str(fake), "--emodb", str(project / "emodb")])


def test_all_speakers_are_scored_and_the_table_is_replaced(project: Path) -> None:
    assert run(project) == 0
    result = json.loads((project / "results" / "nkululeko.json").read_text())
    own = result["systems"]["nkululeko, eGeMAPS + SVM"]
    assert (result["version"], own["clips"], own["speakers"]) == ("1.14.1", 18, 3)
    assert own["uar"] == pytest.approx([1 / 3] * 3), "always sad: one of three classes"
    assert own["ece"] == pytest.approx(0.9 - 1 / 3)
    page = (project / "docs" / "nkululeko.md").read_text()
    assert page.startswith("Before\n<!-- scores:start -->\n| System") and page.endswith("<!-- scores:end -->\nafter\n")
    assert "| nkululeko, eGeMAPS + SVM | 33.3 [33.3, 33.3] | 33.3 | 56.7 |" in page and "\nold\n" not in page


def test_missing_predictions_and_a_failing_program_change_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(project, missing=1) == 1
    assert "made 15 predictions, expected one for each of 18 clips" in capsys.readouterr().err
    assert main(["--python", str(project / "no-python"), "--emodb", str(project / "emodb")]) == 1
    assert "no-python" in capsys.readouterr().err
    assert "old" in (project / "docs" / "nkululeko.md").read_text()
    assert not (project / "results" / "nkululeko.json").exists()


def test_the_page_has_the_stored_result() -> None:
    result = json.loads((PROJECT / nkululeko_emodb.RESULT).read_text("utf-8"))
    assert nkululeko_emodb.table(result) in (PROJECT / nkululeko_emodb.PAGE).read_text("utf-8")
