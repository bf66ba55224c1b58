"""The user's own table: its valid content, and the error for each fault."""

from pathlib import Path

import pytest

from overtone import corpora
from overtone.corpora import manifest
from overtone.corpora.metadata import CorpusScan
from overtone.errors import CorpusError


def write_table(folder: Path, text: str, *, encoding: str = "utf-8") -> Path:
    """Write a table and the empty audio files a.wav, b.wav, deep/c.wav next to it."""
    (folder / "deep").mkdir(exist_ok=True)
    for name in ("a.wav", "b.wav", "deep/c.wav", "one, two.wav"):
        (folder / name).touch()
    path = folder / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path


def read_error(folder: Path, text: str, *, encoding: str = "utf-8", only_known: bool = False) -> str:
    """Return the error for a table, without the path of the folder."""
    path = write_table(folder, text, encoding=encoding)
    with pytest.raises(CorpusError) as caught:
        manifest.read(path, only_known_labels=only_known)
    assert str(caught.value).startswith(str(path))
    return str(caught.value).removeprefix(str(folder) + "/")


def test_columns_have_other_names_in_any_case(tmp_path: Path) -> None:
    text = "File_Name;LABEL;Speaker_ID;Start;END;Gender\na.wav;sad;anna;0 days 00:00:01;2,5;Female\n"
    (utterance,) = manifest.read(write_table(tmp_path, text)).utterances
    assert (utterance.path, utterance.emotion, utterance.speaker) == (tmp_path / "a.wav", "sad", "anna")
    assert (utterance.start_s, utterance.end_s, utterance.gender) == (1.0, 2.5, "female")


@pytest.mark.parametrize(
    ("columns", "start_s", "end_s"),
    [
        ("offset,duration", 1.5, 4.0),
        ("onset,duration", 1.5, 4.0),
        ("onset,offset", 1.5, 2.5),
        ("start_ms,end", 0.0015, 2.5),
        ("start,duration_ms", 1.5, 1.5025),
    ],
)
def test_intervals_by_other_columns(tmp_path: Path, columns: str, start_s: float, end_s: float) -> None:
    (utterance,) = manifest.read(write_table(tmp_path, f"path,emotion,{columns}\na.wav,sad,1.5,2.5\n")).utterances
    assert (utterance.start_s, utterance.end_s) == (pytest.approx(start_s), pytest.approx(end_s))


def test_the_duration_of_the_whole_file_has_no_meaning(tmp_path: Path) -> None:
    scan = manifest.read(write_table(tmp_path, "path,emotion,duration\na.wav,sad,3\n"))
    assert (scan.utterances[0].start_s, scan.utterances[0].end_s) == (0.0, None)
    assert scan.hints == (f"{tmp_path / 'table.csv'}: columns without a meaning here: duration",)


def test_a_manifest_of_nemo(tmp_path: Path) -> None:
    write_table(tmp_path, "")
    path = tmp_path / "m.jsonl"
    lines = ('"offset": 1.5, "duration": 2', '"duration": 2')
    path.write_text("".join(f'{{"audio_filepath": "a.wav", {line}, "label": "sad"}}\n' for line in lines), "utf-8")
    assert [(u.start_s, u.end_s) for u in manifest.read(path).utterances] == [(1.5, 3.5), (0.0, 2.0)]


def test_names_that_only_resemble_those_of_programs_are_a_hint(tmp_path: Path) -> None:
    text = "path,emotion,audio_path,utt_duration,speaker_age,start_time\na.wav,sad,x,3,40,14:03:22\n"
    (hint,) = manifest.read(write_table(tmp_path, text)).hints
    assert hint.endswith("here: audio_path, utt_duration, speaker_age, start_time")


def test_columns_without_a_meaning_are_a_hint(tmp_path: Path) -> None:
    scan = manifest.read(write_table(tmp_path, "id,path,emotion,,note\n1,a.wav,sad,,x\n"))
    assert len(scan.utterances) == 1
    assert scan.hints == (f"{tmp_path / 'table.csv'}: columns without a meaning here: id, note",)


@pytest.mark.parametrize("label", ["NA", "NaN", "nan", "<NA>", "null", " NA ", "n/a", "#N/A"])
def test_what_programs_write_for_unknown_labels_is_no_class(tmp_path: Path, label: str) -> None:
    error = read_error(tmp_path, f"path,emotion\na.wav,sad\nb.wav,{label}\n")
    assert error.startswith(f"table.csv, line 3: the label '{label.strip()}' ")


def test_the_message_lists_the_columns_that_are_there(tmp_path: Path) -> None:
    assert "no column 'path' among Datei, Emotion" in read_error(tmp_path, "Datei;Emotion\na.wav;sad\n")


def test_path_and_emotion_are_enough(tmp_path: Path) -> None:
    scan = corpora.read_corpus("manifest", write_table(tmp_path, "path,emotion\nb.wav,sad\na.wav, Anger \n"))
    second, first = scan.utterances  # in the order of the table
    assert (first.clip, first.emotion, first.path) == ("a", "angry", tmp_path / "a.wav")
    assert (second.clip, second.emotion) == ("b", "sad")
    assert (first.speaker, first.sentence, first.gender, first.start_s, first.end_s) == ("", "", "", 0.0, None)
    assert first.corpus == "manifest"
    assert scan.ignored == {}


def test_all_columns_in_any_order(tmp_path: Path) -> None:
    text = "Gender,end_s,start_s,sentence,speaker,emotion,path\nF,2.5,1,why,anna,happy,deep\\c.wav\n"
    (utterance,) = manifest.read(write_table(tmp_path, text)).utterances
    assert utterance.path == tmp_path / "deep" / "c.wav"
    assert (utterance.gender, utterance.speaker, utterance.sentence) == ("female", "anna", "why")
    assert (utterance.start_s, utterance.end_s) == (1.0, 2.5)
    assert utterance.clip == "deep/c#1.000-2.500"


def test_intervals_of_one_file_are_different_clips(tmp_path: Path) -> None:
    text = "path,emotion,start_s,end_s\na.wav,sad,,1\na.wav,calm,1,2\na.wav,calm,2,\na.wav,sad,,\n"
    clips = [utterance.clip for utterance in manifest.read(write_table(tmp_path, text)).utterances]
    assert clips == ["a#0.000-1.000", "a#1.000-2.000", "a#2.000-", "a"]


def test_channels_of_one_file_are_different_clips(tmp_path: Path) -> None:
    rows = ("sad,left,", "calm,Right,", "happy,mix,", "sad,02,1", "sad,,1")
    text = "path,emotion,channel,end_s\n" + "".join(f"a.wav,{row}\n" for row in rows)
    utterances = manifest.read(write_table(tmp_path, text)).utterances
    assert [utterance.clip for utterance in utterances] == [
        "a#left",
        "a#right",
        "a",
        "a#0.000-1.000#2",
        "a#0.000-1.000",
    ]
    assert [utterance.channel for utterance in utterances] == ["left", "right", "", "2", ""]
    assert len({utterance.path for utterance in utterances}) == 1


@pytest.mark.parametrize(
    ("first", "second"), [("left", "left"), ("left", "1"), ("2", "right"), ("", "mix"), ("12", "012")]
)
def test_a_channel_has_one_label(tmp_path: Path, first: str, second: str) -> None:
    text = f"path,emotion,channel\na.wav,sad,{first}\na.wav,{{}},{second}\n"
    assert "is listed in line 2 already" in read_error(tmp_path, text.format("sad"))
    assert "is 'calm' here and 'sad' in line 2; keep one of them" in read_error(tmp_path, text.format("calm"))


@pytest.mark.parametrize("channel", ["both", "0", "-1", "1.0"])
def test_an_unknown_channel_is_reported(tmp_path: Path, channel: str) -> None:
    message = read_error(tmp_path, f"path,emotion,channel\nb.wav,sad,\na.wav,sad,{channel}\n")
    assert message == f"table.csv, line 3: channel: expected mix, left, right or a number from 1, got '{channel}'"


def test_byte_order_mark_quotes_blank_lines_and_windows_line_ends(tmp_path: Path) -> None:
    text = '\r\n"path",emotion,sentence\r\n\r\n"one, two.wav",calm,"says ""no"""\r\n,,\r\n'
    (utterance,) = manifest.read(write_table(tmp_path, text, encoding="utf-8-sig")).utterances
    assert (utterance.path.name, utterance.sentence) == ("one, two.wav", 'says "no"')


def test_a_folder_with_a_table_in_it(tmp_path: Path) -> None:
    write_table(tmp_path, "path,emotion\na.wav,sad\n").rename(tmp_path / "manifest.csv")
    assert len(manifest.read(tmp_path).utterances) == 1


def test_paths_outside_the_folder_of_the_table(tmp_path: Path) -> None:
    path = write_table(tmp_path, f"path,emotion\n../a.wav,sad\n{tmp_path / 'b.wav'},sad\n").rename(
        tmp_path / "deep" / "t.csv"
    )
    assert [utterance.clip for utterance in manifest.read(path).utterances] == ["../a", "../b"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.wav,,,,", "the label is empty"),
        ("a.wav,so\bso,,,", r"the label 'so\x08so' has the control character U+0008"),
        ("a.wav,\u202edas,,,", "the label"),
        ("x.wav,sad,,,", "no audio file 'x.wav' next to the table"),
        ("deep,sad,,,", "no audio file 'deep'"),
        (",sad,,,", "no audio file ''"),
        ("a\0.wav,sad,,,", "no audio file"),
        (f"{'a' * 300}.wav,sad,,,", "no audio file"),
        ("a.wav,sad,x,,", "start_s 'x' is not a number of seconds such as 12.5"),
        ("a.wav,sad,-1,,", "start_s '-1' is not"),
        ("a.wav,sad,,nan,", "end_s 'nan' is not"),
        ("a.wav,sad,inf,,", "start_s 'inf' is not"),
        ("a.wav,sad,1_0,,", "start_s '1_0' is not"),
        ("a.wav,sad,2,1,", "end_s 1.0 is not after start_s 2.0"),
        ("a.wav,sad,,0,", "end_s 0.0 is not after start_s 0.0"),
        ("a.wav,sad,,,robot", "unknown gender 'robot'; use female, male, or an empty cell"),
        ("a.wav,sad", "2 cells where the header has 5"),
        ("a.wav,sad,,,,x", "6 cells where the header has 5"),
        ("b.wav,Sad,,,", "'b' is listed in line 2 already"),
        ("b.wav,happy,,,", "'b' is 'happy' here and 'sad' in line 2"),
        ("deep/../b.wav,frustrated,0,,", "'b#0.000-' is 'frustrated' here and 'sad' in line 2"),
    ],
)
def test_an_invalid_line_is_reported(tmp_path: Path, row: str, message: str) -> None:
    text = f"path,emotion,start_s,end_s,gender\nb.wav,sad,,,\n{row}\n"
    assert read_error(tmp_path, text).startswith(f"table.csv, line 3: {message}")


def test_one_error_reports_all_invalid_lines(tmp_path: Path) -> None:
    lines = read_error(tmp_path, "path,emotion\n" + "x.wav,sad\na.wav,glad\n" * 7, only_known=True).splitlines()
    assert lines[0] == "table.csv: 14 invalid lines:"
    assert lines[1] == "  line 2: no audio file 'x.wav' next to the table"
    assert lines[2].startswith("  line 3: unknown emotion 'glad'")
    assert len(lines) == 12
    assert lines[-1] == "  ... and 4 more"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "table.csv: is empty; expected"),
        ("\n\n", "table.csv: is empty; expected"),
        ("path,emotion\n", "table.csv: no utterance in it"),
        ("path,emotoin\n", "table.csv, line 1: unknown column 'emotoin'; did you mean 'emotion'?"),
        ("path,emotion,offset\na.wav,sad,1\n", "table.csv, line 2: the column 'offset' is not read"),
        ("path,emotion,speeker\n", "table.csv, line 1: unknown column 'speeker'; did you mean 'speaker'? rename"),
        ("path,emotion,Path\n", "table.csv, line 1: the columns 'path' and 'Path' both mean 'path'; rename or remove"),
        ("file,emotion,Label\n", "table.csv, line 1: the columns 'emotion' and 'Label' both mean 'emotion'"),
        ("path,emotion,end_s,end\n", "table.csv, line 1: the columns 'end_s' and 'end' both mean 'end_s'"),
        ("path,speaker\n", "table.csv, line 1: no column 'emotion'"),
        ('path,emotion\n"a.wav,sad\n', "table.csv, line 2: not CSV"),
        ('path,emotion\n"a.wav"x,sad\n', "table.csv, line 2: not CSV"),
        (f"path,emotion\n{'a' * 200_000},sad\n", "table.csv, line 2: not CSV"),
    ],
)
def test_an_invalid_table_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    assert read_error(tmp_path, text).startswith(message)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le"])
def test_other_encodings_are_an_error(tmp_path: Path, encoding: str) -> None:
    message = read_error(tmp_path, "path,emotion,speaker\na.wav,sad,José\n", encoding=encoding)
    assert message.startswith("table.csv: not UTF-8")
    assert "CSV UTF-8" in message


def test_a_missing_table_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"gone\.csv: cannot be read: No such file"):
        manifest.read(tmp_path / "gone.csv")
    with pytest.raises(
        CorpusError, match=r": a folder without a table, a database or folders of audio files; expected"
    ):
        manifest.read(tmp_path)


def test_contradictory_labels_name_both_lines(tmp_path: Path) -> None:
    text = "path,emotion,start_s,end_s\na.wav,tired,1,2\nb.wav,tired,1,2\na.wav,bored,1.0,2.0\n"
    message = read_error(tmp_path, text)
    assert "line 4" in message and "line 2" in message and "tired" in message and "bored" in message
    assert "\n" not in message


def test_a_few_invalid_rows_are_left_out_if_allowed(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    rows = [f"a.wav,sad,{k},{k + 1}" for k in range(18)]
    table = tmp_path / "m.csv"

    def read(*more: str) -> CorpusScan:
        table.write_text("\n".join(["path,emotion,start_s,end_s", *rows, *more]), "utf-8")
        return manifest.read(table, max_invalid_share=0.1)

    scan = read("gone.wav,sad,,", "a.wav,sad,5,2")
    assert len(scan.utterances) == 18
    assert [fault.split(":")[0] for fault in scan.invalid] == ["line 20", "line 21"]
    for more in (
        ["gone.wav,sad,,"] * 3,
        ["a.wav,happy,3,4"],
    ):  # too many; a contradiction, of which either may be right
        with pytest.raises(CorpusError, match="line 20"):
            read(*more)
    with pytest.raises(CorpusError, match="line 20"):
        manifest.read(table)
