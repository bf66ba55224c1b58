"""Label tracks of Audacity: names, names with words, words alone, frequencies, lines that are invalid."""

from pathlib import Path

import pytest

from overtone.speaker_turns import read_turns, read_turns_file


def labels(folder: Path, *lines: str) -> list[tuple[str, str]]:
    text = "".join(f"{number}.000000\t{number}.500000\t{line}\n" for number, line in enumerate(lines))
    (folder / "a.txt").write_text(text, "utf-8")
    return [(turn.speaker, turn.text) for turn in read_turns(folder / "a.txt")]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["Anna", "Ben Weber", ""], [("Anna", ""), ("Ben Weber", ""), ("", "")]),
        (["Anna: well, yes", "Ben"], [("Anna", "well, yes"), ("Ben", "")]),
        (["yes", "and so we all went home"], [("", "yes"), ("", "and so we all went home")]),
        (["Anna: happy 81 %", "no speech"], [("Anna", ""), ("", "")]),
        (["Anna: uncertain (happy) 9 % | he said: no 50 %", "sad 100 %"], [("Anna", "he said: no 50 %"), ("", "")]),
        (["Dr: Weber: happy 81 %"], [("Dr: Weber", "")]),
        (["up 5 %", "down"], [("up 5 %", ""), ("down", "")]),
    ],
)
def test_labels(tmp_path: Path, lines: list[str], expected: list[tuple[str, str]]) -> None:
    assert labels(tmp_path, *lines) == expected


def test_frequencies_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0,5\t2,75\tAnna\n\\\t100.0\t2000.0\n3\t4\tBen\n")
    assert [(turn.start_s, turn.end_s, turn.speaker) for turn in read_turns(tmp_path / "a.txt")] == [
        (0.5, 2.75, "Anna"),
        (3, 4, "Ben"),
    ]


def test_an_invalid_line_does_not_lose_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("0.5\t2.75\tAnna\nhello\n3\t3\tpoint\n4\tsoon\tx\n5\t6\tBen\n")
    turns, _, invalid = read_turns_file(tmp_path / "a.txt")
    assert [turn.speaker for turn in turns] == ["Anna", "Ben"]
    assert invalid == (
        "line 2: expected start, end and label, separated by tabs, got 'hello'",
        "line 3: the turn from 3 to 3 s is empty",
        "line 4: expected a time in seconds, such as 12.5, got 'soon'",
    )
