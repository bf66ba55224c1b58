"""The tables of `results/bench.json` and `results/timeline.json`: one row per system, one verdict per target."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from results_files import BENCH, TIMELINE

from overtone.evaluation.document import Paragraph, Table
from tools.report import bench_table, timeline_table
from tools.report.measurements import at_least, below


def write(content: dict[str, Any], folder: Path) -> Path:
    path = folder / "measured.json"
    path.write_text(json.dumps(content))
    return path


def test_one_row_per_system(tmp_path: Path) -> None:
    table, notes = bench_table.blocks(write(BENCH, tmp_path))
    assert isinstance(table, Table)
    assert isinstance(notes, Paragraph)
    rows = {row[0]: row[1:] for row in table.rows}
    assert rows["Overtone, clip by clip"] == ("9.87 ms", "372", "9.68 s", "1", "0.50 s", "120 MB", "150 MB")
    assert rows["wav2vec2-base, onnxruntime"][-1] == "530 MB", "the size includes the model"
    assert rows["librosa (features only)"][0] == "321 ms"
    assert not any("eGeMAPS" in title for title in rows)
    assert "eGeMAPS: not installed: opensmile." in notes.text
    assert {len(row) for row in table.rows} == {len(table.header)}
    assert "Other processes" not in notes.text


def test_notes_report_a_busy_machine(tmp_path: Path) -> None:
    content = deepcopy(BENCH)
    content["systems"]["librosa"]["cpu_share"] = 0.42
    notes = bench_table.blocks(write(content, tmp_path))[1]
    assert isinstance(notes, Paragraph)
    assert "only 42 % of the time" in notes.text


def test_targets_are_those_of_each_model(tmp_path: Path) -> None:
    table = bench_table.detail_blocks(write(BENCH, tmp_path))[0]
    assert isinstance(table, Table)
    assert [row[1:] for row in table.rows] == [
        ("372 times", "met"),
        ("749 times", "met"),
        ("65.2 times", "met"),
        ("–", "–"),
        ("16 times", "missed"),
        ("0.61 s", "missed"),
        ("120 MB", "met"),
    ]
    content = deepcopy(BENCH)
    del content["systems"]["lite"]
    without_lite = bench_table.detail_blocks(write(content, tmp_path))[0]
    assert isinstance(without_lite, Table)
    assert [row[1:] for row in without_lite.rows][1:4] == [("–", "–")] * 3


def test_lower_bound_and_distance_from_it(tmp_path: Path) -> None:
    bound = bench_table.detail_blocks(write(BENCH, tmp_path))[1]
    assert isinstance(bound, Paragraph)
    assert "5.00 ms" in bound.text
    assert "1.97 times as long" in bound.text


def test_readme_table_lists_measured_systems_of_the_faster_runtime(tmp_path: Path) -> None:
    table, notes = bench_table.readme_blocks(write(BENCH, tmp_path))
    assert isinstance(table, Table)
    assert isinstance(notes, Paragraph)
    assert [row[0] for row in table.rows] == [
        *("Overtone, clip by clip", "Overtone, model lite", "librosa (features only)", "wav2vec2-base, onnxruntime"),
    ]
    assert {len(row) for row in table.rows} == {len(table.header)}
    assert "0.61 s and 120 MB" in notes.text


def test_recordings_and_live_audio(tmp_path: Path) -> None:
    table, _, live = timeline_table.blocks(write(TIMELINE, tmp_path))
    (targets,) = timeline_table.detail_blocks(write(TIMELINE, tmp_path))
    assert isinstance(table, Table)
    assert isinstance(live, Paragraph)
    assert isinstance(targets, Table)
    assert table.rows == (("One hour, FLAC at 48 kHz, 44 % speech", "14.4 s", "28.0 s", "250", "401 MB"),)
    assert "1.2 % of one core" in live.text
    assert [row[2] for row in targets.rows] == ["met", "missed", "met", "met"]
    ten = deepcopy(TIMELINE)
    ten["recordings"][0]["hours"] = 10.0
    (targets,) = timeline_table.detail_blocks(write(ten, tmp_path))
    assert isinstance(targets, Table)
    assert "10 hours in less than 150 s on two cores" in targets.rows[0]


@pytest.mark.parametrize(("measured", "met"), [(4.999, False), (5.0, True)])
def test_limits_of_at_least_and_below(measured: float, met: bool) -> None:
    assert at_least("x", 5.0, measured, "s").met is met
    assert below("x", 5.0, measured, "s").met is not met
    assert not at_least("x", 5.0, None, "s").met
    assert not below("x", 5.0, None, "s").met
