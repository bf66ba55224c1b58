"""Ablations: differing settings come from the run records, contributions from paired tests; none is dropped."""

import json
from pathlib import Path

import pytest
from results_files import README, predictions, section

from overtone.errors import InputError
from overtone.evaluation.document import Paragraph, Strong, Table
from overtone.evaluation.oof_files import RunRecord, csv_path, record_path, write, write_record
from tools.report.ablation_table import Ablation, blocks, changed_settings, read, without_ablations
from tools.report.build import build
from tools.report.oof_results import read_results

ABLATIONS = (Ablation("lean", "overtone", "no mixup"), Ablation("single", "overtone", "one network"))


def record(**settings: object) -> RunRecord:
    return RunRecord("luna5", "some", {"name": "some", **settings}, {}, (0,), {})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    oof = tmp_path / "results" / "oof"
    for recipe, sharpness, seeds in (("overtone", 3.0, 2), ("lean", 1.0, 1), ("single", 2.0, 1)):
        write(predictions(sharpness, seeds=seeds), csv_path(oof, "luna5", recipe, "fusion"))
        write(predictions(sharpness), csv_path(oof, "luna5", recipe, "mel"))
    write(predictions(1.0, clips=8), csv_path(oof, "random", "lean", "fusion"))
    write(predictions(2.0), csv_path(oof, "random", "overtone", "fusion"))
    write(predictions(2.0), csv_path(oof, "loso", "lean", "fusion"))
    corpora = ["emodb"]
    write_record(record(mixup=0.3, members=4, init_corpora=corpora), record_path(oof, "luna5", "overtone"))
    write_record(record(mixup=0.0, members=4, init_corpora=corpora), record_path(oof, "luna5", "lean"))
    (tmp_path / "README.md").write_text(README)
    rows = [vars(row) for row in (*ABLATIONS, Ablation("missing", "overtone", "never trained"))]
    (tmp_path / "results" / "ablations.json").write_text(json.dumps({"rows": rows}))
    return tmp_path


def test_ablations_follow_their_reference(project: Path) -> None:
    results = read_results(project / "results" / "oof")
    introduction, table = blocks(results, ABLATIONS)
    assert isinstance(introduction, Paragraph) and isinstance(table, Table)
    rows = [dict(zip(table.header, row, strict=True)) for row in table.rows]
    assert [(row["Protocol"], row["Recipe"]) for row in rows] == [
        ("luna5", "overtone"), ("luna5", "lean"), ("luna5", "single"), ("random", "overtone"), ("random", "lean"),
    ]  # fmt: skip
    reference, lean, single = rows[:3]
    assert isinstance(reference["Recipe"], Strong) and reference["UAR difference"] == "–"
    assert (lean["Change"], lean["Settings"]) == ("no mixup", "mixup 0.3 → 0.0")
    assert single["Settings"] == "–", "it has no run record"
    uars = {(x.condition.protocol, x.recipe): x.row.scores.uar.value for x in results if x.is_full_model}
    assert lean["UAR difference"].startswith(f"{100 * (uars['luna5', 'lean'] - uars['luna5', 'overtone']):+.1f} [")
    assert (lean["p"], lean["Pairs"], lean["Verdict"]) == ("0.031", "6 speakers", "worse")
    assert rows[-1]["Verdict"] == "different test clips"


def test_ablations_are_compared_with_their_reference_only(project: Path) -> None:
    results = read_results(project / "results" / "oof")
    main = [(x.condition.protocol, x.recipe, x.part) for x in without_ablations(results, ABLATIONS)]
    assert main == [
        ("luna5", "overtone", "fusion"),
        ("luna5", "overtone", "mel"),
        ("loso", "lean", "fusion"),  # its reference was not measured under this protocol
        ("random", "overtone", "fusion"),
    ]
    build(project)
    details = (project / "docs" / "results-details.md").read_text("utf-8")
    readme = (project / "README.md").read_text("utf-8")
    assert "no mixup" in section(details, "Ablations")
    assert "Not measured yet: missing." in section(details, "Ablations")
    assert "lean" not in section(details, "Paired tests")
    assert "| luna5 | lean |" not in readme and "| loso | lean |" in readme
    assert "lean recipe, fusion" in section(details, "All scores")


def test_no_chapter_without_the_file(project: Path) -> None:
    (project / "results" / "ablations.json").unlink()
    build(project)
    assert "Ablations" not in (project / "docs" / "results-details.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("reference", "other", "text"),
    [
        (record(mixup=0.3), record(mixup=0.3), "none"),
        (record(), record(members=4), "members 1 → 4"),  # older records lack the setting
        (record(), record(strange="x"), "strange – → x"),
        (record(phases=[["mel", "prosody"], ["fusion"]]), record(phases=[["mel"]]), "phases mel+prosody, fusion → mel"),
        (record(init_corpora=["emodb", "nemo"]), record(), "init_corpora emodb, nemo → none"),
        (record(branches={"mel": "a", "prosody": "b"}), record(branches={"mel": "c", "prosody": "b"}), "mel a → c"),
        (record(branches={"mel": "a"}), record(branches={"mel": "a", "voice": "b"}), "voice – → b"),
        (None, record(), "–"),
    ],
)
def test_changed_settings(reference: RunRecord | None, other: RunRecord, text: str) -> None:
    assert changed_settings(reference, other) == text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "ablations.json"),
        ('{"rows": [3]}', "ablations.json"),
        ('{"rows": [{"recipe": "a", "reference": "b"}]}', "ablations.json: the row .* recipe, reference, change"),
        (
            '{"rows": [{"recipe": "a", "referense": "b", "change": "c"}]}',
            "no key 'referense' in a row; did you mean 'reference'",
        ),
    ],
)
def test_error_names_a_damaged_file(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "ablations.json"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        read(path)


def test_ablations_of_this_project() -> None:
    rows = read(Path(__file__).resolve().parents[3] / "results" / "ablations.json")
    pairs = {(row.recipe, row.reference) for row in rows}
    assert pairs >= {("paper-contour-prosody", "paper"), ("paper-dense-fusion", "paper")}
    assert len(pairs) == len(rows)
    assert not any(row.recipe == row.reference for row in rows)
