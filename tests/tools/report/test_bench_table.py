"""Measurements become tables: everybody in a row, every target with its verdict, nothing invented."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from results_files import BENCH, TIMELINE

from overtone.evaluation.document import Paragraph, Table
from tools.report import bench_table, timeline_table
from tools.report.measurements import at_least, below


def written(held: dict[str, Any], folder: Path) -> Path:
    path = folder / "measured.json"
    path.write_text(json.dumps(held))
    return path


def test_everybody_has_a_row(tmp_path: Path) -> None:
    table, words, *_ = bench_table.blocks(written(BENCH, tmp_path))
    assert isinstance(table, Table)
    assert isinstance(words, Paragraph)
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["Overtone, clip by clip"] == ("9.87 ms", "372", "9.68 s", "1", "0.50 s", "120 MB", "150 MB")
    assert rows["wav2vec2-base, onnxruntime"][-1] == "530 MB", "the model counts"
    assert rows["librosa (features only)"][0] == "321 ms"
    assert set(rows["eGeMAPS; not measured: not installed: opensmile"]) == {"–"}
    assert {len(row) for row in table.rows} == {len(table.header)}
    assert "Something else" not in words.text


def test_a_busy_machine_is_told(tmp_path: Path) -> None:
    held = deepcopy(BENCH)
    held["systems"]["librosa"]["cpu_share"] = 0.42
    words = bench_table.blocks(written(held, tmp_path))[1]
    assert isinstance(words, Paragraph)
    assert "only 42 % of the time" in words.text


def test_targets_are_judged_by_the_faster_of_ours_and_of_theirs(tmp_path: Path) -> None:
    table = bench_table.blocks(written(BENCH, tmp_path))[2]
    assert isinstance(table, Table)
    assert [row[1:] for row in table.rows] == [
        ("465 times", "met"),
        ("40.8 times", "met"),
        ("–", "–"),
        ("20 times", "missed"),
        ("0.61 s", "missed"),
        ("120 MB", "met"),
    ]


def test_the_floor_is_told_with_the_distance(tmp_path: Path) -> None:
    words = bench_table.blocks(written(BENCH, tmp_path))[3]
    assert isinstance(words, Paragraph)
    assert "5.00 ms per clip" in words.text
    assert "1.97 times as long" in words.text


def test_the_short_table_holds_what_was_measured(tmp_path: Path) -> None:
    table, words = bench_table.readme_blocks(written(BENCH, tmp_path))
    assert isinstance(table, Table)
    assert isinstance(words, Paragraph)
    assert len(table.rows) == len(BENCH["systems"]) - 1
    assert {len(row) for row in table.rows} == {len(table.header)}
    assert "0.61 s and 120 MB" in words.text


def test_recordings_and_live_sound(tmp_path: Path) -> None:
    table, _, live, targets = timeline_table.blocks(written(TIMELINE, tmp_path))
    assert isinstance(table, Table)
    assert isinstance(live, Paragraph)
    assert isinstance(targets, Table)
    assert table.rows == (("One hour, FLAC at 48 kHz, 44 % of it speech", "14.4 s", "28.0 s", "250", "401 MB"),)
    assert "1.2 % of one core" in live.text
    assert [row[2] for row in targets.rows] == ["met", "missed", "met", "met"]
    ten = deepcopy(TIMELINE)
    ten["recordings"][0]["hours"] = 10.0
    assert "10 hours in less than 150 s on two cores" in timeline_table.blocks(written(ten, tmp_path))[3].rows[0]  # type: ignore[union-attr]


@pytest.mark.parametrize(("measured", "met"), [(4.999, False), (5.0, True)])
def test_at_least_and_below_part_at_the_figure(measured: float, met: bool) -> None:
    assert at_least("x", 5.0, measured, "s").met is met
    assert below("x", 5.0, measured, "s").met is not met
    assert not at_least("x", 5.0, None, "s").met
    assert not below("x", 5.0, None, "s").met
