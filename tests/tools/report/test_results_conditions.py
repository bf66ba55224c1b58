"""What is not to be compared is kept apart: other clips, models that have heard the test speaker, baselines."""

import json
from pathlib import Path

import numpy as np
import pytest
from results_files import ANCHORS, PARTS, README, predictions, section

from overtone.datatypes import LeakAudit
from overtone.errors import InputError
from overtone.evaluation.oof_files import RunRecord, csv_path, record_path, write, write_record
from tools.report.oof_results import EvaluationCondition, read_results, setting_named
from tools.report.results_page import build

UNSEEN, ADAPTED, EMODB = "Unseen speakers", "Unseen speakers, speaker-adapted", "emodb/loso"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    oof = tmp_path / "results" / "oof"
    for part, held in {**PARTS, "adapted": predictions(4.0), "member": predictions(2.5, seeds=3)}.items():
        write(held, csv_path(oof, "luna5", "overtone", part))
    for part, sharpness in (("svm", 1.0), ("adapted", 2.0)):
        write(predictions(sharpness), csv_path(oof, "luna5", "compare-svm", part))
        write(predictions(sharpness), csv_path(oof / "emodb", "loso", "compare-svm", part))
    parts = dict.fromkeys(("svm", "adapted"), LeakAudit(96, 6, 1, 0, 1, 0))
    write_record(RunRecord("luna5", "compare-svm", {}, parts, (0,), {}), record_path(oof, "luna5", "compare-svm"))
    rows = [
        {"system": "ComParE", "uar": 1, "source": "own baseline", "measured": "compare-svm"},
        {"system": "eGeMAPS", "uar": 2, "source": "own baseline", "measured": "egemaps-svm"},
    ]
    held = {"sections": [{**ANCHORS["sections"][0], "rows": rows}]}
    (tmp_path / "results" / "anchors.json").write_text(json.dumps(held))
    (tmp_path / "README.md").write_text(README)
    return tmp_path


@pytest.fixture
def page(project: Path) -> str:
    build(project)
    return (project / "docs" / "results.md").read_text("utf-8")


def lines(text: str, word: str) -> list[str]:
    return [line for line in text.splitlines() if word in line]


def test_adapted_models_have_a_section_of_their_own(page: str) -> None:
    unseen, adapted = section(page, UNSEEN), section(page, ADAPTED)
    assert "adapted" not in unseen
    assert len(lines(adapted, "| **overtone recipe, adapted** |")) == 1
    assert "recipe, fusion" not in adapted and "svm" in adapted
    assert "These models have heard the unlabelled clips of the test speaker" in adapted
    assert "### overtone recipe, adapted: per class" in adapted
    assert "(figures/luna5-adapted-overtone-confusion.png)" in adapted


def test_adapted_models_stand_in_no_table_with_others(project: Path, page: str) -> None:
    tables = [table for text in (page, (project / "README.md").read_text()) for table in text.split("\n\n")]
    tables = [table for table in tables if table.startswith("|") and " − " not in table]
    mixed = [table for table in tables if "adapted" in table and ("fusion" in table or "baseline |" in table)]
    assert not mixed
    assert any("| overtone recipe, mel |" in table and "overtone recipe, member" in table for table in tables)


def test_a_measured_baseline_stands_instead_of_its_quoted_figure(page: str) -> None:
    unseen = section(page, UNSEEN)
    assert "| compare-svm baseline |" in unseen, "a baseline is no model of ours: it does not stand out"
    assert "| ComParE |" not in unseen
    assert "| eGeMAPS |" in unseen, "what was not measured is quoted"
    assert "results/oof/luna5-compare-svm-svm.csv" in unseen.replace("\\", "")
    assert "compare-svm: baselines, measured here as well" in section(page, "Measured here")
    assert "compare-svm-recall.png" not in page


def test_other_clips_are_not_mixed_with_ravdess(page: str) -> None:
    other, adapted = section(page, EMODB), section(page, f"{EMODB}, speaker-adapted")
    assert len(lines(other, "results/oof/emodb/")) == len(lines(adapted, "results/oof/emodb/")) == 1
    assert "emodb" not in section(page, UNSEEN)
    assert page.index(f"\n## {UNSEEN}\n") < page.index(f"\n## {ADAPTED}\n") < page.index(f"\n## {EMODB}\n")
    ours = section(page, "Measured here")
    table = ours.partition("### Other clips or classes: emodb\n")[2].partition("\n### ")[0]
    assert "| emodb/loso |" in table and "luna5" not in table


def test_the_readme_keeps_them_apart_too(project: Path, page: str) -> None:
    readme = (project / "README.md").read_text()
    assert "emodb" not in readme, "nothing of ours was measured there"
    write(predictions(2.0), csv_path(project / "results" / "oof" / "emodb", "loso", "overtone", "fusion"))
    build(project)
    readme = (project / "README.md").read_text()
    unseen, _, after = readme.partition("\nAdapted to the speaker. These models have heard ")
    adapted, _, other = after.partition("\nOther clips or classes: emodb.\n")
    assert lines(unseen, "| luna5 | compare-svm |")[0].endswith("| 1 | 0 % | 0 % |")
    for part, setting in ((unseen, "luna5"), (adapted, "luna5"), (other, "emodb/loso")):
        rows = [line.split(" | ")[:2] for line in part.splitlines() if line.startswith("| luna5") or "| emodb" in line]
        assert rows == [[f"| {setting}", "overtone"], [f"| {setting}", "compare-svm"]]


def test_pairs_are_compared_within_a_setting_and_before_and_after_adapting(page: str) -> None:
    tests = section(page, "Paired tests")
    before, _, after = tests.partition("### Adapted to the speaker\n")
    assert "overtone recipe, fusion − compare-svm baseline |" in before
    assert "overtone recipe, fusion − overtone recipe, member |" in before, "means over seeds"
    assert "adapted" not in before
    after = after.partition("\n###")[0]
    assert [line.split(" | ")[1] for line in lines(after, "| luna5 |")] == [
        "overtone recipe, adapted − overtone recipe, fusion",
        "compare-svm baseline, adapted − compare-svm baseline",
        "overtone recipe, adapted − compare-svm baseline, adapted",
    ]


def test_results_come_in_the_order_of_the_page(project: Path) -> None:
    found = read_results(project / "results" / "oof", {})
    assert [(str(one.setting), one.recipe, one.part) for one in found] == [
        *(("luna5", "overtone", part) for part in ("fusion", "member", "mel", "prosody")),
        ("luna5", "compare-svm", "svm"),
        ("luna5/adapted", "overtone", "adapted"),
        ("luna5/adapted", "compare-svm", "adapted"),
        ("emodb/loso", "compare-svm", "svm"),
        ("emodb/loso/adapted", "compare-svm", "adapted"),
    ]
    assert [one.row.audit is not None for one in found] == [False] * 4 + [True, False, True, False, False]


def test_settings_have_names() -> None:
    for name, setting in (
        ("luna5", EvaluationCondition("", "luna5")),
        ("four-classes/cross/adapted", EvaluationCondition("four-classes", "cross", True)),
    ):
        assert setting_named(name) == setting and str(setting) == name
    with pytest.raises(InputError, match="no protocol 'adapted' in 'adapted'"):
        setting_named("adapted")


def test_calibration_is_told_of_whole_models(project: Path, page: str) -> None:
    told = section(page, "Calibration")
    unseen, _, adapted = told.partition("### Adapted to the speaker\n")
    held = PARTS["fusion"]
    sure = held.probabilities.max(axis=1) >= 0.5
    right = np.array(held.emotions)[held.probabilities.argmax(axis=1)] == held.truth
    (line,) = lines(unseen, "| overtone recipe, fusion | luna5 |")
    assert line.split(" | ")[4:] == [
        f"{100 * sure.mean():.1f}",
        f"{100 * right[sure].mean():.1f}",
        f"{100 * right.mean():.1f}",
        f"{len(held)} |",
    ]
    assert "mel |" not in told and "adapted" not in unseen
    assert "figures/luna5-overtone-reliability.png" in unseen and "figures/luna5-adapted-overtone-risk.png" in adapted
    assert "compare-svm-reliability" not in told
    assert (project / "docs" / "figures" / "luna5-overtone-risk.png").is_file()
