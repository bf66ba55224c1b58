"""EMOVO: all fields of a file name; every actor speaks every sentence in every emotion."""

from collections import Counter
from pathlib import Path

import pytest
from corpus_trees import create_files

from overtone.corpora import emovo


def test_every_field_of_a_name_is_parsed(tmp_path: Path) -> None:
    (utterance,) = emovo.read(create_files(tmp_path, "EMOVO/m2/rab-m2-n5.wav")).utterances
    assert (utterance.emotion, utterance.speaker, utterance.gender) == ("angry", "m2", "male")
    assert (utterance.sentence, utterance.repetition, utterance.clip) == ("n5", 0, "m2/rab-m2-n5")


@pytest.mark.parametrize(
    ("code", "emotion"),
    [
        ("neu", "neutral"),
        ("gio", "happy"),
        ("tri", "sad"),
        ("rab", "angry"),
        ("pau", "fearful"),
        ("dis", "disgust"),
        ("sor", "surprised"),
    ],
)
def test_emotions_by_code(tmp_path: Path, code: str, emotion: str) -> None:
    (utterance,) = emovo.read(create_files(tmp_path, f"{code}-f3-l4.ogg")).utterances
    assert (utterance.emotion, utterance.gender) == (emotion, "female")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("noi-f1-b1.wav", "emotion noi does not exist"),
        ("gio-f4-b1.wav", "speaker f4 does not exist"),
        ("gio-f1-b4.wav", "sentence b4 does not exist"),
        ("gio-f1-d3.wav", "sentence d3 does not exist"),
        ("gio-f1.wav", "not an EMOVO name"),
        ("LA STRUTTURA DI EMOVO.pdf", "not an EMOVO name"),
    ],
)
def test_other_files_are_left_out_with_a_reason(tmp_path: Path, name: str, reason: str) -> None:
    assert emovo.read(create_files(tmp_path, "f1/gio-f1-b1.wav", f"x/{name}")).ignored == {reason: 1}


def test_the_real_corpus_is_balanced(data_folder: Path) -> None:
    if not (data_folder / "emovo").is_dir():
        pytest.skip(f"no EMOVO at {data_folder}")
    utterances = emovo.read(data_folder / "emovo").utterances
    assert {utterance.clip for utterance in utterances} == emovo.clips_expected()
    assert set(Counter(utterance.emotion for utterance in utterances).values()) == {84}
    assert set(Counter(utterance.sentence for utterance in utterances).values()) == {42}
