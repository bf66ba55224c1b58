"""Times of intervals in columns that are not read are errors: the interval would be the whole file."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from overtone.batch.inputs import collect_inputs
from overtone.corpora import manifest
from overtone.corpora.tables.table_files import read_file
from overtone.corpora.tables.unread_times import unread_times
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
        *(
            ("start_s,stop", "stop"),
            ("t_start,t_end", "t_start"),
            ("Beginn,Stopp", "Beginn"),
            ("d\u00e9but,n", "d\u00e9but"),
        ),
        *(("n,offset", "offset"), ("start,offset", "offset"), ("offset,end", "offset")),
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
        ("xmin,ymin", "0,0"),
        ("fine,to", "1,205"),
        ("recording_start,stop_reason", "1,2"),
        ("end_date,utc_offset", "20240105,1"),
        ("start,end,offset", "0,0.5,7"),
        ("start,duration,offset", "0,0.5,7"),
        ("offset,n", ",1"),
        ("start_time,end_time", "10:00:00,10:09:00"),
    ],
)
def test_columns_about_something_else(tmp_path: Path, columns: str, cells: str) -> None:
    path = str(write(tmp_path, columns, cells))
    assert [row.error for row in collect_inputs([path]).rows] == ["", ""]


@pytest.mark.parametrize(("columns", "unread"), [("start_s,stop", "stop"), ("begin,end", "begin")])
def test_a_clock_time_next_to_the_other_end_of_the_interval(tmp_path: Path, columns: str, unread: str) -> None:
    with pytest.raises(CorpusError, match=rf"t\.csv[\s\S]*'{unread}'"):
        manifest.read(write(tmp_path, columns, "0:00:00.1,0:00:00.5"))


def test_other_times_in_a_database_are_those_of_its_programs(tmp_path: Path) -> None:
    table = read_file(str(write(tmp_path, "offset,n", "7,1")), "")
    assert unread_times(table, {}).places
    assert not unread_times(replace(table, made_by_program=True), {}).places


def test_only_rows_with_such_times_are_invalid(tmp_path: Path) -> None:
    path = write(tmp_path, "begin,stop", ",")
    path.write_text(path.read_text("utf-8").replace("happy,,", "happy,0.5,1"), "utf-8")
    first, second = collect_inputs([str(path)]).rows
    assert not first.error and "'begin'" in second.error
