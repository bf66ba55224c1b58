"""The labels of the user's own table: any text is a class, whatever its case and whitespace."""

import csv
from pathlib import Path

import pytest

from overtone import corpora
from overtone.corpora import manifest
from overtone.emotions import order_classes
from overtone.errors import CorpusError


def write_labels(folder: Path, labels: list[str]) -> Path:
    """Write a table with a clip per label."""
    folder.mkdir(exist_ok=True)
    for number in range(len(labels)):
        (folder / f"{number:03d}.wav").touch()
    path = folder / "labels.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("path", "emotion"), *((f"{number:03d}.wav", name) for number, name in enumerate(labels))])
    return path


def read_labels(folder: Path, labels: list[str]) -> list[str]:
    """Return the classes of the clips of a table with these labels."""
    return [utterance.emotion for utterance in manifest.read(write_labels(folder, labels)).utterances]


def test_any_label_is_a_class(tmp_path: Path) -> None:
    labels = ["satisfied", 'very, "satisfied"', "غاضب", "c'est ça", "<b>&", "-", "12"]
    assert read_labels(tmp_path, labels) == labels


def test_whitespace_and_case_do_not_make_classes(tmp_path: Path) -> None:
    labels = ["Very \n  sure", " very sure", "VERY\tSURE ", "Joy", "ANGER\n", "Caf\u00e9", "cafe\u0301"]
    assert read_labels(tmp_path, labels) == ["Very sure"] * 3 + ["happy", "angry", "Café", "Café"]


def test_hundreds_of_classes_stay_in_the_order_of_the_table(tmp_path: Path) -> None:
    labels = [f"class {number * 37 % 400}" for number in range(400)]
    found = read_labels(tmp_path, labels)
    assert found == labels and order_classes([*found, *found[::-1]]) == tuple(labels)


def test_only_known_labels_lists_the_rows_with_others(tmp_path: Path) -> None:
    path = write_labels(tmp_path, ["sad", "frustrated", "Anger", "hapy"])
    with pytest.raises(CorpusError) as caught:
        corpora.read_corpus("manifest", path, only_known_labels=True)
    first, *lines = str(caught.value).splitlines()
    assert first.startswith(f"{path}: 2 ")
    assert [line.split(":")[0].strip() for line in lines] == ["line 3", "line 5"]
    assert "'happy'" in lines[1]
