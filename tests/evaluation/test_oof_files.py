"""Out-of-fold CSV and audits: there and back, and every damage named."""

from pathlib import Path

import numpy as np
import pytest

from overtone.datatypes import LeakAudit, OofPredictions
from overtone.errors import InputError
from overtone.evaluation.oof_files import (
    RunRecord,
    csv_path,
    from_rows,
    read,
    read_record,
    record_path,
    write,
    write_record,
)


def some() -> OofPredictions:
    rows = [
        ("Actor_01/a, b", "01", '"kids"', "1", 0, "neutral", 0.25, 0.5, 0.25),
        ("Actor_02/ä", "", "", "2", 0, "sad", 0.1234567, 0.8765433, 0),
        ("Actor_02/ä", "", "", "2", 1, "angry", 0, 0, 1),
    ]
    return from_rows(("neutral", "sad", "angry"), rows)


def test_there_and_back(tmp_path: Path) -> None:
    path = csv_path(tmp_path / "oof", "luna5", "paper", "mel")
    write(some(), path)
    back = read(path)
    for name, column in vars(some()).items():
        if name == "probabilities":
            np.testing.assert_allclose(back.probabilities, column, atol=5e-7)
        else:
            np.testing.assert_array_equal(getattr(back, name), column)
    assert path.name == "luna5-paper-mel.csv"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_columns_are_the_promised_ones(tmp_path: Path) -> None:
    write(some(), tmp_path / "x.csv")
    lines = (tmp_path / "x.csv").read_bytes().decode().split("\n")
    assert lines[0] == "path,speaker,sentence,fold,seed,truth,p_neutral,p_sad,p_angry"
    assert lines[1] == '"Actor_01/a, b",01,"""kids""",1,0,neutral,0.250000,0.500000,0.250000'
    assert lines[-1] == ""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("path,speaker", "file,speaker", "line 1: columns path,.* expected, file,"),
        ("p_sad,p_angry", "p_angry,p_sad", "line 1: columns"),
        ("p_angry", "p_jealous", "line 1: columns"),
        (",0.500000", "", "line 2: 9 columns expected, 8 found"),
        (",0.500000", ",half", "half"),
        (",0.500000", ",0.9", "summing to 1"),
        (",0.500000", ",nan", "summing to 1"),
        (",sad,", ",bored,", "truth out of"),
        (",1,angry", ",0,angry", "once per seed"),
        (",1,angry", ",x,angry", "invalid literal"),
        ('"Actor_01', '"Actor_01"', "cannot read predictions"),
    ],
)
def test_damage_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "x.csv"
    write(some(), path)
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"path,speaker,sentence,fold,seed,truth,p_sad\n", b"a\rb\x00"]
)
def test_files_that_are_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x.csv"):
        read(path)
    with pytest.raises(InputError, match=r"absent.csv"):
        read(tmp_path / "absent.csv")


def test_audits_there_and_back(tmp_path: Path) -> None:
    audits = RunRecord(
        "paper", "overtone", {"epochs": 3}, {"mel": LeakAudit(1, 2, 3, 4, 5, 6)}, (0, 1), {"torch": "2.13"}
    )
    path = record_path(tmp_path, "paper", "overtone")
    write_record(audits, path)
    assert path.name == "paper-overtone.json"
    assert read_record(path) == audits


@pytest.mark.parametrize("content", ["", "[]", '{"parts": {}}', '{"parts": {"mel": {"clips": 1}}}', '{"parts": []}'])
def test_damaged_audits_are_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(InputError, match=r"cannot read audits from .*x.json"):
        read_record(tmp_path / "x.json")


def test_unknown_part_is_named() -> None:
    with pytest.raises(InputError, match="no part 'fused'"):
        csv_path(Path(), "luna5", "paper", "fused")
