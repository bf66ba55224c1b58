"""Turns are checked in the same way in all formats: times, order, tolerance, the end of the recording."""

import os
from pathlib import Path

import pytest

from overtone.errors import InputError
from overtone.speaker_turns import TURN_FORMATS, read_turns, read_turns_file
from overtone.timeline import Segment


def write(folder: Path, content: str, name: str = "turns.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode())
    return path


def test_turns_are_sorted_by_start(tmp_path: Path) -> None:
    path = write(tmp_path, "start_s,end_s,speaker\n2,4,ben\n0.5,3,anna\n0.5,2.75,anna\n")
    expected = (Segment(0.5, 2.75, None, "anna"), Segment(0.5, 3, None, "anna"), Segment(2, 4, None, "ben"))
    assert read_turns(path) == expected


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("2,1", "the turn from 2 to 1 s ends before it starts"),
        ("6.6,6.6", "the turn from 6.6 to 6.6 s is empty"),
        ("1,1.0005", "the turn from 1 to 1.0005 s is empty"),
        ("-1,1", "the turn from -1 to 1 s starts before the recording"),
        ("-0.4,-0.1", "the turn from -0.4 to -0.1 s starts before the recording"),
        ("1,inf", "expected a time in seconds, such as 12.5, got 'inf'"),
        ("one,2", "expected a time in seconds, such as 12.5, got 'one'"),
        ("1", "expected a time in seconds, such as 12.5, got ''"),
        ("1,1e999", "expected a time in seconds, such as 12.5, got '1e999'"),
    ],
)
def test_an_invalid_turn_does_not_lose_the_others(tmp_path: Path, row: str, fault: str) -> None:
    path = write(tmp_path, f"start_s,end_s,speaker\n0,1.8,anna\n{row}\n4,5,ben\n")
    turns, _, invalid = read_turns_file(path)
    assert [turn.speaker for turn in turns] == ["anna", "ben"]
    assert invalid == (f"line 3: {fault}",)
    with pytest.raises(InputError, match=r"turns\.csv, line 3: "):
        read_turns(path)
    only = write(tmp_path, f"start_s,end_s\n{row}\n", "only.csv")
    with pytest.raises(InputError, match=r"only\.csv, line 2: "):
        read_turns_file(only)


def test_all_invalid_turns_are_told_in_one_error(tmp_path: Path) -> None:
    path = write(tmp_path, "start_s,end_s\n0,1\n" + "2,1\n" * 12)
    with pytest.raises(InputError) as error:
        read_turns(path)
    lines = str(error.value).splitlines()
    assert lines[0] == f"{path}: 12 invalid turns:" and lines[-1].strip() == "... and 2 more" and len(lines) == 12


def test_turns_may_exceed_the_recording_by_half_a_second(tmp_path: Path) -> None:
    path = write(tmp_path, "start_s,end_s\n-0.008,1.8\n2,12.9\n")
    assert read_turns(path, "talk.wav", 12.52) == (Segment(0, 1.8), Segment(2, 12.52))
    assert read_turns(path) == (Segment(0, 1.8), Segment(2, 12.9))


@pytest.mark.parametrize("late", ["9,14.52", "12.52,12.9", "60,61"])
def test_a_turn_beyond_the_end_refuses_the_file(tmp_path: Path, late: str) -> None:
    path = write(tmp_path, f"start_s,end_s\n0,1.8\n{late}\n")
    expected = r"line 3: the turn from .* is beyond the end of talk\.wav at 12\.520 s; are these the turns of another"
    with pytest.raises(InputError, match=expected):
        read_turns_file(path, "talk.wav", 12.52)
    assert len(read_turns(path, "talk.wav")) == 2


@pytest.mark.parametrize("name", TURN_FORMATS)
@pytest.mark.parametrize("content", [b"", b"\n", b"hello", b"\xff\xfeA", b"\x00" * 50, b"{}", b"<a/>", b"[1]"])
def test_content_of_another_format_is_an_error(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / f"turns{TURN_FORMATS[name].suffixes[0]}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"turns{TURN_FORMATS[name].suffixes[0]}"):
        read_turns(path)


@pytest.mark.parametrize(
    ("suffix", "remedy"),
    [
        (".ctm", "export"),
        (".stm", "export"),
        (".xlsx", "export"),
        (".wav", "a recording"),
        (".textgird", ".TextGrid'?"),
    ],
)
def test_other_suffixes_are_errors_that_say_what_to_do(tmp_path: Path, suffix: str, remedy: str) -> None:
    with pytest.raises(InputError, match=rf"turns\{suffix}: turns are read from \.rttm") as error:
        read_turns(write(tmp_path, "", f"turns{suffix}"))
    assert remedy in str(error.value)


def test_unreadable_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.csv: the turns cannot be read: No such file"):
        read_turns(tmp_path / "gone.csv")
    with pytest.raises(InputError, match=r"turns\.doc: turns are read from \.rttm, \.TextGrid"):
        read_turns(write(tmp_path, "", "turns.doc"))
    (tmp_path / "latin.csv").write_bytes("start_s,end_s,speaker\n1,2,Jürgen\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"latin\.csv: neither UTF-8 nor UTF-16"):
        read_turns(tmp_path / "latin.csv")
    with pytest.raises(InputError, match="not a regular file"):
        read_turns(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_named_pipe_is_an_error_rather_than_a_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "turns.rttm")
    with pytest.raises(InputError, match=r"turns\.rttm: is not a regular file; write the turns to a file"):
        read_turns(tmp_path / "turns.rttm")
