"""Tables of turns: separators, decimal commas, names of columns, blank rows, rows that are invalid."""

from pathlib import Path

import pytest

from overtone.errors import InputError
from overtone.speaker_turns import read_labelled_turns, read_turns, read_turns_file
from overtone.timeline import Segment

TURNS = (Segment(0, 1.8, None, "A"), Segment(2.1, 4.1, None, 'ben "b"'))


def write(folder: Path, content: str, encoding: str = "utf-8") -> Path:
    path = folder / "turns.csv"
    path.write_bytes(content.encode(encoding))
    return path


@pytest.mark.parametrize(
    "content",
    [
        'start_s,end_s,speaker\n0.0,1.8,A\n2.1,4.1,"ben ""b"""\n',
        'start_s;end_s;speaker\n0,0;1,8;A\n2,1;4,1;"ben ""b"""\n',
        'start_s,end_s,speaker\n"0,0","1,8",A\n"2,1","4,1","ben ""b"""\n',
        'start_s\tend_s\tspeaker\n0.0\t1.8\tA\n2.1\t4.1\t"ben ""b"""\n',
        'start_s|end_s|speaker\n0.0|1.8|A\n2.1|4.1|"ben ""b"""\n',
        'start_s  end_s  speaker\n0.0    1.8    A\n2.1    4.1    "ben ""b"""\n',
        'start_s, end_s, speaker\n0.0, 1.8, A\n2.1, 4.1,"ben ""b"""\n',
        'start_s,end_s,speaker\r\n0.0,1.8,A\r\n2.1,4.1,"ben ""b"""\r\n,,\r\n,,\r\n',
        'Speaker,Start,End\nA,0.0,1.8\n"ben ""b""",0:02.1,0:00:04.1\n',
        'begin,duration,speaker_id\n0.0,1.8,A\n2.1,2,"ben ""b"""\n',
        'onset,offset,duration,speaker\n0.0,1.8,1.8,A\n2.1,4.1,2,"ben ""b"""\n',
        'start,end,offset,speaker\n0.0,1.8,7,A\n2.1,4.1,8,"ben ""b"""\n',
        'offset,duration,speaker\n0.0,1.8,A\n2.1,2,"ben ""b"""\n',
        'file,start_s,end_s,speaker\ntalk.mp3,0,1.8,A\ntalk.mp3,2.1,4.1,"ben ""b"""\nother.mp3,0,1,C\n',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table_in_any_notation(tmp_path: Path, content: str, encoding: str) -> None:
    assert read_turns(write(tmp_path, content, encoding), "talk.wav") == TURNS


@pytest.mark.parametrize(
    "header",
    [
        *("Beginn,Ende,Sprecher", "d\u00e9but,fin,locuteur", "inicio,fin,hablante", "inizio,fine,parlante"),
        *("startTime,endTime,speakerId", "Start-Time,End-Time,Speaker-Name", "StartTime,StopTime,SpeakerName"),
        *("from,to,spk", "tmin,tmax,tier", "#start,end,speaker", "start.s,end.s,speaker", "Start (hh:mm:ss),End,Name"),
        *(
            "Begin Time - ss.msec,End Time - ss.msec,Tier",
            "Begin Time - hh:mm:ss.ms,End Time - hh:mm:ss.ms,Participant",
        ),
    ],
)
def test_columns_in_other_languages_and_spellings(tmp_path: Path, header: str) -> None:
    content = f'{header}\n0.0,1.8,A\n2.1,4.1,"ben ""b"""\n'
    assert read_turns(write(tmp_path, content), "talk.wav") == TURNS


@pytest.mark.parametrize("header", ["startMs,endMs,speaker", "Begin Time - msec,End Time - msec,Tier"])
def test_milliseconds(tmp_path: Path, header: str) -> None:
    content = f'{header}\n0,1800,A\n2100,4100,"ben ""b"""\n'
    assert read_turns(write(tmp_path, content), "talk.wav") == TURNS


def test_the_usual_name_of_a_column_counts_before_others(tmp_path: Path) -> None:
    content = "name,from,start,end,to,speaker,value,text\nInterview,x,1,2,y,anna,z,yes\n"
    assert read_turns(write(tmp_path, content)) == (Segment(1, 2, None, "anna", "yes"),)


def test_a_participant_is_the_speaker_and_else_the_tier(tmp_path: Path) -> None:
    content = "Tier\tParticipant\tBegin Time\tEnd Time\tValue\nspeech\tAnna\t1\t2\tyes\nBen\t\t3\t4\tno\n"
    assert read_turns(write(tmp_path, content)) == (
        Segment(1, 2, None, "Anna", "yes"),
        Segment(3, 4, None, "Ben", "no"),
    )


def test_the_duration_counts_where_there_is_no_end(tmp_path: Path) -> None:
    content = "start,end,duration\n0,,1.5\n2,3,9\n"
    assert read_turns(write(tmp_path, content)) == (Segment(0, 1.5), Segment(2, 3))


def test_quoted_names_between_blanks(tmp_path: Path) -> None:
    content = '"start" "end" "speaker"\n0 1.8 "A"\n2.1 4.1 "ben ""b"""\n'
    assert read_turns(write(tmp_path, content)) == TURNS


@pytest.mark.parametrize("column", ["file", "recording", "audio_file", "Datei"])
def test_rows_without_a_recording(tmp_path: Path, column: str) -> None:
    """Count them to the only recording, and report them where there are several."""
    rows = f"{column},start,end,speaker\ntalk.wav ,0,1,anna\n,1,2,ben\n"
    assert [turn.speaker for turn in read_turns(write(tmp_path, rows), "other.wav")] == ["anna", "ben"]
    turns, _, invalid = read_turns_file(write(tmp_path, f"{rows}b.wav,3,4,carl\n"), "talk.wav")
    assert [turn.speaker for turn in turns] == ["anna"]
    assert len(invalid) == 1 and invalid[0].startswith("line 3: names no recording")


@pytest.mark.parametrize(("names", "unread"), [("who,score", ["'who'", "'score'"]), ("Speakr", ["'Speakr'"]), ("", [])])
def test_columns_that_may_have_the_speakers_are_named(tmp_path: Path, names: str, unread: list[str]) -> None:
    hints = read_labelled_turns(write(tmp_path, f"start,end,text,{names}\n1,2,yes,anna\n")).hints
    assert len(hints) == bool(unread) and all(name in hints[0] for name in unread)
    assert not read_labelled_turns(write(tmp_path, f"start,end,speaker,{names}\n1,2,,anna\n")).hints


def test_speakers_may_be_unknown(tmp_path: Path) -> None:
    assert read_turns(write(tmp_path, "start_s,end_s\n1,2\n")) == (Segment(1, 2),)


def test_segments_without_speech_are_no_turns(tmp_path: Path) -> None:
    content = "start_s,end_s,speaker,speech\n0,1,,false\n1,2,,true\n2,3,A,false\n"
    assert read_turns(write(tmp_path, content)) == (Segment(1, 2), Segment(2, 3, None, "A"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"turns\.csv: is empty; expected the columns start_s,end_s,speaker"),
        ("a,b\n1,2\n", r"turns\.csv: the header lacks the column start_s and end_s"),
        ("start_s,speaker\n1,anna\n", "lacks the column end_s"),
        ("start_s,end_s\n", r"turns\.csv: contains no turn$"),
        ("start,start_s,end\n1,1,2\n", "the columns 'start' and 'start_s' both mean 'start_s'"),
        ("start,offset,speaker\n1,2,A\n", r"turns\.csv: the header lacks the column end_s, it is 'start, offset"),
        ("path,start,end\na.wav,1,2\nb.wav,1,2\n", "several recordings, and none is called 'talk'"),
    ],
)
def test_invalid_tables_are_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_turns(write(tmp_path, content), "talk.wav")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("2,3,Doe, Jane", "line 4: more cells than the header has; put quotes around text with separators"),
        ('2,3,"x"y', "line 4: not CSV: "),
    ],
)
def test_an_invalid_row_does_not_lose_the_others(tmp_path: Path, row: str, fault: str) -> None:
    path = write(tmp_path, f"start_s,end_s,speaker\n\n1,2,anna\n{row}\n4,5,ben\n")
    turns, _, (invalid,) = read_turns_file(path)
    assert turns == (Segment(1, 2, None, "anna"), Segment(4, 5, None, "ben"))
    assert invalid.startswith(fault)
