"""The table of reference sets: a row per set, a column per corpus and their mean."""

import json
from pathlib import Path

from overtone.evaluation.document import Table
from tools.report import reference_sets_table


def test_the_table_has_a_column_per_corpus(tmp_path: Path) -> None:
    path = tmp_path / "reference-sets.json"
    rows = [{"references": "none", "emodb": 0.8, "emovo": 0.5, "mean": 0.65}]
    path.write_text(json.dumps({"runs": "unseen-corpus-encoder", "rows": rows}), "utf-8")
    table = reference_sets_table.blocks(path)[0]
    assert isinstance(table, Table)
    assert table.header == ("Reference clips", "emodb", "emovo", "mean")
    assert table.rows == (("none", "80.0", "50.0", "65.0"),)


def test_without_a_file_there_is_no_table(tmp_path: Path) -> None:
    assert reference_sets_table.blocks(tmp_path / "none.json") == []
