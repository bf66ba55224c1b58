"""EmoDB: all fields of a file name; the corpus is uneven in speakers, sentences and emotions, as published."""

from collections import Counter
from pathlib import Path

import pytest
from corpus_trees import create_files

from overtone.corpora import emodb


def test_every_field_of_a_name_is_parsed(tmp_path: Path) -> None:
    (utterance,) = emodb.read(create_files(tmp_path, "wav/14b03Lc.wav")).utterances
    assert (utterance.emotion, utterance.speaker, utterance.gender) == ("bored", "14", "female")
    assert (utterance.sentence, utterance.repetition, utterance.intensity) == ("b03", 3, "")
    assert utterance.clip == "wav/14b03Lc"


@pytest.mark.parametrize(
    ("letter", "emotion"),
    [
        ("N", "neutral"),
        ("F", "happy"),
        ("T", "sad"),
        ("W", "angry"),
        ("A", "fearful"),
        ("E", "disgust"),
        ("L", "bored"),
    ],
)
def test_emotions_by_letter(tmp_path: Path, letter: str, emotion: str) -> None:
    (utterance,) = emodb.read(create_files(tmp_path, f"03a01{letter}a.flac")).utterances
    assert (utterance.emotion, utterance.gender, utterance.repetition) == (emotion, "male", 1)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("04a01Fa.wav", "speaker 04 does not exist"),
        ("03a03Fa.wav", "sentence a03 does not exist"),
        ("03c01Fa.wav", "sentence c01 does not exist"),
        ("03a01Xa.wav", "emotion X does not exist"),
        ("03a01F.wav", "not an EmoDB name"),
        ("03a01fa.wav", "not an EmoDB name"),
        ("erkennung.txt", "not an EmoDB name"),
    ],
)
def test_other_files_are_left_out_with_a_reason(tmp_path: Path, name: str, reason: str) -> None:
    assert emodb.read(create_files(tmp_path, "wav/03a01Fa.wav", f"x/{name}")).ignored == {reason: 1}


def test_signals_of_a_laryngograph_are_left_out(tmp_path: Path) -> None:
    create_files(tmp_path, "laryngo/03a01Fa.wav", "wav/03a01Fa.wav", "laryngo/03a01Nc.wav")
    (tmp_path / "laryngo/03a01Fa.wav").write_bytes(b"other content")
    scan = emodb.read(tmp_path)
    assert [utterance.path for utterance in scan.utterances] == [tmp_path / "wav/03a01Fa.wav"]
    assert scan.ignored == {"laryngograph": 2}


def test_the_real_corpus_has_the_published_counts(data_folder: Path) -> None:
    if not (data_folder / "emodb").is_dir():
        pytest.skip(f"no EmoDB at {data_folder}")
    utterances = emodb.read(data_folder / "emodb").utterances
    assert Counter(utterance.emotion for utterance in utterances) == {
        "angry": 127,
        "bored": 81,
        "neutral": 79,
        "happy": 71,
        "fearful": 69,
        "sad": 62,
        "disgust": 46,
    }
    assert Counter(utterance.gender for utterance in utterances) == {"female": 302, "male": 233}
    assert {utterance.sentence for utterance in utterances} == set(emodb.SCHEME.codes["sentence"])
