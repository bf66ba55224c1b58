"""The targets of the service are met or missed as the figures say."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from results_files import SERVE

from overtone.errors import InputError
from overtone.evaluation.document import Strong, Table
from tools.report.service_table import blocks


def tables(held: dict[str, Any], folder: Path) -> list[Table]:
    path = folder / "serve.json"
    path.write_text(json.dumps(held))
    return [block for block in blocks(path) if isinstance(block, Table)]


def test_every_target_is_met_by_good_figures(tmp_path: Path) -> None:
    targets, page = tables(SERVE, tmp_path)
    assert len(targets.rows) == 9
    assert {row[2] for row in targets.rows} == {Strong("met")}
    assert targets.rows[3][1] == "30 minutes at 330 a second: 200 refused with Retry-After, 300 right"
    assert page.rows[0][1:] == ("0.95 s", "0.2 MB", "59 kB, 13 requests", "204 ms", "480 ms", "0", "0")
    assert page.rows[1][1] == "not here"


@pytest.mark.parametrize(
    ("place", "value", "rows"),
    [
        (("start", "seconds", "max"), 2.0, [0]),
        (("recognise", "right_per_second"), 59.0, [1]),
        (("recognise", "ms", "p99"), 300.0, [2]),
        (("overload", "minutes"), 29, [3, 4]),
        (("overload", "answers", "wrong"), 1, [3]),
        (("overload", "alive"), False, [3]),
        (("overload", "worker_deaths"), 1.0, [3]),
        (("overload", "memory_mb", "growth_percent"), 10.1, [4]),
        (("streams", "whole_timelines"), 49, [5]),
        (("streams", "lag_ms", "max"), 251.0, [5]),
        (("kill", "finished_again"), 1, [6]),
        (("kill", "done"), 199, [6]),
        (("malformed", "server_errors"), 1, [7]),
        (("malformed", "uploads"), 9_999, [7, 8]),
        (("malformed", "memory_mb", "growth_percent"), 11.0, [8]),
    ],
)
def test_each_figure_counts(place: tuple[str, ...], value: Any, rows: list[int], tmp_path: Path) -> None:
    held = copy.deepcopy(SERVE)
    *way, last = place
    part: Any = held
    for name in way:
        part = part[name]
    part[last] = value
    verdicts = [row[2] for row in tables(held, tmp_path)[0].rows]
    assert [number for number, verdict in enumerate(verdicts) if verdict != Strong("met")] == rows


def test_what_was_not_measured_is_not_told(tmp_path: Path) -> None:
    (targets,) = tables({"machine": SERVE["machine"]}, tmp_path)
    assert not any(sign.isdigit() for row in targets.rows for sign in "".join(map(str, row[1:])))
    assert blocks(tmp_path / "none.json") == []
    (tmp_path / "serve.json").write_text("{}")
    with pytest.raises(InputError, match=r"serve\.json.*benchmarks\.serve"):
        blocks(tmp_path / "serve.json")
