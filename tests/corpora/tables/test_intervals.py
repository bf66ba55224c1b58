"""Times in the notations of people, Python, pandas and audformat."""

import datetime

import pytest

from overtone.corpora.tables.intervals import parse_interval
from overtone.errors import CorpusError


@pytest.mark.parametrize(
    ("cell", "time_s"),
    [
        ("12,5", 12.5),
        (" 13.25 ", 13.25),
        ("1e-3", 0.001),
        (".5", 0.5),
        (7, 7.0),
        (7.25, 7.25),
        ("0 days 00:00:01.500000", 1.5),
        ("1 days 01:00:02", 90_002.0),
        (str(datetime.timedelta(days=1, seconds=2.5)), 86_402.5),
        (str(datetime.timedelta(minutes=61)), 3_660.0),
        ("1:02.5", 62.5),
    ],
)
def test_a_time_in_any_notation(cell: str | float, time_s: float) -> None:
    assert parse_interval(cell, None) == (time_s, None)
    assert parse_interval("", cell) == (None, time_s)


@pytest.mark.parametrize("cell", ["", None, " ", "NaT"])
def test_an_unknown_time(cell: str | None) -> None:
    assert parse_interval(cell, cell) == (None, None)


@pytest.mark.parametrize("cell", ["1,234,5", "soon", "-1", "inf", "nan", "1_0", "0x1", "1:2:3:4", True, "1 week"])
def test_anything_else_is_an_error(cell: str | bool) -> None:
    with pytest.raises(CorpusError, match=r"start_s '.*' is not a number of seconds such as 12\.5"):
        parse_interval(cell, "")


def test_the_end_is_after_the_start() -> None:
    with pytest.raises(CorpusError, match=r"end_s 1.0 is not after start_s 2.0"):
        parse_interval("0:02", 1)
