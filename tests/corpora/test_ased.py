"""ASED: all fields of a file name; most sentences belong to one emotion, and their names say so."""

from collections import Counter, defaultdict
from pathlib import Path

import pytest
from corpus_trees import create_files

from overtone.corpora import ased


def test_every_field_of_a_name_is_parsed(tmp_path: Path) -> None:
    (utterance,) = ased.read(create_files(tmp_path, "05Angry/a5-02-01-02-50.wav")).utterances
    assert (utterance.emotion, utterance.speaker, utterance.gender) == ("angry", "50", "male")
    assert (utterance.sentence, utterance.repetition, utterance.clip) == ("2", 1, "05Angry/a5-02-01-02-50")


def test_specific_sentences_of_different_emotions_differ(tmp_path: Path) -> None:
    create_files(tmp_path, "h3-03-02-01-01.wav", "n1-03-02-01-01.wav", "h3-01-02-01-01.wav", "n1-01-02-01-01.wav")
    sentences = [utterance.sentence for utterance in ased.read(tmp_path).utterances]
    assert sentences == ["1", "neutral3", "1", "happy3"]


def test_a_published_name_with_a_capital(tmp_path: Path) -> None:
    scan = ased.read(create_files(tmp_path, "04Sad/S4-04-02-01-29.ogg", "again/s4-04-02-01-29.ogg"))
    assert [utterance.clip for utterance in scan.utterances] == ["04Sad/s4-04-02-01-29"]
    assert scan.ignored == {"same clip twice": 1}


def test_a_wrong_gender_in_a_name_does_not_change_the_speaker(tmp_path: Path) -> None:
    create_files(tmp_path, "02Fearful/f2-01-02-01-15.wav", "02Fearful/f2-01-01-02-15.wav")  # both as published
    assert {(utterance.speaker, utterance.gender) for utterance in ased.read(tmp_path).utterances} == {("15", "female")}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("a4-01-01-01-01.wav", "emotion a4 does not exist"),
        ("d6-01-01-01-01.wav", "emotion d6 does not exist"),
        ("a5-08-01-01-01.wav", "sentence 08 does not exist"),
        ("a5-01-03-01-01.wav", "repetition 03 does not exist"),
        ("a5-01-01-03-01.wav", "gender 03 does not exist"),
        ("a5-01-01-01-66.wav", "speaker 66 does not exist"),
        ("a5-01-01-01.wav", "not an ASED name"),
    ],
)
def test_other_files_are_left_out_with_a_reason(tmp_path: Path, name: str, reason: str) -> None:
    assert ased.read(create_files(tmp_path, "a5-01-01-01-01.wav", f"x/{name}")).ignored == {reason: 1}


def test_the_real_corpus(data_folder: Path) -> None:
    if not (data_folder / "ased").is_dir():
        pytest.skip(f"no ASED at {data_folder}")
    utterances = ased.read(data_folder / "ased").utterances
    counts = Counter(utterance.emotion for utterance in utterances)
    assert counts == {"neutral": 522, "fearful": 510, "happy": 486, "angry": 486, "sad": 470}
    assert Counter(dict({u.speaker: u.gender for u in utterances}).values()) == {"female": 25, "male": 40}
    emotions_of: defaultdict[str, set[str]] = defaultdict(set)
    speakers_of: defaultdict[str, set[str]] = defaultdict(set)
    for utterance in utterances:
        emotions_of[utterance.sentence].add(utterance.emotion)
        speakers_of["common" if utterance.sentence in "12" else "specific"].add(utterance.speaker)
    assert [name for name, emotions in sorted(emotions_of.items()) if len(emotions) > 1] == ["1", "2"]
    assert len(emotions_of) == 27
    # some speakers have a full set of one kind only: 2 x 5 x 2 clips of the common, 25 x 2 of the specific sentences
    per_speaker = Counter(utterance.speaker for utterance in utterances)
    assert {per_speaker[speaker] for speaker in speakers_of["specific"] - speakers_of["common"]} == {50}
    assert max(per_speaker[speaker] for speaker in speakers_of["common"] - speakers_of["specific"]) == 20
