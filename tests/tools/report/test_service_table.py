"""The targets of the service are met or missed as the measurements say."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from results_files import SERVE

from overtone.errors import InputError
from overtone.evaluation.document import Strong, Table
from tools.report.service_table import blocks, detail_blocks


def write(content: dict[str, Any], folder: Path) -> Path:
    path = folder / "serve.json"
    path.write_text(json.dumps(content))
    return path


def detail_tables(content: dict[str, Any], folder: Path) -> list[Table]:
    return [block for block in detail_blocks(write(content, folder)) if isinstance(block, Table)]


def test_main_measurements(tmp_path: Path) -> None:
    table = blocks(write(SERVE, tmp_path))[0]
    assert isinstance(table, Table)
    assert [row[1] for row in table.rows] == ["0.90 s", "166", "90 / 116 ms", "50", "26 ms"]


def test_good_measurements_meet_every_target(tmp_path: Path) -> None:
    targets, page = detail_tables(SERVE, tmp_path)
    assert len(targets.rows) == 9
    assert {row[2] for row in targets.rows} == {Strong("met")}
    assert targets.rows[3][1] == "30 minutes at 330 per second: 300 correct, 200 rejected with Retry-After"
    assert page.rows[0][1:] == ("0.95 s", "0.2 MB", "59 kB, 13 requests", "204 ms", "480 ms", "0", "0")
    assert page.rows[1][1] == "not here"


@pytest.mark.parametrize(
    ("path", "value", "rows"),
    [
        (("start", "seconds", "max"), 2.0, [0]),
        (("recognise", "correct_per_second"), 59.0, [1]),
        (("recognise", "ms", "p99"), 300.0, [2]),
        (("overload", "minutes"), 29, [3, 4]),
        (("overload", "responses", "wrong"), 1, [3]),
        (("overload", "alive"), False, [3]),
        (("overload", "worker_deaths"), 1.0, [3]),
        (("overload", "memory_mb", "growth_percent"), 10.1, [4]),
        (("streams", "complete_timelines"), 49, [5]),
        (("streams", "lag_ms", "max"), 251.0, [5]),
        (("kill", "finished_twice"), 1, [6]),
        (("kill", "done"), 199, [6]),
        (("malformed", "server_errors"), 1, [7]),
        (("malformed", "uploads"), 9_999, [7, 8]),
        (("malformed", "memory_mb", "growth_percent"), 11.0, [8]),
    ],
)
def test_each_measurement_can_miss_its_target(
    path: tuple[str, ...], value: Any, rows: list[int], tmp_path: Path
) -> None:
    content = copy.deepcopy(SERVE)
    *parents, key = path
    part: Any = content
    for name in parents:
        part = part[name]
    part[key] = value
    verdicts = [row[2] for row in detail_tables(content, tmp_path)[0].rows]
    assert [number for number, verdict in enumerate(verdicts) if verdict != Strong("met")] == rows


def test_unmeasured_parts_have_no_numbers(tmp_path: Path) -> None:
    (targets,) = detail_tables({"machine": SERVE["machine"]}, tmp_path)
    assert not any(sign.isdigit() for row in targets.rows for sign in "".join(map(str, row[1:])))
    assert not any(isinstance(block, Table) for block in blocks(write({"machine": SERVE["machine"]}, tmp_path)))


def test_missing_and_damaged_files(tmp_path: Path) -> None:
    assert blocks(tmp_path / "none.json") == detail_blocks(tmp_path / "none.json") == []
    with pytest.raises(InputError, match=r"serve\.json.*benchmarks\.serve"):
        blocks(write({}, tmp_path))
