"""Scores under recording conditions in a model card."""

import json
from pathlib import Path

import pytest

from overtone.errors import InputError
from overtone.evaluation.document import Table
from overtone.evaluation.robustness import card_blocks, card_rows


def row(recipe: str, corpus: str, condition: str, uar: float) -> dict[str, object]:
    shares = {"uar": uar, "changed": 0.25, "sure": 0.5, "sure_wrong": 0.125}
    return {"protocol": "unseen-corpus", "recipe": recipe, "corpus": corpus, "condition": condition, "n": 4, **shares}


def test_a_card_has_the_means_over_the_corpora(tmp_path: Path) -> None:
    rows = [
        *(row("mine", corpus, "clean", uar) for corpus, uar in (("a", 0.5), ("b", 0.7))),
        *(row("mine", corpus, "hum", uar) for corpus, uar in (("a", 0.4), ("b", 0.5))),
        row("other", "a", "clean", 0.1),
    ]
    path = tmp_path / "robustness.json"
    path.write_text(json.dumps({"conditions": {}, "rows": rows}))
    found = card_rows(path, "mine")
    assert [(line["condition"], line["uar"]) for line in found] == [("clean", 0.6), ("hum", 0.45)]
    assert found[0] | {"condition": "hum", "uar": 0.45} == found[1]
    _, table = card_blocks({"robustness": found})
    assert isinstance(table, Table) and table.rows[1] == ("unseen-corpus", "hum", "45.0", "25.0", "12.5")


def test_a_card_without_measurements_has_no_table(tmp_path: Path) -> None:
    assert card_rows(tmp_path / "robustness.json", "mine") == []
    assert card_blocks({}) == []


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "robustness.json"
    path.write_text('{"rows": [{"recipe": "mine"}]}')
    with pytest.raises(InputError, match=r"robustness\.json"):
        card_rows(path, "mine")
