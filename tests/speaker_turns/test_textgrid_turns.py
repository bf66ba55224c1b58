"""TextGrids: all published forms, also as Praat writes them, brackets in names and texts, files that are incomplete."""

from pathlib import Path

import pytest
from parselmouth.praat import call

from overtone.errors import InputError
from overtone.speaker_turns import read_labelled_turns, read_turns, read_turns_file
from overtone.timeline import Segment

TIMES = [(0.5, 2.75, "anna"), (2, 4, 'ben "b"')]
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
SAVE = ("text", "short text", "chronological text", "binary")  # commands of Praat: "Save as text file", ...


OTHERS = (
    "words",
    "anna - phones",
    "words@anna",
    "Anna_Word",
    "ORT-MAU",
    "KAN-MAU",
    "MAU",
    "notes",
    "Anna's notes",
    "emotion@anna",
)
Tiers = list[tuple[str, list[tuple[float, float, str]]]]


def write_grid(folder: Path, tiers: Tiers) -> Path:
    """Write tiers in the short format; there are no intervals without text."""
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", "0", "9", "<exists>", str(len(tiers))]
    for name, intervals in tiers:
        lines += ['"IntervalTier"', f'"{name}"', "0", "9", str(len(intervals))]
        lines += [line for start, end, text in intervals for line in (str(start), str(end), f'"{text}"')]
    path = folder / "grid.TextGrid"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def spans(path: Path) -> list[tuple[float, float, str]]:
    return [(turn.start_s, turn.end_s, turn.speaker) for turn in read_turns(path)]


@pytest.mark.parametrize(
    "content",
    [LONG.encode(), LONG.encode("utf-16"), LONG.replace("\n", "\r\n").encode("utf-8-sig"), SHORT.encode()],
    ids=["long", "UTF-16", "byte order mark", "short"],
)
def test_both_text_formats(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "turns.textgrid").write_bytes(content)
    assert spans(tmp_path / "turns.textgrid") == TIMES


def test_the_header_of_old_versions(tmp_path: Path) -> None:
    header = 'File type = "ooTextFile short"\n"TextGrid"'
    (tmp_path / "old.TextGrid").write_text(SHORT.replace('File type = "ooTextFile"\nObject class = "TextGrid"', header))
    assert header in (tmp_path / "old.TextGrid").read_text()
    assert spans(tmp_path / "old.TextGrid") == TIMES


@pytest.mark.parametrize("form", SAVE)
@pytest.mark.parametrize("name", ["speaker [1]", "声", "Zoë \U0001f600"])
def test_what_praat_writes(tmp_path: Path, form: str, name: str) -> None:
    grid = call("Create TextGrid", 0, 5, f'"{name}" clicks'.replace('"', "x").replace(" ", "_"), "clicks")
    call(grid, "Set tier name", 1, name)
    call(grid, "Insert boundary", 1, 1.25)
    call(grid, "Insert boundary", 1, 2.5)
    call(grid, "Set interval text", 1, 2, f"[12] 3 ! {name}")
    call(grid, f"Save as {form} file", str(tmp_path / "praat.TextGrid"))
    assert spans(tmp_path / "praat.TextGrid") == [(1.25, 2.5, name)]


def test_latin_1_as_old_versions_write_it(tmp_path: Path) -> None:
    (tmp_path / "old.TextGrid").write_bytes(SHORT.replace("anna", "Zoë").encode("latin-1"))
    assert spans(tmp_path / "old.TextGrid")[0] == (0.5, 2.75, "Zoë")


def test_brackets_in_names_and_texts(tmp_path: Path) -> None:
    (tmp_path / "b.TextGrid").write_text(LONG.replace('"anna"', '"speaker [1]"').replace('"well', '"[3] [4]: well'))
    assert spans(tmp_path / "b.TextGrid") == [(0.5, 2.75, "speaker [1]"), (2, 4, 'ben "b"')]


@pytest.mark.parametrize("name", OTHERS)
def test_tiers_that_are_not_those_of_speakers(tmp_path: Path, name: str) -> None:
    """Leave them out and name them, and refuse a file that has no others but such of words, sounds or notes."""
    other = (name, [(1.0, 1.5, "x")])
    file, _, hints = read_labelled_turns(write_grid(tmp_path, [("anna", [(1.0, 2.0, "yes")]), other]))
    assert file.turns == (Segment(1, 2, None, "anna", "yes"),)
    assert len(hints) == 1 and f"'{name}'" in hints[0]
    if not name.startswith("emotion"):
        with pytest.raises(InputError, match=r"grid\.TextGrid: its tiers '.*' are not those of speakers"):
            read_turns(write_grid(tmp_path, [other]))


@pytest.mark.parametrize("name", ["speaker", "Speakers", "diarization"])
def test_names_of_speakers_as_the_texts_of_a_tier(tmp_path: Path, name: str) -> None:
    path = write_grid(tmp_path, [(name, [(1.0, 2.0, "anna"), (2.0, 3.0, "Ben Weber"), (3.0, 4.0, "anna")])])
    assert spans(path) == [(1, 2, "anna"), (2, 3, "Ben Weber"), (3, 4, "anna")]
    words = write_grid(tmp_path, [(name, [(1.0, 2.0, "anna"), (2.0, 3.0, "well yes I think so")])])
    assert [turn[2] for turn in spans(words)] == [name, name]


@pytest.mark.parametrize("name", ["Anna, by phone", "Thi Mau", "Mau", "Wordsworth", "Keynotes", "Mr Word", "A-Mau"])
def test_names_of_speakers_that_contain_such_words(tmp_path: Path, name: str) -> None:
    assert spans(write_grid(tmp_path, [("ben", [(1.0, 2.0, "yes")]), (name, [(2.0, 3.0, "no")])])) == [
        (1, 2, "ben"),
        (2, 3, name),
    ]


def test_tiers_besides_one_of_names_are_not_speakers(tmp_path: Path) -> None:
    """Read nothing twice: they have the words of the same turns. An empty tier of names does not count."""
    names, words = ("speaker", [(1.0, 2.0, "anna"), (2.0, 3.0, "ben")]), ("transcript", [(1.0, 2.0, "well, yes it is")])
    file, _, hints = read_labelled_turns(write_grid(tmp_path, [words, names]))
    assert [(turn.start_s, turn.speaker) for turn in file.turns] == [(1, "anna"), (2, "ben")]
    assert len(hints) == 1 and "'transcript'" in hints[0] and "'speaker'" not in hints[0]
    assert spans(write_grid(tmp_path, [words, ("speaker", [(1.0, 2.0, "")])])) == [(1, 2, "transcript")]


EMOTIONS = ("emotion@anna", [(1.0, 2.0, "happy"), (2.0, 4.0, "sad")])
CONFIDENCES = ("confidence@anna", [(1.0, 2.0, "81 %"), (2.0, 4.0, "50 %")])
WORDS = ("text@anna", [(1.0, 2.0, "well, yes"), (2.0, 4.0, "no")])


@pytest.mark.parametrize("others", [[CONFIDENCES, WORDS], [WORDS], [CONFIDENCES, WORDS, ("notes", [(0.0, 9.0, "x")])]])
def test_tiers_of_a_timeline_of_which_a_person_removed_some(tmp_path: Path, others: Tiers) -> None:
    file, labels, _ = read_labelled_turns(write_grid(tmp_path, [EMOTIONS, *others, ("emotion@ben", [(5, 6, "sad")])]))
    rows = [(turn.start_s, turn.end_s, turn.speaker, turn.text) for turn in file.turns]
    assert rows == [(1, 2, "anna", "well, yes"), (2, 4, "anna", "no"), (5, 6, "ben", "")]
    assert [label.name for label in labels] == ["happy", "sad", "sad"]


@pytest.mark.parametrize(
    ("intervals", "words", "by_person"),
    [
        ([(1.0, 2.25, "happy"), (2.25, 4.0, "sad")], ["well, yes", "no"], [True, False]),
        ([(1.0, 2.0, "happy"), (2.0, 2.5, "sad"), (2.5, 4.0, "angry")], ["well, yes", "", "no"], [True, False, False]),
        ([(1.0, 4.0, "happy")], ["well, yes no"], [False]),
        ([(6.0, 7.0, "happy"), (2.0, 4.0, "sad")], ["no", ""], [False, False]),
    ],
    ids=["moved", "split", "merged", "elsewhere"],
)
def test_words_stay_with_intervals_whose_edges_a_person_moved(
    tmp_path: Path, intervals: list[tuple[float, float, str]], words: list[str], by_person: list[bool]
) -> None:
    deciders = ("decided by@anna", [(1.0, 2.0, "person"), (2.0, 4.0, "model")])
    path = write_grid(tmp_path, [("emotion@anna", intervals), CONFIDENCES, WORDS, deciders])
    file, labels, _ = read_labelled_turns(path)
    assert [turn.text for turn in file.turns] == words
    assert [label.by_person for label in labels] == by_person


def test_an_invalid_interval_does_not_lose_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.TextGrid").write_text(LONG.replace("xmax = 2.75", "xmax = 0.5"))
    turns, _, invalid = read_turns_file(tmp_path / "a.TextGrid")
    assert turns == (Segment(2, 4, None, 'ben "b"', 'he said "no"'),)
    assert invalid == ("tier 'anna', interval 2: the turn from 0.5 to 0.5 s is empty",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"start_s,end_s\n", "truncated"),
        (b'"hello"', "does not start with the header of a TextGrid"),
        (LONG[: len(LONG) // 2].encode(), "truncated"),
        (SHORT.replace("2.75", "soon").encode(), r"a\.TextGrid: expected a number, got "),
        (LONG.replace("size = 3", "size = -3").encode(), r"expected a count, got -3"),
        (b"ooBinaryFile\x08TextGrid" + bytes(20), "contains no turn"),
        (b"ooBinaryFile\x08TextGrid" + bytes(10), "truncated"),
        (LONG.replace("size = 3", "size = 1", 1).encode(), "has more intervals or tiers than it says"),
        ((SHORT + '4\n5\n"more"\n').encode(), "has more intervals or tiers than it says"),
        (SHORT.replace("anna", "„Zoë“").encode("cp1252"), "neither UTF-8 nor UTF-16"),
        (SHORT.replace("anna", "Zoë").encode("mac-roman"), "neither UTF-8 nor UTF-16"),
        (SHORT.encode("utf-16-le"), "has null characters"),
        (b"ooBinaryFile\x04Tree", "does not start with the header"),
    ],
)
def test_incomplete_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.TextGrid").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_turns(tmp_path / "a.TextGrid")
