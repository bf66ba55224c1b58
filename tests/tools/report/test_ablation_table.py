"""Ablations: what differs is read from the audits, what it is worth from the same clips, and nothing is dropped."""

import json
from pathlib import Path

import pytest
from results_files import README, predictions, section

from overtone.errors import InputError
from overtone.evaluation.document import Paragraph, Strong, Table
from overtone.evaluation.oof_files import RunRecord, csv_path, record_path, write, write_record
from tools.report.ablation_table import Ablation, blocks, changed_settings, read, without_ablations
from tools.report.oof_results import read_results
from tools.report.results_page import build

ABLATIONS = (Ablation("lean", "overtone", "no mixup"), Ablation("alone", "overtone", "one network"))


def audits(**settings: object) -> RunRecord:
    return RunRecord("luna5", "some", {"name": "some", **settings}, {}, (0,), {})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    oof = tmp_path / "results" / "oof"
    for recipe, sharpness, seeds in (("overtone", 3.0, 2), ("lean", 1.0, 1), ("alone", 2.0, 1)):
        write(predictions(sharpness, seeds=seeds), csv_path(oof, "luna5", recipe, "fusion"))
        write(predictions(sharpness), csv_path(oof, "luna5", recipe, "mel"))
    write(predictions(1.0, clips=8), csv_path(oof, "random", "lean", "fusion"))
    write(predictions(2.0), csv_path(oof, "random", "overtone", "fusion"))
    write(predictions(2.0), csv_path(oof, "loso", "lean", "fusion"))
    write_record(audits(mixup=0.3, members=4, start=["emodb"]), record_path(oof, "luna5", "overtone"))
    write_record(audits(mixup=0.0, members=4, start=["emodb"]), record_path(oof, "luna5", "lean"))
    (tmp_path / "README.md").write_text(README)
    rows = [vars(row) for row in (*ABLATIONS, Ablation("gone", "overtone", "never trained"))]
    (tmp_path / "results" / "ablations.json").write_text(json.dumps({"rows": rows}))
    return tmp_path


def test_an_ablation_stands_beside_its_reference(project: Path) -> None:
    results = read_results(project / "results" / "oof", {})
    words, table = blocks(results, ABLATIONS)
    assert isinstance(words, Paragraph) and isinstance(table, Table)
    rows = [dict(zip(table.header, row, strict=True)) for row in table.rows]
    assert [(row["Protocol"], row["Recipe"]) for row in rows] == [
        ("luna5", "overtone"), ("luna5", "lean"), ("luna5", "alone"), ("random", "overtone"), ("random", "lean"),
    ]  # fmt: skip
    reference, lean, alone = rows[:3]
    assert isinstance(reference["Recipe"], Strong) and reference["UAR difference"] == "–"
    assert (lean["What is changed"], lean["Settings"]) == ("no mixup", "mixup 0.3 → 0.0")
    assert alone["Settings"] == "–", "its audits are not there"
    uars = {(one.setting.protocol, one.recipe): one.row.scores.uar.value for one in results if one.whole}
    assert lean["UAR difference"].startswith(f"{100 * (uars['luna5', 'lean'] - uars['luna5', 'overtone']):+.1f} [")
    assert (lean["p"], lean["Pairs"], lean["Verdict"]) == ("0.031", "6 speakers", "worse")
    assert rows[-1]["Verdict"] == "tested on different clips"


def test_what_is_an_ablation_is_compared_with_its_reference_alone(project: Path) -> None:
    results = read_results(project / "results" / "oof", {})
    kept = [(one.setting.protocol, one.recipe, one.part) for one in without_ablations(results, ABLATIONS)]
    assert kept == [
        ("luna5", "overtone", "fusion"),
        ("luna5", "overtone", "mel"),
        ("loso", "lean", "fusion"),  # its reference was not measured under this protocol
        ("random", "overtone", "fusion"),
    ]
    build(project)
    page, readme = (project / "docs" / "results.md").read_text("utf-8"), (project / "README.md").read_text("utf-8")
    assert "no mixup" in section(page, "What each part is worth")
    assert "Not measured yet: gone." in section(page, "What each part is worth")
    assert "lean" not in section(page, "Paired tests")
    assert "| luna5 | lean |" not in readme and "| loso | lean |" in readme
    assert "lean recipe, fusion" in section(page, "Measured here"), "it is measured all the same"


def test_no_list_no_table(project: Path) -> None:
    (project / "results" / "ablations.json").unlink()
    build(project)
    assert "What each part is worth" not in (project / "docs" / "results.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("reference", "other", "told"),
    [
        (audits(mixup=0.3), audits(mixup=0.3), "none"),
        (audits(), audits(members=4), "members 1 → 4"),  # before there were ensembles there was one network
        (audits(), audits(strange="x"), "strange – → x"),
        (audits(phases=[["mel", "prosody"], ["fusion"]]), audits(phases=[["mel"]]), "phases mel+prosody, fusion → mel"),
        (audits(start=["emodb", "nemo"]), audits(), "start emodb, nemo → nothing"),
        (None, audits(), "–"),
    ],
)
def test_settings_that_differ(reference: RunRecord | None, other: RunRecord, told: str) -> None:
    assert changed_settings(reference, other) == told


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "cannot read ablations from .*ablations.json"),
        ('{"rows": [3]}', "cannot read ablations from"),
        ('{"rows": [{"recipe": "a", "of": "b"}]}', "ablations.json: the row .* needs a recipe"),
        ('{"rows": [{"recipe": "a", "off": "b", "label": "c"}]}', "no key 'off' in a row; did you mean 'of'"),
    ],
)
def test_damage_is_named(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "ablations.json"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        read(path)


def test_the_list_of_this_project_is_readable() -> None:
    rows = read(Path(__file__).resolve().parents[3] / "results" / "ablations.json")
    assert {(row.recipe, row.of) for row in rows} >= {("contours", "paper"), ("dense", "paper")}
    assert len({(row.recipe, row.of) for row in rows}) == len(rows)
    assert not any(row.recipe == row.of for row in rows)
