"""Legal but unusual files of speaker turns are read, or refused; never read wrong."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from overtone.errors import InputError
from overtone.speaker_turns import read_turns

Rows = list[tuple[float, float, str, str]]
EXPECTED: Rows = [(0.5, 2.75, "anna", "well, yes"), (3, 4, "ben", "no")]
WITHOUT_WORDS: Rows = [(*row[:3], "") for row in EXPECTED]
RTTM = "SPEAKER talk 1 0.5 2.25 <NA> <NA> anna <NA> <NA>\nSPEAKER talk 1 3.0 1.0 <NA> <NA> ben <NA> <NA>\n"
SRT = "1\n00:00:00,500 --> 00:00:02,750\nanna: well, yes\n\n2\n00:00:03,000 --> 00:00:04,000\nben: no\n"
VTT = "WEBVTT\n\n00:00.500 --> 00:02.750\n<v anna>well, yes\n\n00:03.000 --> 00:04.000\n<v ben>no\n"
CSV = "start;end;speaker;text\n0,5;2,75;anna;well, yes\n3;4;ben;no\n"
JSON = '[{"start": 0.5, "end": 2.75, "speaker": "anna", "text": "well, yes"}, [3, 4, "ben", "no"]]'
LABELS = "0.5\t2.75\tanna: well, yes\n3\t4\tben: no\n"
PLAIN = {".rttm": RTTM, ".srt": SRT, ".vtt": VTT, ".csv": CSV, ".json": JSON, ".txt": LABELS}


def read(folder: Path, suffix: str, content: str | bytes) -> Rows:
    path = folder / f"turns{suffix}"
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return [(turn.start_s, turn.end_s, turn.speaker, turn.text) for turn in read_turns(path, "talk.wav", 12.52)]


@pytest.mark.parametrize("suffix", PLAIN)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(suffix: str, encoding: str, line_end: str, tmp_path: Path) -> None:
    expected = WITHOUT_WORDS if suffix == ".rttm" else EXPECTED
    assert read(tmp_path, suffix, PLAIN[suffix].replace("\n", line_end).encode(encoding)) == expected


@pytest.mark.parametrize("suffix", PLAIN)
def test_other_encodings_are_errors(suffix: str, tmp_path: Path) -> None:
    for content in (PLAIN[suffix].replace("anna", "änna").encode("latin-1"), PLAIN[suffix].encode("utf-16-le")):
        with pytest.raises(InputError, match=r"turns\.\w+"):
            read(tmp_path, suffix, content)


@pytest.mark.parametrize("suffix", PLAIN)
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
def test_content_with_null_characters_is_told_as_such(suffix: str, encoding: str, tmp_path: Path) -> None:
    for content in (PLAIN[suffix].encode(encoding), PLAIN[suffix].replace("anna", "an\0na")):
        with pytest.raises(InputError, match=rf"turns{suffix}: has null characters"):
            read(tmp_path, suffix, content)


@pytest.mark.parametrize("suffix", PLAIN)
def test_byte_order_marks_of_joined_files(suffix: str, tmp_path: Path) -> None:
    expected = WITHOUT_WORDS if suffix == ".rttm" else EXPECTED
    assert read(tmp_path, suffix, "\ufeff\ufeff" + PLAIN[suffix]) == expected
    assert read(tmp_path, ".rttm", RTTM.replace("\nSPEAKER", "\n\ufeffSPEAKER")) == WITHOUT_WORDS


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\x0b", "\x0c", "\x1e"])
@pytest.mark.parametrize("suffix", PLAIN)
def test_separators_of_lines_in_other_encodings_end_no_line(suffix: str, sign: str, tmp_path: Path) -> None:
    content = PLAIN[suffix].replace("anna", f"an{sign}na").replace("well, yes", f"well,{sign}yes")
    content = content.replace(sign, f"\\u{ord(sign):04x}") if suffix == ".json" else content
    expected = [(start, end, speaker.replace("anna", "an na"), text) for start, end, speaker, text in EXPECTED]
    assert read(tmp_path, suffix, content) == ([(*row[:3], "") for row in expected] if suffix == ".rttm" else expected)


def variants() -> Iterator[tuple[str, str]]:
    """Yield suffix and content of files with the turns of `EXPECTED`."""
    yield ".srt", SRT.replace("well, yes", "<i>well</i>, {\\i1}yes{\\i0}").replace("ben", "{\\an8}ben")
    yield ".srt", SRT.replace("well, yes", '<FONT COLOR="#fff"><B>well, yes</B></FONT>')
    yield ".srt", SRT.replace("02,750", "02,750  X1:40 X2:600 Y1:20 Y2:50").replace("ben: no", "{\\pos(10,20)}ben: no")
    yield ".srt", SRT.replace("1\n00", "00").replace("2\n00", "00").replace(",000", ".000")
    yield ".srt", SRT.replace("anna: well", "anna:\nwell").rstrip("\n")
    yield ".vtt", VTT.replace("WEBVTT", "WEBVTT - talk\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n\nNOTE a\nb")
    yield ".vtt", VTT.replace("WEBVTT", "WEBVTT\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:x")
    yield ".vtt", VTT.replace("02.750", "02.750 align:start position:10%").replace("00:03", "cue 2\n00:00:03")
    yield ".vtt", VTT.replace("<v anna>well", "<v.loud anna><c.red>well</c>").replace(">no", "><00:03.500>no</v>")
    yield ".csv", "sep=;\r\n" + CSV
    yield ".csv", 'sep=,\nstart,end,speaker,text\n0.5,2.75,anna,"well, yes"\n3,4,ben,no\n'
    yield ".csv", 'start_ms,end_ms,speaker,text\n500,2750,anna,"well, yes"\n3000,4000,ben,no\n'
    yield ".csv", 'start_ms,end_ms,speaker,text\n0:00.5,0:02.75,anna,"well, yes"\n0:03,0:04,ben,no\n'
    yield ".csv", 'Start (ms),Duration (ms),Speaker,Text\n500,2250,anna,"well, yes"\n3000,1000,ben,no\n'
    yield ".csv", 'Start Time (s),Stop Time (s),Speaker Name,Text\n0.5,2.75,anna,"well, yes"\n3,4,ben,no\n'
    yield ".csv", 'onset,offset,speaker,text\n00:00:00.500,0:02.75,anna,"well,\nyes"\n0:03,00:00:04,ben,no\n\n,,,\n'
    yield ".tsv", '"start"\t"end"\t"speaker"\t"text"\n"0,5"\t"2,75"\t"anna"\t"well, yes"\n3\t4\tben\tno\n'
    yield ".txt", LABELS.replace("\n", "\n\\\t100.0\t2000.0\n").replace("0.5\t2.75", "0,500000\t2,750000")
    yield ".json", JSON.replace("0.5", '"0:00:00.5"').replace('"anna"', '"anna", "words": null, "score": null')


@pytest.mark.parametrize(("suffix", "content"), list(variants()))
def test_unusual_content(suffix: str, content: str, tmp_path: Path) -> None:
    assert read(tmp_path, suffix, content) == EXPECTED


def test_rttm_with_other_lines(tmp_path: Path) -> None:
    others = ";; comment\n\nSPKR-INFO talk 1 <NA> <NA> <NA> unknown anna <NA>\nNON-SPEECH talk 1 1 1 noise x\n"
    for content in (others + RTTM, RTTM.replace(" ", "\t"), RTTM.replace(" <NA>\n", "\n"), RTTM.replace(".5", ",5")):
        assert read(tmp_path, ".rttm", content) == WITHOUT_WORDS


@pytest.mark.parametrize(
    ("suffix", "content", "fault"),
    [
        (".json", '[{"start": 1, "end": null, "speaker": "anna"}]', "got nothing"),
        (".json", '[{"start": 1, "speaker": "anna"}]', "got nothing"),
        (".json", '[{"start": NaN, "end": 2}]', "got nan"),
        (".csv", "start,end,speaker\n500ms,4,ben\n", "500ms"),
        (".csv", "start;end;speaker\n1.000,5;2,5;anna\n", "1.000,5"),
        (".csv", "start,end_s,end_ms\n1,2,2000\n", "both mean 'end_s'"),
    ],
)
def test_values_that_are_no_times(suffix: str, content: str, fault: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=re.escape(fault)):
        read(tmp_path, suffix, content)


def test_a_cue_without_words_does_not_hide_the_names_of_others(tmp_path: Path) -> None:
    empty = "\n3\n00:00:05,000 --> 00:00:06,000\n\n"
    assert read(tmp_path, ".srt", SRT + empty) == [*EXPECTED, (5, 6, "", "")]
