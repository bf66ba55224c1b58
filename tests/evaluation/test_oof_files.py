"""Out-of-fold CSV files and run records: round trip, and errors for damaged files."""

import csv
from pathlib import Path

import numpy as np
import pytest

from overtone.datatypes import LeakAudit, OofPredictions
from overtone.errors import InputError
from overtone.evaluation.oof_files import (
    RunRecord,
    csv_path,
    from_rows,
    parse_csv_path,
    read,
    read_record,
    record_path,
    restrict,
    write,
    write_record,
)
from overtone.evaluation.protocols import PROTOCOLS


def make_predictions() -> OofPredictions:
    rows = [
        ("Actor_01/a, b", "ravdess", "01", '"kids"', "1", 0, "neutral", 0.25, 0.5, 0.25),
        ("Actor_02/ä", "", "", "", "2", 0, "sad", 0.1234567, 0.8765433, 0),
        ("Actor_02/ä", "", "", "", "2", 1, "angry", 0, 0, 1),
    ]
    return from_rows(("neutral", "sad", "angry"), rows)


def test_csv_round_trip(tmp_path: Path) -> None:
    path = csv_path(tmp_path / "oof", "luna5", "paper", "mel")
    write(make_predictions(), path)
    restored = read(path)
    for name, column in vars(make_predictions()).items():
        if name == "probabilities":
            np.testing.assert_allclose(restored.probabilities, column, atol=5e-7)
        else:
            np.testing.assert_array_equal(getattr(restored, name), column)
    assert path.name == "luna5-paper-mel.csv"
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_own_classes_are_restored(tmp_path: Path) -> None:
    classes = ("angry", "frustrated", 'very, "satisfied"', "غاضب")
    rows = [(f"{k}", "", "", "", "1", 0, name, *np.eye(len(classes))[k]) for k, name in enumerate(classes)]
    write(from_rows(classes, rows), tmp_path / "x.csv")
    restored = read(tmp_path / "x.csv")
    assert restored.emotions == tuple(restored.truth.tolist()) == classes


def test_csv_columns(tmp_path: Path) -> None:
    write(make_predictions(), tmp_path / "x.csv")
    lines = (tmp_path / "x.csv").read_bytes().decode().split("\n")
    assert lines[0] == "path,corpus,speaker,sentence,fold,seed,truth,p_neutral,p_sad,p_angry"
    assert lines[1] == '"Actor_01/a, b",ravdess,01,"""kids""",1,0,neutral,0.250000,0.500000,0.250000'
    assert lines[-1] == ""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("path,corpus,speaker", "file,corpus,speaker", "line 1: columns path,.* expected, file,"),
        ("p_sad,p_angry", "p_angry,p_sad", "line 1: columns"),
        ("p_sad", "p_jealous", "line 1: columns"),
        ("p_angry", "p_", "line 1: columns"),
        (",0.500000", "", "line 2: 10 columns expected, 9 found"),
        (",0.500000", ",half", "half"),
        (",0.500000", ",0.9", "summing to 1"),
        (",0.500000", ",nan", "summing to 1"),
        (",sad,", ",bored,", "truth values among"),
        (",1,angry", ",0,angry", "once per seed"),
        (",1,angry", ",x,angry", "invalid literal"),
        ('"Actor_01', '"Actor_01"', "cannot read predictions"),
    ],
)
def test_damaged_csv_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "x.csv"
    write(make_predictions(), path)
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"path,speaker,sentence,fold,seed,truth,p_sad\n", b"a\rb\x00"]
)
def test_invalid_or_missing_csv(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x.csv"):
        read(path)
    with pytest.raises(InputError, match=r"absent.csv"):
        read(tmp_path / "absent.csv")


def test_record_round_trip(tmp_path: Path) -> None:
    record = RunRecord(
        "paper", "overtone", {"epochs": 3}, {"mel": LeakAudit(1, 2, 3, 4, 5, 6)}, (0, 1), {"torch": "2.13"}
    )
    path = record_path(tmp_path, "paper", "overtone")
    write_record(record, path)
    assert path.name == "paper-overtone.json"
    assert read_record(path) == record


@pytest.mark.parametrize("content", ["", "[]", '{"parts": {}}', '{"parts": {"mel": {"clips": 1}}}', '{"parts": []}'])
def test_damaged_record_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(InputError, match=r"cannot read audits from .*x.json"):
        read_record(tmp_path / "x.json")


def test_files_without_the_column_corpus_are_read(tmp_path: Path) -> None:
    path, predictions = tmp_path / "x.csv", make_predictions()
    write(predictions, path)
    rows = list(csv.reader(path.read_text("utf-8").splitlines()))
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([*row[:1], *row[2:]] for row in rows)
    found = read(path)
    assert found.corpus.tolist() == ["", "", ""]
    assert found.path.tolist() == predictions.path.tolist()
    assert found.speaker.tolist() == predictions.speaker.tolist()


def test_restrict_keeps_the_proportions_and_a_sum_of_one() -> None:
    probabilities = np.array([[0.1, 0.3, 0.6], [0.0, 0.0, 1.0]])
    found = restrict(probabilities, np.array([True, True, False]))
    np.testing.assert_allclose(found, [[0.25, 0.75, 0], [0.5, 0.5, 0]])
    assert restrict(probabilities, np.array([True, True, True])) is probabilities


def test_clips_of_two_corpora_may_have_the_same_id() -> None:
    rows = [("clip", corpus, "1", "", "1", 0, "sad", 0.5, 0.5) for corpus in ("mine", "yours")]
    assert len(from_rows(("sad", "angry"), rows)) == 2
    with pytest.raises(InputError, match="once per seed"):
        from_rows(("sad", "angry"), [rows[0]] * 2)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("recipe", ["paper", "finetuned-ensemble", "overtone-48-epochs"])
@pytest.mark.parametrize("part", ["mel", "fusion", "speech_encoder", "wav2vec2"])
def test_name_round_trip(protocol: str, recipe: str, part: str) -> None:
    path = csv_path(Path("oof"), protocol, recipe, part)
    assert parse_csv_path(path) == (protocol, recipe, part)


@pytest.mark.parametrize(
    "name",
    ["luna5-mel.csv", "mel.csv", "luna6-paper-mel.csv", "luna5-paper-Mel.csv", "luna5--mel.csv", "luna5-paper.json"],
)
def test_other_names_are_rejected(name: str) -> None:
    with pytest.raises(InputError, match=rf"{name}: the name should be <protocol>-<recipe>-<part>\.csv"):
        parse_csv_path(Path(name))


@pytest.mark.parametrize("part", ["", "Mel", "late-fusion", "mel/x", "mel.csv"])
def test_invalid_part_is_named(part: str) -> None:
    with pytest.raises(InputError, match=f"invalid part '{part}'"):
        csv_path(Path(), "luna5", "paper", part)
