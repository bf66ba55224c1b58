"""Times of intervals in columns that are not read are errors: the interval would be the whole file."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from overtone.batch.inputs import collect_inputs
from overtone.corpora import manifest
from overtone.errors import CorpusError


def write(folder: Path, columns: str, cells: str) -> Path:
    for name in ("a.wav", "b.wav"):
        soundfile.write(folder / name, np.zeros(16_000), 16_000)
    (folder / "t.csv").write_text(f"path,emotion,{columns}\na.wav,sad,{cells}\nb.wav,happy,{cells}\n", "utf-8")
    return folder / "t.csv"


@pytest.mark.parametrize(
    ("columns", "unread"),
    [
        *(("begin,end", "begin"), ("tmin,tmax", "tmin"), ("Start Time,End Time", "Start Time")),
        *(("startTime,endTime", "startTime"), ("start_frame,end_frame", "start_frame")),
        *(("start_s,stop", "stop"), ("t_start,t_end", "t_start")),
    ],
)
@pytest.mark.parametrize("cells", ["0,0.5", "500,900"])
def test_times_in_other_columns(tmp_path: Path, columns: str, unread: str, cells: str) -> None:
    path = write(tmp_path, columns, cells)
    for read in (lambda: manifest.read(path), lambda: collect_inputs([str(path)])):
        with pytest.raises(CorpusError, match=r"t\.csv") as error:
            read()
        assert f"'{unread}'" in str(error.value)


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        ("duration,frames", "0.5,50"),
        ("start_time,end_time", "2024-01-05 10:00,2024-01-05 10:09"),
        ("start_time,end_time", "1704448800,1704449400"),
        ("from,to", "4915112345,4915154321"),
        ("start,end,begin", "0,0.5,0"),
        ("started,ending", "1,2"),
        ("begin,stop", ","),
    ],
)
def test_columns_about_something_else(tmp_path: Path, columns: str, cells: str) -> None:
    path = str(write(tmp_path, columns, cells))
    assert [row.error for row in collect_inputs([path]).rows] == ["", ""]


def test_only_rows_with_such_times_are_invalid(tmp_path: Path) -> None:
    path = write(tmp_path, "begin,stop", ",")
    path.write_text(path.read_text("utf-8").replace("happy,,", "happy,0.5,1"), "utf-8")
    first, second = collect_inputs([str(path)]).rows
    assert not first.error and "'begin'" in second.error
