"""Results that must not be compared stay in separate tables: other data, speaker-adapted models, baselines."""

import json
from pathlib import Path

import numpy as np
import pytest
from results_files import PARTS, PUBLISHED, README, predictions, section

from overtone.datatypes import LeakAudit
from overtone.errors import InputError
from overtone.evaluation.oof_files import RunRecord, csv_path, record_path, write, write_record
from tools.report.build import build
from tools.report.oof_results import EvaluationCondition, parse_condition, read_results


@pytest.fixture
def project(tmp_path: Path) -> Path:
    oof = tmp_path / "results" / "oof"
    for part, content in {**PARTS, "adapted": predictions(4.0), "member": predictions(2.5, seeds=3)}.items():
        write(content, csv_path(oof, "luna5", "encoder-one-corpus", part))
    for part, sharpness in (("svm", 1.0), ("adapted", 2.0)):
        write(predictions(sharpness), csv_path(oof, "luna5", "compare-svm", part))
        write(predictions(sharpness), csv_path(oof / "emodb", "loso", "compare-svm", part))
    parts = dict.fromkeys(("svm", "adapted"), LeakAudit(96, 6, 1, 0, 1, 0))
    write_record(RunRecord("luna5", "compare-svm", {}, parts, (0,), {}), record_path(oof, "luna5", "compare-svm"))
    rows = [
        {"system": "ComParE", "uar": 1, "source": "own baseline", "replaced_by": "compare-svm"},
        {"system": "eGeMAPS", "uar": 2, "source": "own baseline", "replaced_by": "egemaps-svm"},
    ]
    content = {"sections": [{**PUBLISHED["sections"][0], "rows": rows}]}
    (tmp_path / "results" / "published_results.json").write_text(json.dumps(content))
    (tmp_path / "README.md").write_text(README)
    return tmp_path


@pytest.fixture
def page(project: Path) -> str:
    build(project)
    return (project / "docs" / "results.md").read_text("utf-8")


@pytest.fixture
def details(project: Path, page: str) -> str:
    return (project / "docs" / "results-details.md").read_text("utf-8")


def lines(text: str, word: str) -> list[str]:
    return [line for line in text.splitlines() if word in line]


def test_shipped_recipe_has_a_table_of_its_adapted_results(page: str) -> None:
    shipped = section(page, "The model overtone, trained on one corpus")
    unadapted, _, adapted = shipped.partition("### Speaker-adapted\n")
    assert "adapted" not in unadapted and len(lines(unadapted, "| luna5 |")) == 4
    assert len(lines(adapted, "| **encoder-one-corpus recipe, adapted** |")) == 1
    assert "Compare them with speaker-adapted models only" in adapted
    assert "(figures/luna5-adapted-encoder-one-corpus-confusion.png)" in shipped
    assert "svm" not in shipped


def test_no_table_mixes_adapted_and_other_models(project: Path, page: str, details: str) -> None:
    tables = [table for text in (page, details, (project / "README.md").read_text()) for table in text.split("\n\n")]
    tables = [table for table in tables if table.startswith("|") and " − " not in table]
    mixed = [table for table in tables if "adapted" in table and ("fusion" in table or "baseline |" in table)]
    assert not mixed
    branch, member = (f"| encoder-one-corpus recipe, {part} |" for part in ("mel", "member"))
    assert any(branch in table and member in table for table in tables)


def test_measured_baseline_replaces_its_quoted_score(page: str) -> None:
    published = section(page, "Published results")
    assert "| compare-svm baseline |" in published, "baselines are not bold"
    assert "| ComParE |" not in published
    assert "| eGeMAPS |" in published, "it was not measured"
    assert "results/oof/luna5-compare-svm-svm.csv" in published.replace("\\", "")
    assert "compare-svm-recall.png" not in page


def test_other_data_has_tables_of_its_own(page: str, details: str) -> None:
    assert "emodb" not in section(page, "Published results")
    scores = section(details, "All scores")
    for title in ("Other data: emodb", "Other data: emodb, speaker-adapted"):
        table = scores.partition(f"### {title}\n")[2].partition("\n### ")[0]
        assert "| emodb/loso |" in table and "luna5" not in table
    assert scores.index("### Speaker-adapted\n") < scores.index("### Other data: emodb\n")


def test_summary_has_one_row_per_condition(project: Path, page: str) -> None:
    assert "emodb" not in (project / "README.md").read_text(), "only a baseline was measured there"
    write(predictions(2.0), csv_path(project / "results" / "oof" / "emodb", "loso", "encoder-one-corpus", "fusion"))
    build(project)
    summary = section((project / "docs" / "results.md").read_text(), "Summary")
    unadapted, _, adapted = summary.partition("\nSpeaker-adapted models use ")
    assert [line.split(" | ")[:2] for line in lines(unadapted, "| encoder-one-corpus |")] == [
        ["| luna5", "encoder-one-corpus"],
        ["| emodb/loso", "encoder-one-corpus"],
    ]
    (line,) = lines(adapted, "| encoder-one-corpus |")
    assert line.split(" | ")[:2] == ["| luna5/adapted", "encoder-one-corpus"]
    baseline = next(
        result.row.scores.uar
        for result in read_results(project / "results" / "oof")
        if (str(result.condition), result.recipe) == ("luna5/adapted", "compare-svm")
    )
    readme = (project / "README.md").read_text()
    assert [line.split(" | ")[0] for line in lines(readme, "| encoder-one-corpus |")] == ["| luna5", "| luna5/adapted"]
    for text in (adapted, readme):
        (row,) = lines(text, "| luna5/adapted |")
        assert row.endswith(f"| {baseline} |")


def test_pairs_share_a_condition_or_differ_in_adaptation_only(details: str) -> None:
    tests = section(details, "Paired tests")
    unadapted, _, adapted = tests.partition("### Speaker-adapted\n")
    assert "encoder-one-corpus recipe, fusion − compare-svm baseline |" in unadapted
    assert "encoder-one-corpus recipe, fusion − encoder-one-corpus recipe, member |" in unadapted
    assert "adapted" not in unadapted
    adapted = adapted.partition("\n###")[0]
    assert [line.split(" | ")[1] for line in lines(adapted, "| luna5 |")] == [
        "encoder-one-corpus recipe, adapted − encoder-one-corpus recipe, fusion",
        "compare-svm baseline, adapted − compare-svm baseline",
        "encoder-one-corpus recipe, adapted − compare-svm baseline, adapted",
    ]


def test_order_of_results(project: Path) -> None:
    results = read_results(project / "results" / "oof")
    assert [(str(result.condition), result.recipe, result.part) for result in results] == [
        *(("luna5", "encoder-one-corpus", part) for part in ("fusion", "member", "mel", "prosody")),
        ("luna5", "compare-svm", "svm"),
        ("luna5/adapted", "encoder-one-corpus", "adapted"),
        ("luna5/adapted", "compare-svm", "adapted"),
        ("emodb/loso", "compare-svm", "svm"),
        ("emodb/loso/adapted", "compare-svm", "adapted"),
    ]
    assert [result.row.audit is not None for result in results] == [False] * 4 + [True, False, True, False, False]


def test_names_of_conditions() -> None:
    for name, condition in (
        ("luna5", EvaluationCondition("", "luna5")),
        ("four-classes/cross/adapted", EvaluationCondition("four-classes", "cross", True)),
    ):
        assert parse_condition(name) == condition and str(condition) == name
    with pytest.raises(InputError, match="no protocol 'adapted' in 'adapted'"):
        parse_condition("adapted")


def test_calibration_covers_full_models(details: str) -> None:
    unadapted, _, adapted = section(details, "Calibration").partition("### Speaker-adapted\n")
    content = PARTS["fusion"]
    covered = content.probabilities.max(axis=1) >= 0.5
    correct = np.array(content.emotions)[content.probabilities.argmax(axis=1)] == content.truth
    (line,) = lines(unadapted, "| encoder-one-corpus recipe, fusion | luna5 |")
    assert line.split(" | ")[4:] == [
        f"{100 * covered.mean():.1f}",
        f"{100 * correct[covered].mean():.1f}",
        f"{100 * correct.mean():.1f}",
        f"{len(content)} |",
    ]
    assert "mel |" not in unadapted + adapted and "adapted" not in unadapted
    assert lines(adapted, "| encoder-one-corpus recipe, adapted | luna5 |")


def test_recall_of_each_emotion(details: str) -> None:
    (line,) = lines(section(details, "Recall by emotion"), "| encoder-one-corpus recipe, fusion | luna5 |")
    content = PARTS["fusion"]
    predicted = np.array(content.emotions)[content.probabilities.argmax(axis=1)]
    recalls = [
        100 * np.mean(predicted[content.truth == name] == name)
        for name in content.emotions
        if (content.truth == name).any()
    ]
    assert line.strip("| ").split(" | ")[2:] == [f"{recall:.1f}" for recall in recalls]
