"""SRT and WebVTT: voices, names in front of the words, tags, comments, cues that are invalid."""

from pathlib import Path

import pytest
import webvtt

from overtone.errors import InputError
from overtone.speaker_turns import read_turns, read_turns_file

SRT = """1
00:00:00,500 --> 00:00:02,750
[SPEAKER_00]: well, <i>yes</i>
and no

2
00:01:02,000 --> 01:00:04,000 X1:40 X2:600
[SPEAKER_01]: 5 < 6 &amp; more
"""
VTT = """WEBVTT - a title
Kind: captions

STYLE
::cue { color: red }

NOTE 00:00 --> 00:01 is no cue,
nor is this

intro
00:00.500 --> 00:02.750 align:start position:0%
<v.loud Anna Weber>well, <c.x>yes</c> &amp; <00:00:01.000>no</v>
<v Ben>5 &lt; 6</v>

01:00:02.000 --> 01:00:04.000
not a name: this
"""


def rows(folder: Path, content: str, name: str = "a.srt") -> list[tuple[float, float, str, str]]:
    (folder / name).write_text(content, "utf-8", newline="")
    return [(turn.start_s, turn.end_s, turn.speaker, turn.text) for turn in read_turns(folder / name)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_srt(tmp_path: Path, end: str) -> None:
    expected = [(0.5, 2.75, "SPEAKER_00", "well, yes and no"), (62, 3604, "SPEAKER_01", "5 < 6 &amp; more")]
    assert rows(tmp_path, "\ufeff" + SRT.replace("\n", end)) == expected


def test_webvtt(tmp_path: Path) -> None:
    assert rows(tmp_path, VTT, "a.vtt") == [
        (0.5, 2.75, "Anna Weber", "well, yes & no"),
        (0.5, 2.75, "Ben", "5 < 6"),
        (3602, 3604, "", "not a name: this"),
    ]


def test_what_webvtt_py_writes(tmp_path: Path) -> None:
    subtitles = webvtt.WebVTT()
    subtitles.captions.append(webvtt.Caption("00:00:00.500", "00:00:02.750", ["<v Anna>well,", "yes"]))
    subtitles.save(str(tmp_path / "a.vtt"))
    subtitles.save_as_srt(str(tmp_path / "a.srt"))
    for name in ("a.vtt", "a.srt"):
        (turn,) = read_turns(tmp_path / name)
        assert (turn.start_s, turn.end_s, turn.text) == (0.5, 2.75, "well, yes")


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Anna: yes", "Ben: no"], [("Anna", "yes"), ("Ben", "no")]),
        (["Anna: yes", "and no"], [("", "Anna: yes"), ("", "and no")]),
        (["[Anna]: yes", "and no"], [("Anna", "yes"), ("", "and no")]),
        (["[music]", "and no"], [("", "[music]"), ("", "and no")]),
        (["it is 10:30", "it is 10:40"], [("", "it is 10:30"), ("", "it is 10:40")]),
        ([">> Anna: yes", ">>Ben: no"], [("Anna", "yes"), ("Ben", "no")]),
        (["- Anna: yes", "- Ben: no"], [("Anna", "yes"), ("Ben", "no")]),
        (["&gt;&gt; Anna: yes", ">>> Ben:\nno"], [("Anna", "yes"), ("Ben", "no")]),
        (["Anna\uff1ayes", "Ben\uff1ano"], [("Anna", "yes"), ("Ben", "no")]),
        ([">> yes", ">> and no"], [("", ">> yes"), ("", ">> and no")]),
        (["Anna: yes\nBen: no", "Ben: no\nbut: well"], [("Anna", "yes"), ("Ben", "no"), ("Ben", "no but: well")]),
        (["- Anna: yes\n- Ben: no"], [("Anna", "yes"), ("Ben", "no")]),
        (["<v Anna>yes", "<v.loud Ben>a &amp; b</v>"], [("Anna", "yes"), ("Ben", "a &amp; b")]),
        (["<v Anna>yes\n<v Ben>no"], [("Anna", "yes"), ("Ben", "no")]),
        (["and we all know this: no", "Ben: no"], [("", "and we all know this: no"), ("", "Ben: no")]),
    ],
)
def test_names_in_front_of_the_words(tmp_path: Path, lines: list[str], expected: list[tuple[str, str]]) -> None:
    content = "".join(f"{k}\n00:00:0{k},0 --> 00:00:0{k},9\n{line}\n\n" for k, line in enumerate(lines))
    assert [row[2:] for row in rows(tmp_path, content)] == expected


@pytest.mark.parametrize("numbers", [True, False])
@pytest.mark.parametrize("gaps", [("", "\n"), ("", ""), ("\n", "\n"), ("\r", "\r\n")])
def test_blank_lines_that_lack_or_are_too_many(tmp_path: Path, gaps: tuple[str, str], numbers: bool) -> None:
    """Read every cue where nothing is between cues, or where a blank line is behind their numbers or every line."""
    within, between = gaps
    content = "".join(
        (f"{k}\n{within if numbers else ''}" if numbers else "")
        + f"00:00:0{k},0 --> 00:00:0{k},9\n[{name}]: {words}\n{between}"
        for k, (name, words) in enumerate((("Anna", "1 yes"), ("Ben", "no"), ("Anna", "2")))
    )
    expected = [(0, 0.9, "Anna", "1 yes"), (1, 1.9, "Ben", "no"), (2, 2.9, "Anna", "2")]
    assert rows(tmp_path, content) == expected
    assert rows(tmp_path, content.replace("\n", "\r\r\n")) == expected


def test_webvtt_in_other_spellings(tmp_path: Path) -> None:
    expected = [(0.5, 2.75, "Anna", "yes"), (3, 4, "Ben", "no")]
    cues = "00:00.500 --> 00:02.750\n<V Anna>yes\n{}00:03,000 --> 00:04,000\n<v\tBen>no\n"
    for head in ("WEBVTT\n\n", "webvtt\n\n", "WEBVTT - a\nb: c\n\n", "WEBVTT\n", ""):
        for between in ("\n", "", "7\n", "\nintro\n"):
            assert rows(tmp_path, head + cues.format(between), "a.vtt") == expected


def test_a_blank_line_in_the_words(tmp_path: Path) -> None:
    first, _ = rows(tmp_path, SRT.replace("and no", "\nand no"))
    assert first[3] == "well, yes and no"


@pytest.mark.parametrize(
    ("time", "fault"),
    [
        ("00:00:01,000 -> 00:00:02,000", "line 8: expected times such as 00:00:01.000 --> 00:00:03.000"),
        ("00:00:01,000 --> soon", "line 9: expected a time such as 00:00:01.000, got 'soon'"),
        ("00:00:01,000 -->", "line 9: expected a time such as 00:00:01.000, got ''"),
        ("00:00:01,000 --> 00:00:01,000", "line 9: the turn from 1 to 1 s is empty"),
    ],
)
@pytest.mark.parametrize("name", ["a.srt", "a.vtt"])
def test_an_invalid_cue_does_not_lose_the_others(tmp_path: Path, name: str, time: str, fault: str) -> None:
    content = ("WEBVTT\n\n" if name == "a.vtt" else "\n\n") + SRT[: SRT.index("2\n00:01")]
    content = content.rstrip("\n") + f"\n\n2\n{time}\nhello\n\n3\n00:00:08,000 --> 00:00:09,000\n[B]: end\n"
    (tmp_path / name).write_text(content)
    turns, _, (invalid,) = read_turns_file(tmp_path / name)
    assert [(turn.start_s, turn.speaker) for turn in turns] == [(0.5, "SPEAKER_00"), (8, "B")]
    assert invalid == fault


def test_a_file_without_times_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.srt, line 1: expected times such as 00:00:01\.000 -->"):
        rows(tmp_path, "hello\nthere\n")
