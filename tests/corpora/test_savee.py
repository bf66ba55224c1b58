"""SAVEE: the speaker is in the name or is the folder; sentences of different emotions have different names."""

from pathlib import Path

import pytest
from corpus_trees import create_files

from overtone.corpora import savee


@pytest.mark.parametrize("name", ["AudioData/JK/su12.wav", "ALL/JK_su12.wav", "JKsu12.flac", "DC/JK_su12.wav"])
def test_every_field_of_a_name_is_parsed(tmp_path: Path, name: str) -> None:
    (utterance,) = savee.read(create_files(tmp_path, name)).utterances
    assert (utterance.emotion, utterance.speaker, utterance.gender) == ("surprised", "JK", "male")
    assert (utterance.sentence, utterance.repetition, utterance.clip) == ("surprised12", 0, "JK/su12")


@pytest.mark.parametrize(
    ("code", "emotion"),
    [
        ("n", "neutral"),
        ("h", "happy"),
        ("sa", "sad"),
        ("a", "angry"),
        ("f", "fearful"),
        ("d", "disgust"),
        ("su", "surprised"),
    ],
)
def test_emotions_by_code(tmp_path: Path, code: str, emotion: str) -> None:
    (utterance,) = savee.read(create_files(tmp_path, f"KL/{code}01.wav")).utterances
    assert (utterance.emotion, utterance.sentence) == (emotion, f"{emotion}1")


def test_neutral_has_thirty_sentences_and_the_others_fifteen(tmp_path: Path) -> None:
    scan = savee.read(create_files(tmp_path, "DC/n30.wav", "DC/n31.wav", "DC/a15.wav", "DC/a16.wav", "DC/n00.wav"))
    assert [utterance.clip for utterance in scan.utterances] == ["DC/a15", "DC/n30"]
    assert scan.ignored == {f"sentence {number} does not exist": 1 for number in ("00", "16", "31")}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("XY/a01.wav", "no speaker, neither in the name nor as the folder"),
        ("DC/XY_a01.wav", "speaker XY does not exist"),
        ("DC/b01.wav", "emotion b does not exist"),
        ("DC/sx01.wav", "emotion sx does not exist"),
        ("DC/a1.wav", "not a SAVEE name"),
        ("Info.txt", "not a SAVEE name"),
        ("AudioVisualClip/DC/a02.avi", "not .wav, .flac, .ogg, .opus or .mp3"),
    ],
)
def test_other_files_are_left_out_with_a_reason(tmp_path: Path, name: str, reason: str) -> None:
    assert savee.read(create_files(tmp_path, "DC/a01.wav", f"x/{name}")).ignored == {reason: 1}
