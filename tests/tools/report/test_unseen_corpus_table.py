"""The table of unseen corpora: rows, means, its place on the pages; and the figure of known and unseen corpora."""

from pathlib import Path

import numpy as np
import pytest
from results_files import PARTS, README, section, unseen_corpora

from overtone.evaluation import figures
from overtone.evaluation.document import Table
from overtone.evaluation.oof_files import csv_path, select, write
from tools.report.build import build
from tools.report.oof_results import read_results
from tools.report.unseen_corpus_table import blocks, detail_blocks, readme_blocks

RECIPES = {"encoder": ("fusion", 3.0), "feeble": ("fusion", 0.5), "compare-svm": ("svm", 1.0)}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    oof = tmp_path / "results" / "oof"
    for recipe, (part, sharpness) in RECIPES.items():
        write(unseen_corpora(sharpness), csv_path(oof, "unseen-corpus", recipe, part))
        write(unseen_corpora(2 * sharpness), csv_path(oof, "unseen-corpus", recipe, "adapted"))
    write(unseen_corpora(1.5), csv_path(oof, "unseen-corpus", "encoder", "mel"))
    write(PARTS["fusion"], csv_path(oof, "luna5", "encoder-one-corpus", "fusion"))
    (tmp_path / "README.md").write_text(README)
    return tmp_path


def table(content: list) -> list[dict[str, str]]:
    assert isinstance(content[0], Table)
    return [dict(zip(content[0].header, map(str, row), strict=True)) for row in content[0].rows]


def test_each_corpus_has_a_column_and_counts_equally(project: Path) -> None:
    rows = table(blocks(read_results(project / "results" / "oof")))
    models = ["encoder", "feeble", "compare-svm"]
    assert [row["Model"].strip("*") for row in rows] == 2 * models, "branches are left out, baselines come last"
    assert [row["Reference"] for row in rows] == 3 * ["none"] + 3 * ["speaker's clips"]
    for row in rows:
        uars = [float(row[corpus]) for corpus in ("ASED", "EmoDB")]
        assert uars[1] > uars[0]
        assert float(row["Mean"].strip("*").split()[0]) == pytest.approx(np.mean(uars), abs=0.11)
        assert 0 <= float(row["Sure and wrong"]) <= 100 and 0 <= float(row["Right if sure"]) <= 100


def test_the_readme_shows_bundled_models_and_baselines(project: Path) -> None:
    oof = project / "results" / "oof"
    write(unseen_corpora(0.4), csv_path(oof, "unseen-corpus", "lite", "fusion"))
    rows = table(readme_blocks(read_results(oof)))
    assert {row["Model"].strip("*") for row in rows} == {"encoder", "lite", "compare-svm"}


def test_details_have_a_row_per_corpus(project: Path) -> None:
    results = read_results(project / "results" / "oof")
    rows = table(detail_blocks(results))
    assert len(rows) == 2 * 2 * len(RECIPES)
    row = next(row for row in rows if (row["Model"], row["Reference"], row["Corpus"]) == ("encoder", "none", "ASED"))
    predictions = unseen_corpora(3.0)
    predictions = select(predictions, predictions.corpus == "ased")
    sure = predictions.probabilities.max(axis=1) >= 0.5
    right = np.array(predictions.emotions)[predictions.probabilities.argmax(axis=1)] == predictions.truth
    assert row["Sure and wrong"] == f"{100 * (sure & ~right).mean():.1f}"
    assert row["Right if sure"] == f"{100 * right[sure].mean():.1f}"


def test_first_table_of_both_pages(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    curves = []
    monkeypatch.setattr(figures, "risk_coverage", lambda drawn, title: curves.append([*drawn]) or b"png")
    build(project)
    page, readme = ((project / name).read_text("utf-8") for name in ("docs/results.md", "README.md"))
    assert page.index("\n## Unseen corpora\n") < page.index("\n## Summary\n")
    assert "feeble" in section(page, "Unseen corpora")
    assert readme.index("| Model | Reference | ASED | EmoDB | Mean |") < readme.index("| luna5 | encoder-one-corpus |")
    assert "feeble" not in readme and "compare-svm" in readme
    assert "| unseen-corpus |" not in section(page, "Summary"), "its scores are in the first table"
    assert curves == [["luna5", "unseen-corpus"]]


def test_without_results_there_is_no_table(project: Path) -> None:
    for path in (project / "results" / "oof").glob("unseen-corpus-*"):
        path.unlink()
    build(project)
    assert "Unseen corpora" not in (project / "docs" / "results.md").read_text("utf-8")
    assert "Reference" not in (project / "README.md").read_text("utf-8")
    results = read_results(project / "results" / "oof")
    assert blocks(results) == detail_blocks(results) == readme_blocks(results) == []
