"""RTTM: fields from the right end, names with blanks, several recordings, lines that are invalid."""

from pathlib import Path

import pytest

from overtone.errors import InputError
from overtone.speaker_turns import read_turns, read_turns_file
from overtone.timeline import Segment

RTTM = """;; a comment
SPKR-INFO talk 1 <NA> <NA> <NA> unknown anna <NA>
SPEAKER talk 1 2.0 2.00 <NA> <NA> ben <NA> <NA>
SPEAKER talk 1 0.5 2.25 <NA> <NA> anna <NA> <NA>
"""


def spans(folder: Path, content: str, recording: str = "talk.wav") -> list[tuple[float, float, str]]:
    (folder / "turns.rttm").write_text(content)
    return [(turn.start_s, turn.end_s, turn.speaker) for turn in read_turns(folder / "turns.rttm", recording)]


def test_one_recording_under_any_name(tmp_path: Path) -> None:
    assert spans(tmp_path, RTTM, "other.wav") == [(0.5, 2.75, "anna"), (2, 4, "ben")]


@pytest.mark.parametrize("other", ["second", "second.wav", "calls/second.mp3"])
def test_several_recordings(tmp_path: Path, other: str) -> None:
    content = f"{RTTM}SPEAKER {other} 1 7.0 1.00 <NA> <NA> carl <NA> <NA>\n"
    assert spans(tmp_path, content, "folder/second.flac") == [(7, 8, "carl")]
    assert len(spans(tmp_path, content)) == 2
    with pytest.raises(InputError, match=r"turns\.rttm: contains several recordings, and none is called 'secnd'; "):
        spans(tmp_path, content, "secnd.wav")


def test_the_exact_name_counts_before_the_name_without_suffix(tmp_path: Path) -> None:
    content = "".join(
        f"SPEAKER {name} 1 {start} 1 <NA> <NA> {name} <NA> <NA>\n" for start, name in enumerate(("a.mp3", "a.wav"))
    )
    assert spans(tmp_path, content, "a.wav") == [(1, 2, "a.wav")]


def line(file: str, start: int, speaker: str, tail: str = " <NA> <NA>") -> str:
    return f"SPEAKER {file} 1 {start} 1 <NA> <NA> {speaker}{tail}\n"


@pytest.mark.parametrize(
    ("files", "recording"),
    [
        (("x/talk", "y/talk"), "x/talk.wav"),
        (("C:\\x\\talk.mp3", "C:\\y\\talk.mp3"), "/data/x/talk.wav"),
        (("a.b", "a.c"), "a.b.wav"),
        (("TALK", "OTHER"), "talk.wav"),
        (("Mu\u0308ller", "other"), "M\u00fcller.wav"),
    ],
)
def test_folders_case_and_codings_of_file_names(tmp_path: Path, files: tuple[str, str], recording: str) -> None:
    content = line(files[0], 1, "anna") + line(files[1], 3, "ben")
    assert spans(tmp_path, content, recording) == [(1, 2, "anna")]


@pytest.mark.parametrize(
    ("files", "recording"),
    [
        (("x/talk", "y/talk"), "talk.wav"),
        (("talk.wav", "talk.mp3"), "talk.flac"),
        (("talk.1", "talk.2"), "talk.wav"),
        (("TALK", "Talk"), "talk.wav"),
    ],
)
def test_two_recordings_are_never_joined(tmp_path: Path, files: tuple[str, str], recording: str) -> None:
    with pytest.raises(InputError, match=r"turns\.rttm: contains several recordings"):
        spans(tmp_path, line(files[0], 1, "anna") + line(files[1], 3, "ben"), recording)


@pytest.mark.parametrize("tail", [" <NA> <NA>", " <NA>", "", " 0.93 <NA>", " 0.5 0.1", " -0.5 <NA>", " nan", " 1.0"])
@pytest.mark.parametrize("names", [("speaker 0", "speaker 1"), ("Speaker 1", "Speaker 2", "Speaker 13"), ("1", "2")])
def test_numbers_in_names_are_no_confidences(tmp_path: Path, names: tuple[str, ...], tail: str) -> None:
    content = "".join(line("talk", k, name, tail) for k, name in enumerate(names))
    assert [speaker for *_, speaker in spans(tmp_path, content)] == list(names)


@pytest.mark.parametrize("tail", [" 1", " 1 <NA>", " 0 <NA>"])
def test_a_confidence_that_is_the_same_whole_number_in_all_lines(tmp_path: Path, tail: str) -> None:
    content = line("talk", 0, "anna", tail) + line("talk", 1, "2", tail)
    assert [speaker for *_, speaker in spans(tmp_path, content)] == ["anna", "2"]


@pytest.mark.parametrize("tail", [" <NA> <NA>", " <NA>", "", " 0.93 <NA>", " 0.5 0.1"])
def test_file_names_with_blanks(tmp_path: Path, tail: str) -> None:
    rows = ((0.3, 1.5, "agent"), (2.1, 2.0, "customer"), (4.5, 2.0, "agent"))
    content = "".join(f"SPEAKER call 2 1 {a:.2f} {b:.2f} <NA> <NA> {name}{tail}\n" for a, b, name in rows)
    assert spans(tmp_path, content, "call 2.wav") == [(0.3, 1.8, "agent"), (2.1, 4.1, "customer"), (4.5, 6.5, "agent")]


def test_speaker_names_with_blanks_and_numbers(tmp_path: Path) -> None:
    names = ("Anna Weber", "Anna Schulz", "speaker 2", "speaker 13")
    for tail in (" <NA> <NA>", " 0.5 <NA>"):
        content = "".join(f"SPEAKER talk 1 {k} 1 <NA> <NA> {name}{tail}\n" for k, name in enumerate(names))
        assert [speaker for *_, speaker in spans(tmp_path, content)] == list(names)


def test_a_name_that_is_not_available_is_unknown(tmp_path: Path) -> None:
    assert spans(tmp_path, "SPEAKER talk 1 0.1 0.2 <NA> <NA> <NA> <NA> <NA>\n") == [(0.1, 0.3, "")]


@pytest.mark.parametrize("unknown", ["NA", "_", "unknown"])
def test_other_signs_for_unknown_values(tmp_path: Path, unknown: str) -> None:
    lines = [f"SPEAKER talk 1 {k} 1 {unknown} {unknown} {name} {unknown} {unknown}" for k, name in ((0, "A"), (1, "B"))]
    lines.append(f"SPEAKER talk 1 2 1 {unknown} {unknown} {unknown} {unknown} {unknown}")
    assert [speaker for *_, speaker in spans(tmp_path, "\n".join(lines))] == ["A", "B", ""]


def test_known_orthography_and_subtype(tmp_path: Path) -> None:
    assert spans(tmp_path, "SPEAKER talk 1 0.1 0.2 hello lex anna <NA> <NA>\n") == [(0.1, 0.3, "anna")]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("SPEAKER talk 1 2.0", "expected 8 fields or more, or <NA> <NA> behind the times, got 'SPEAKER talk 1 2.0'"),
        ("SPEAKER call 2 1 0.3 1.5 hello lex anna <NA>", "expected 8 fields or more, or <NA> <NA> behind the times"),
        ("SPEAKER talk 1 0.5 long <NA> <NA> anna <NA> <NA>", "expected a time in seconds, such as 12.5, got 'long'"),
        ("SPEAKER talk 1 6.6 0.0 <NA> <NA> anna <NA> <NA>", "the turn from 6.6 to 6.6 s is empty"),
        ("SPAEKER talk 1 0.5 1 <NA> <NA> anna <NA> <NA>", "expected a line that starts with SPEAKER, got 'SPAEKER'"),
    ],
)
def test_an_invalid_line_does_not_lose_the_others(tmp_path: Path, line: str, fault: str) -> None:
    (tmp_path / "a.rttm").write_text(f"{RTTM}{line}\n")
    turns, _, (invalid,) = read_turns_file(tmp_path / "a.rttm", "talk.wav")
    assert turns == (Segment(0.5, 2.75, None, "anna"), Segment(2, 4, None, "ben"))
    assert invalid.startswith(f"line 5: {fault}")


def test_other_types_of_lines_are_no_turns(tmp_path: Path) -> None:
    (tmp_path / "a.rttm").write_text("LEXEME talk 1 2.0 0.3 hello lex anna <NA>\n")
    with pytest.raises(InputError, match=r"a\.rttm: contains no turn$"):
        read_turns(tmp_path / "a.rttm")
