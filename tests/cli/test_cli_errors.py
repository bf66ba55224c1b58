import pytest

from overtone.cli.errors import print_error, single_line
from overtone.corpora import CORPORA


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("clip.wav: no such file", "clip.wav: no such file"),
        ("t.csv: 2 bad lines:\n  line 2: no a\n  line 3: no b", "t.csv: 2 bad lines: line 2: no a; line 3: no b"),
        (
            "3 clips cannot be read, take them out:\n  a.wav\n  b.wav",
            "3 clips cannot be read, take them out: a.wav; b.wav",
        ),
        ("x: fails: RuntimeError\r\nin a node\n\n", "x: fails: RuntimeError; in a node"),
        ("it fails\nand again", "it fails; and again"),
        ("new\nline.wav: is broken", r"new\nline.wav: is broken"),
        ("new\nline.wav: is bad:\n  here", r"new\nline.wav: is bad: here"),
        ("f: none in it; expected\nF/\n├── a   (b)\n└── c", "f: none in it; expected F/ ├── a (b) └── c"),
        ("clip\x1b[2J.wav: is \x07\u202e", r"clip\x1b[2J.wav: is \x07\u202e"),
        ("a: b\u2028c", r"a: b\u2028c"),
        ("", ""),
        ("\n", ""),
        (":\n", ":"),
    ],
)
def test_single_line(message: str, line: str) -> None:
    assert single_line(message) == line


@pytest.mark.parametrize("name", CORPORA)
def test_the_folder_tree_of_every_corpus_is_readable_on_one_line(name: str) -> None:
    line = single_line(f"folder: none in it; expected\n{CORPORA[name].INFO.tree}")
    assert line.startswith("folder: none in it; expected ")
    assert line.isprintable()
    assert "\\n" not in line


def test_errors_start_with_the_program_name(capsys: pytest.CaptureFixture[str]) -> None:
    print_error("clip.wav: bad:\n  very")
    assert capsys.readouterr() == ("", "overtone: clip.wav: bad: very\n")
