"""`make results`: every number comes from the files, and damaged files are named."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from results_files import ADAPTATION, BATCH, BENCH, PARTS, PUBLISHED, README, SCALE, TIMELINE, predictions, section
from sklearn.metrics import balanced_accuracy_score

from overtone.corpora.ravdess import EMOTIONS
from overtone.datatypes import LeakAudit
from overtone.errors import InputError
from overtone.evaluation.oof_files import RunRecord, csv_path, record_path, write, write_record
from tools.report.__main__ import main
from tools.report.build import build, render
from tools.report.score_figures import FIGURES, KINDS

PROJECT = Path(__file__).resolve().parents[3]
MAX_PAGE_LINES, MAX_README_LINES, MAX_FIGURES = 300, 40, 15


@pytest.fixture
def project(tmp_path: Path) -> Path:
    oof = tmp_path / "results" / "oof"
    for protocol, recipe in (("luna5", "encoder-one-corpus"), ("luna5", "paper"), ("paper", "paper")):
        for part, content in PARTS.items() if recipe == "encoder-one-corpus" else [("fusion", PARTS["fusion"])]:
            write(content, csv_path(oof, protocol, recipe, part))
    leak = {part: LeakAudit(288, 24, 2, 24, 2, 280) for part in PARTS}
    write_record(RunRecord("paper", "paper", {}, leak, (0,), {}), record_path(oof, "paper", "paper"))
    write(predictions(2.0, clips=8), csv_path(oof, "paper", "paper", "mel"))  # a phase with other clips
    (tmp_path / "README.md").write_text(README)
    files = {"bench": BENCH, "batch": BATCH, "timeline": TIMELINE, "adaptation": ADAPTATION}
    for name, content in {**files, "published_results": PUBLISHED}.items():
        (tmp_path / "results" / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


def test_pages_are_made_from_the_files(project: Path, real_figures: None) -> None:
    files = build(project)
    assert all(path.is_file() for path in files)
    text = (project / "docs" / "results.md").read_text("utf-8")
    luna = section(text, "Published results").partition("\n### The paper\n")[0]
    positions = [luna.index(name) for name in ("| Low |", "**encoder-one-corpus recipe, fusion**", "| High |")]
    assert positions == sorted(positions), "the lowest score comes first"
    assert "10.0 [9.0, 11.0]" in luna
    assert "Author 2021" in luna
    predicted = np.array(EMOTIONS)[PARTS["fusion"].probabilities.argmax(axis=1)]
    assert f"**{100 * balanced_accuracy_score(PARTS['fusion'].truth, predicted):.1f} " in luna
    assert "results/oof/luna5-encoder-one-corpus-fusion.csv" in luna.replace("\\", "")
    paper = section(text, "The paper, rebuilt")
    assert "| 97 % | 100 % |" in paper
    assert "| fusion | 90.3 WA |" in paper and "Every clip twice" not in paper
    assert {path.name for path in files} >= {"luna5-encoder-one-corpus-recall.png", "paper-paper-confusion.png"}
    for path in files:
        assert path.suffix != ".png" or f"(figures/{path.name})" in text
    assert "Some CPU" in section(text, "Speed and size")
    assert "| One hour, FLAC at 48 kHz, 44 % speech | 14.4 s |" in section(text, "Long recordings and live audio")
    details = (project / "docs" / "results-details.md").read_text("utf-8")
    assert "| 3 clips | 71.0 [67.0, 75.0] |" in section(details, "Number of adaptation clips")
    assert "| 4 | 4.0 | 250 | 3.00 |" in section(details, "Batch processing")


def test_paired_tests(project: Path) -> None:
    build(project)
    tests = section((project / "docs" / "results-details.md").read_text("utf-8"), "Paired tests")
    fusion = "encoder-one-corpus recipe, fusion"
    line = next(line for line in tests.splitlines() if f"{fusion} − encoder-one-corpus recipe, prosody" in line)
    assert "better" in line
    same = next(line for line in tests.splitlines() if f"{fusion} − paper recipe, fusion" in line)
    assert same.endswith("| +0.0 [+0.0, +0.0] | 1.000 | 6 speakers | not significant |")
    assert "test clips differ: paper: paper recipe, fusion and paper recipe, mel." in tests


def test_only_the_tables_of_the_readme_change(project: Path) -> None:
    build(project)
    text = (project / "README.md").read_text()
    assert text.startswith("# Hi\n<!-- unseen-corpora:start -->\n")
    assert "\nold\n" not in text
    assert "|\n\n<!-- results:end -->\nmiddle\n<!-- bench:start -->\n" in text
    assert text.endswith("\n<!-- bench:end -->\nend\n")
    assert "| Overtone, clip by clip | 9.87 ms | 372 | 1 | 0.50 s | 120 MB | 150 MB |" in text
    assert "opensmile" not in text
    assert "| 97 % | 100 % |" in text
    assert text.count("| luna5 |") == 1
    assert text.index("luna5") < text.index("| paper |")


def test_summary_shows_the_best_recipe(project: Path) -> None:
    write(predictions(0.0), csv_path(project / "results" / "oof", "luna5", "feeble", "fusion"))
    build(project)
    readme, page, details = (
        (project / name).read_text("utf-8") for name in ("README.md", "docs/results.md", "docs/results-details.md")
    )
    assert "feeble" in details and "feeble" not in readme + page
    assert "| luna5 | encoder-one-corpus |" in readme and "| paper | paper |" in readme


def test_scale_page_has_its_table(project: Path) -> None:
    page = project / "docs" / "scale.md"
    page.parent.mkdir()
    page.write_text("# Many\n<!-- scale:start -->\nold\n<!-- scale:end -->\nend\n")
    assert page in build(project)
    assert page.read_text() == "# Many\n<!-- scale:start -->\n<!-- scale:end -->\nend\n", "nothing was measured"
    (project / "results" / "scale.json").write_text(json.dumps(SCALE))
    build(project)
    assert "| 2 nodes | 40.0 | 1.80 |" in page.read_text()


def test_second_build_writes_the_same_bytes(project: Path, real_figures: None) -> None:
    before = {path: path.read_bytes() for path in build(project)}
    old = project / "docs" / "figures" / "luna5-gone-recall.png"
    old.write_bytes(b"")
    unrelated = old.with_name("page.png")
    unrelated.write_bytes(b"")
    assert {path: path.read_bytes() for path in build(project)} == before
    assert not old.exists()
    assert unrelated.exists()


def test_missing_files_leave_out_their_tables(project: Path) -> None:
    for name in ("bench.json", "batch.json", "timeline.json", "published_results.json"):
        (project / "results" / name).unlink()
    (project / "results" / "oof" / "paper-paper.json").unlink()
    build(project)
    text = (project / "docs" / "results.md").read_text("utf-8")
    assert not any(word in text for word in ("Speed", "Batch processing", "Long recordings", "Author 20", "97 %"))
    assert "| luna5 | luna5 | " in section(text, "Protocols"), "the description comes from the protocol"
    shutil.rmtree(project / "results" / "oof")
    files = build(project)
    assert [path.name for path in files] == ["results.md", "results-details.md", "README.md"]
    assert "| " not in (project / "README.md").read_text()
    assert list((project / "docs" / "figures").glob("*.png")) == []


def test_published_results_need_no_own_results(project: Path) -> None:
    shutil.rmtree(project / "results" / "oof")
    build(project)
    assert "Author 2020" in (project / "docs" / "results.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["luna5-mel.csv", "luna6-paper-mel.csv", "luna5-paper-Fused.csv"])
def test_error_names_a_file_with_an_invalid_name(project: Path, name: str) -> None:
    (project / "results" / "oof" / name).write_text("")
    with pytest.raises(InputError, match=name):
        build(project)


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("results/bench.json", "{}", "bench.json: .*make bench"),
        ("results/bench.json", "", "bench.json"),
        ("results/timeline.json", "{}", r"timeline.json: .*python -m benchmarks\.timeline"),
        ("results/published_results.json", "[]", "published_results.json"),
        ("results/published_results.json", json.dumps({"sections": [{"protocol": "loso"}]}), "results.json.*title"),
        ("results/published_results.json", json.dumps({"sections": [{"protocol": "emodb/los"}]}), "mean 'loso'"),
        ("results/oof/paper-paper.json", "{}", "paper-paper.json"),
        ("results/oof/luna5-paper-mel.csv", "path\n", "luna5-paper-mel.csv, line 1"),
        ("README.md", "nothing", "README.md.*unseen-corpora:start"),
    ],
)
def test_damaged_file_is_named_and_nothing_is_written(project: Path, file: str, content: str, message: str) -> None:
    (project / file).write_text(content)
    with pytest.raises(InputError, match=message):
        build(project)
    assert not (project / "docs").exists()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"system": "x", "uar": 1}, "source"),
        ({"system": "x", "source": "y"}, "source and a score"),
        ({"system": "x", "source": "y", "uaar": 1}, "published_results.json: no key 'uaar'.*did you mean 'uar'"),
    ],
)
def test_published_rows_need_source_and_score(project: Path, row: dict, message: str) -> None:
    content = {"sections": [{**PUBLISHED["sections"][0], "rows": [row]}]}
    (project / "results" / "published_results.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=message):
        build(project)


def test_outside_a_project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="run this in the project folder"):
        build(tmp_path)
    assert main([str(tmp_path)]) == 1
    assert "results" in capsys.readouterr().err
    (tmp_path / "results").mkdir()
    with pytest.raises(InputError, match=r"cannot read .*README.md"):
        build(tmp_path)


def test_command_prints_the_paths(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(project)]) == 0
    assert str(project / "docs" / "results.md") in capsys.readouterr().out.splitlines()


def test_notes_name_models_with_intervals_over_clips(project: Path) -> None:
    nameless = replace(PARTS["mel"], speaker=np.full(len(PARTS["mel"]), ""))
    write(nameless, csv_path(project / "results" / "oof", "random", "encoder-one-corpus", "mel"))
    build(project)
    notes = section((project / "docs" / "results-details.md").read_text("utf-8"), "All scores").partition("|")[0]
    assert "Intervals over clips are too narrow" in notes and "encoder-one-corpus recipe, mel" in notes


def test_published_results_of_this_project() -> None:
    from tools.report import published_results

    sections = published_results.read(PROJECT / "results" / "published_results.json")
    rows = {(str(section.condition), row.system): row for section in sections for row in section.rows}
    assert rows["loso", "eGeMAPS (88 features) + RBF SVM"].uar == "49.6"
    assert rows["luna5", "ResLSTM-SA, from scratch, 47 k parameters"].uar == "62.3"
    assert rows["paper", "Late fusion"].short_text == "90.3 WA"
    assert rows["random", "wav2vec2-base, all layers frozen"].sort_value == 83
    assert rows["loso", "eGeMAPS (88 features) + RBF SVM"].replaced_by == "egemaps-svm"
    assert rows["four-classes/cross", "Whisper-large-v3, trained on SAVEE"].wa == "66.9"


@pytest.mark.slow
def test_committed_pages_are_up_to_date() -> None:
    """The pages, their size, and the figures in the repository; figure bytes depend on the version of matplotlib."""
    files = render(PROJECT)
    outdated = [path.name for path, content in files.items() if path.suffix == ".md" and path.read_bytes() != content]
    assert not outdated, f"run 'make results': {outdated}"
    figures = {path.name for path in files if path.suffix == ".png"}
    committed = {path.name for path in (PROJECT / "docs" / "figures").glob("*.png")}
    generated = {name for name in committed if name.count("-") > 1 and name.endswith(tuple(f"-{k}.png" for k in KINDS))}
    assert generated == figures
    assert len(figures) == sum(map(len, FIGURES.values()))
    assert len(committed) <= MAX_FIGURES
    assert files[PROJECT / "docs" / "results.md"].count(b"\n") <= MAX_PAGE_LINES
    readme = files[PROJECT / "README.md"].decode()
    tables = [
        readme.partition(f"{name}:start -->\n")[2].partition(f"<!-- {name}:end")[0] for name in ("results", "bench")
    ]
    assert sum(table.count("\n") for table in tables) <= MAX_README_LINES
