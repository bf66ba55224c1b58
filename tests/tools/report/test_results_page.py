"""`make results`: everything follows from the files, nothing is invented, and damage is named."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from results_files import ADAPTATION, ANCHORS, BATCH, BENCH, PARTS, README, SCALE, TIMELINE, predictions, section
from sklearn.metrics import balanced_accuracy_score

from overtone.corpora.ravdess import EMOTIONS
from overtone.datatypes import LeakAudit
from overtone.errors import InputError
from overtone.evaluation.oof_files import RunRecord, csv_path, record_path, write, write_record
from tools.report.results_page import build


@pytest.fixture
def project(tmp_path: Path) -> Path:
    oof = tmp_path / "results" / "oof"
    for protocol, recipe in (("luna5", "overtone"), ("luna5", "paper"), ("paper", "paper")):
        for part, held in PARTS.items() if recipe == "overtone" else [("fusion", PARTS["fusion"])]:
            write(held, csv_path(oof, protocol, recipe, part))
    leak = {part: LeakAudit(288, 24, 2, 24, 2, 280) for part in PARTS}
    write_record(RunRecord("paper", "paper", {}, leak, (0,), {}), record_path(oof, "paper", "paper"))
    write(predictions(2.0, clips=8), csv_path(oof, "paper", "paper", "mel"))  # a phase with other clips
    (tmp_path / "README.md").write_text(README)
    (tmp_path / "results" / "bench.json").write_text(json.dumps(BENCH))
    (tmp_path / "results" / "batch.json").write_text(json.dumps(BATCH))
    (tmp_path / "results" / "timeline.json").write_text(json.dumps(TIMELINE))
    (tmp_path / "results" / "anchors.json").write_text(json.dumps(ANCHORS))
    (tmp_path / "results" / "adaptation.json").write_text(json.dumps(ADAPTATION))
    return tmp_path


def test_everything_is_made_from_the_files(project: Path) -> None:
    written = build(project)
    assert all(path.is_file() for path in written)
    text = (project / "docs" / "results.md").read_text("utf-8")
    luna = section(text, "Unseen speakers")
    places = [luna.index(name) for name in ("| Low |", "**overtone recipe, fusion**", "| High |")]
    assert places == sorted(places), "the ladder goes up"
    assert "10.0 [9.0, 11.0]" in luna
    assert "Somebody 2021" in luna
    answers = np.array(EMOTIONS)[PARTS["fusion"].probabilities.argmax(axis=1)]
    assert f"**{100 * balanced_accuracy_score(PARTS['fusion'].truth, answers):.1f} " in luna
    assert "results/oof/luna5-overtone-fusion.csv" in luna.replace("\\", "")
    paper = section(text, "The paper")
    assert "97 %" in paper
    assert "90.3" in paper
    for path in written[2:]:
        assert f"(figures/{path.name})" in text
    assert "| 3 clips | 71.0 [67.0, 75.0] |" in section(text, "How many clips of a speaker")
    assert "Some CPU" in section(text, "Speed and size")
    assert "| 4 | 4.0 | 250 | 3.00 |" in section(text, "Many files")
    assert "| One hour, FLAC at 48 kHz, 44 % of it speech | 14.4 s |" in section(text, "Long recordings and live sound")


def test_paired_tests(project: Path) -> None:
    build(project)
    tests = section((project / "docs" / "results.md").read_text("utf-8"), "Paired tests")
    line = next(line for line in tests.splitlines() if "overtone recipe, fusion − overtone recipe, prosody" in line)
    assert "| + " not in line
    assert "better" in line
    same = next(line for line in tests.splitlines() if "overtone recipe, fusion − paper recipe, fusion" in line)
    assert same.endswith("| +0.0 [+0.0, +0.0] | 1.000 | 6 speakers | not told apart |")
    assert "different clips: paper: paper recipe, fusion and paper recipe, mel." in tests


def test_readme_tables_and_nothing_else_change(project: Path) -> None:
    build(project)
    text = (project / "README.md").read_text()
    assert text.startswith("# Hi\n<!-- results:start -->\n")
    assert "\nold\n" not in text
    assert "|\n\n<!-- results:end -->\nmiddle\n<!-- rebuilt:start -->\n" in text
    assert "| fusion | 90.3 WA |" in text.partition("<!-- rebuilt:start -->")[2]
    assert text.endswith("\n<!-- bench:end -->\nend\n")
    assert "| Overtone, clip by clip | 9.87 ms | 372 | 1 | 0.50 s | 120 MB | 150 MB |" in text
    assert "opensmile" not in text
    assert "90.3 WA" in text
    assert "| 97 % | 100 % | 90.3 WA |" in text
    assert text.count("| luna5 |") == 2
    assert text.index("luna5") < text.index("| paper |")


def test_the_readme_shows_the_best_of_our_recipes(project: Path) -> None:
    write(predictions(0.0), csv_path(project / "results" / "oof", "luna5", "feeble", "fusion"))
    build(project)
    readme, page = ((project / name).read_text("utf-8") for name in ("README.md", "docs/results.md"))
    assert "feeble" in page and "feeble" not in readme
    assert "| luna5 | overtone |" in readme and "| luna5 | paper |" in readme
    assert "Of our recipes the best one of each protocol" in readme


def test_the_page_of_many_recordings_has_its_table(project: Path) -> None:
    page = project / "docs" / "scale.md"
    page.parent.mkdir()
    page.write_text("# Many\n<!-- scale:start -->\nold\n<!-- scale:end -->\nend\n")
    assert page in build(project)
    assert page.read_text() == "# Many\n<!-- scale:start -->\n<!-- scale:end -->\nend\n", "nothing was measured"
    (project / "results" / "scale.json").write_text(json.dumps(SCALE))
    build(project)
    assert "| 2 nodes | 40.0 | 1.80 |" in page.read_text()


def test_built_twice_is_the_same(project: Path) -> None:
    before = {path: path.read_bytes() for path in build(project)}
    stale = project / "docs" / "figures" / "luna5-gone-recall.png"
    stale.write_bytes(b"")
    kept = stale.with_name("drawn-by-hand.png")
    kept.write_bytes(b"")
    assert {path: path.read_bytes() for path in build(project)} == before
    assert not stale.exists()
    assert kept.exists()


def test_what_is_missing_is_left_out(project: Path) -> None:
    for name in ("bench.json", "batch.json", "timeline.json", "anchors.json"):
        (project / "results" / name).unlink()
    (project / "results" / "oof" / "paper-paper.json").unlink()
    build(project)
    text = (project / "docs" / "results.md").read_text("utf-8")
    assert "Speed" not in text and "Many files" not in text and "Long recordings" not in text
    assert "Somebody" not in text
    assert "97 %" not in text
    assert "RAVDESS, 5 folds of unseen actors" in text, "sections without published rows are titled by the protocol"
    shutil.rmtree(project / "results" / "oof")
    written = build(project)
    assert [path.name for path in written] == ["results.md", "README.md"]
    assert "| " not in (project / "README.md").read_text()
    assert list((project / "docs" / "figures").glob("*.png")) == []


def test_anchors_of_protocols_without_results_stay(project: Path) -> None:
    shutil.rmtree(project / "results" / "oof")
    build(project)
    assert "Somebody 2020" in (project / "docs" / "results.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["luna5-mel.csv", "luna6-paper-mel.csv", "luna5-paper-fused.csv"])
def test_strange_names_are_named(project: Path, name: str) -> None:
    (project / "results" / "oof" / name).write_text("")
    with pytest.raises(InputError, match=rf"{name}: the name should be"):
        build(project)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("results/bench.json", "{}", "bench.json: .*make bench"),
        ("results/bench.json", "", "bench.json"),
        ("results/timeline.json", "{}", r"timeline.json: .*python -m benchmarks\.timeline"),
        ("results/anchors.json", "[]", "anchors.json"),
        ("results/anchors.json", json.dumps({"sections": [{"protocol": "loso"}]}), "anchors.json.*title"),
        ("results/anchors.json", json.dumps({"sections": [{"protocol": "emodb/los"}]}), "did you mean 'loso'"),
        ("results/oof/paper-paper.json", "{}", "paper-paper.json"),
        ("results/oof/luna5-paper-mel.csv", "path\n", "luna5-paper-mel.csv, line 1"),
        ("README.md", "nothing", "README.md: the table of results needs"),
    ],
)
def test_damage_is_named_and_nothing_is_written(project: Path, file: str, content: str, message: str) -> None:
    (project / file).write_text(content)
    with pytest.raises(InputError, match=message):
        build(project)
    assert not (project / "docs").exists()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"system": "x", "uar": 1}, "needs a source"),
        ({"system": "x", "source": "y"}, "needs a source and a figure"),
        ({"system": "x", "source": "y", "uaar": 1}, "anchors.json: no key 'uaar'.*did you mean 'uar'"),
    ],
)
def test_rows_without_a_source_are_refused(project: Path, row: dict, message: str) -> None:
    held = {"sections": [{**ANCHORS["sections"][0], "rows": [row]}]}
    (project / "results" / "anchors.json").write_text(json.dumps(held))
    with pytest.raises(InputError, match=message):
        build(project)


def test_outside_a_project(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="run this in the project folder"):
        build(tmp_path)
    (tmp_path / "results").mkdir()
    with pytest.raises(InputError, match=r"cannot read .*README.md"):
        build(tmp_path)


def test_unknown_speakers_are_said(project: Path) -> None:
    nameless = replace(PARTS["mel"], speaker=np.full(len(PARTS["mel"]), ""))
    write(nameless, csv_path(project / "results" / "oof", "random", "overtone", "mel"))
    build(project)
    assert "Intervals over clips are too narrow" in (project / "docs" / "results.md").read_text("utf-8")


def test_figures_of_others_kept_in_this_project_are_readable() -> None:
    from tools.report import published_results

    sections = published_results.read(Path(__file__).resolve().parents[3] / "results" / "anchors.json")
    rows = {(str(section.setting), row.system): row for section in sections for row in section.rows}
    assert rows["loso", "eGeMAPS (88 features) + RBF SVM"].uar == "49.6"
    assert rows["luna5", "ResLSTM-SA, from scratch, 47 k parameters"].uar == "62.3"
    assert rows["paper", "Late fusion"].shown == "90.3 WA"
    assert rows["random", "wav2vec2-base, all layers frozen"].rank == 83
    assert rows["loso", "eGeMAPS (88 features) + RBF SVM"].measured == "egemaps-svm"
    assert rows["four-classes/cross", "Whisper-large-v3, trained on SAVEE"].wa == "66.9"
