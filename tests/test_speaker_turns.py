"""Speaker turns are read from RTTM, CSV and TextGrid files; invalid files are rejected."""

from pathlib import Path

import pytest

from overtone.errors import InputError
from overtone.speaker_turns import read_turns
from overtone.timeline import Segment

TURNS = (Segment(0.5, 2.75, None, "anna"), Segment(2.0, 4.0, None, 'ben "b"'))
RTTM = """SPKR-INFO talk 1 <NA> <NA> <NA> unknown anna <NA>
SPEAKER talk 1 2.0 2.00 <NA> <NA> ben <NA> <NA>
SPEAKER talk 1 0.5 2.25 <NA> <NA> anna <NA> <NA>
"""
LONG = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 5
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "anna"
        xmin = 0
        xmax = 5
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = ""
        intervals [2]:
            xmin = 0.5
            xmax = 2.75
            text = "well, 3 of [12]:"
        intervals [3]:
            xmin = 2.75
            xmax = 5
            text = " "
    item [2]:
        class = "TextTier"
        name = "clicks"
        xmin = 0
        xmax = 5
        points: size = 1
        points [1]:
            number = 1.5
            mark = "click"
    item [3]:
        class = "IntervalTier"
        name = "ben ""b""\"
        xmin = 0
        xmax = 5
        intervals: size = 1
        intervals [1]:
            xmin = 2
            xmax = 4
            text = "he said ""no""\"
"""
SHORT = """File type = "ooTextFile"
Object class = "TextGrid"

0
5
<exists>
2
"IntervalTier"
"anna"
0
5
2
0.5
2.75
"yes"
2.75
5
""
"IntervalTier"
"ben ""b""\"
0
5
1
2
4
"no"
"""
CSV = 'speaker,start_s,end_s\n"ben ""b""",2,4\nanna,0.5,2.75\n'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("long.TextGrid", LONG.encode()),
        ("short.textgrid", SHORT.encode()),
        ("utf16.TextGrid", LONG.encode("utf-16")),
        ("turns.csv", CSV.encode()),
        ("bom.csv", b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode()),
    ],
)
def test_turns_are_sorted_by_start(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert read_turns(tmp_path / name) == TURNS


def test_rttm_of_one_recording_and_of_several(tmp_path: Path) -> None:
    path = tmp_path / "talk.rttm"
    path.write_text(RTTM)
    assert [turn.speaker for turn in read_turns(path, "other.wav")] == ["anna", "ben"]
    path.write_text(RTTM + "SPEAKER second 1 7.0 1.00 <NA> <NA> carl <NA> <NA>\n")
    assert read_turns(path, "folder/second.flac") == (Segment(7, 8, None, "carl"),)
    assert len(read_turns(path, "talk.wav")) == 2
    with pytest.raises(
        InputError, match=r"talk\.rttm: contains several recordings, and none is called 'secnd'; did you mean"
    ):
        read_turns(path, "secnd.wav")


def test_speakers_may_be_unknown(tmp_path: Path) -> None:
    (tmp_path / "turns.csv").write_text("start_s,end_s\n1,2\n")
    assert read_turns(tmp_path / "turns.csv") == (Segment(1, 2),)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "", r"a\.txt: turns are read from \.rttm, \.csv and \.TextGrid"),
        ("a.csv", "", r"a\.csv: the header lacks the column start_s and end_s"),
        ("a.csv", "start_s,speaker\n1,anna\n", "lacks the column end_s"),
        ("a.csv", "start_s,end_s\n", r"a\.csv: contains no turn$"),
        ("a.csv", "start_s,end_s\n2,1\n", "invalid turn from 2 to 1 s"),
        ("a.csv", "start_s,end_s\n-1,1\n", "invalid turn from -1 to 1 s"),
        ("a.csv", "start_s,end_s\n1,inf\n", "invalid turn from 1 to inf s"),
        ("a.csv", "start_s,end_s\none,2\n", "expected a time in seconds, such as 12.5, got 'one'"),
        ("a.csv", "start_s,end_s\n1\n", "expected a time in seconds, such as 12.5, got ''"),
        ("a.csv", "start_s,end_s,speaker\n\n1,2,anna\n2,3,Doe, Jane\n", "line 4: more cells than the header has"),
        ("a.rttm", "SPEAKER talk 1 2.0\n", "expected 8 fields or more, got 'SPEAKER talk 1 2.0'"),
        ("a.rttm", RTTM.replace("2.25", "long"), "expected a time in seconds, such as 12.5, got 'long'"),
        ("a.rttm", "LEXEME talk 1 2.0\n", "contains no turn"),
        ("a.TextGrid", "start_s,end_s\n", "does not start with the header of a TextGrid"),
        ("a.TextGrid", LONG[: len(LONG) // 2], "truncated"),
        ("a.TextGrid", SHORT.replace("2.75", "soon"), "a.TextGrid: "),
    ],
)
def test_invalid_files_are_rejected(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=message):
        read_turns(tmp_path / name)


def test_unreadable_files_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.csv: the turns cannot be read: No such file"):
        read_turns(tmp_path / "gone.csv")
    (tmp_path / "latin.csv").write_bytes("start_s,end_s,speaker\n1,2,Jürgen\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"latin\.csv: neither UTF-8 nor UTF-16"):
        read_turns(tmp_path / "latin.csv")
