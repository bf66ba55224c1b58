"""TESS: all fields of a file name, also the misspelt one; its pleasant surprise is mapped to surprised."""

from pathlib import Path

import pytest
from corpus_trees import create_files

from overtone.corpora import tess


def test_every_field_of_a_name_is_parsed(tmp_path: Path) -> None:
    (utterance,) = tess.read(create_files(tmp_path, "YAF_fear/YAF_dog_fear.wav")).utterances
    assert (utterance.emotion, utterance.speaker, utterance.gender) == ("fearful", "YAF", "female")
    assert (utterance.sentence, utterance.repetition, utterance.clip) == ("dog", 0, "YAF_dog_fear")


@pytest.mark.parametrize(
    ("code", "emotion"),
    [
        ("neutral", "neutral"),
        ("happy", "happy"),
        ("sad", "sad"),
        ("angry", "angry"),
        ("fear", "fearful"),
        ("disgust", "disgust"),
        ("ps", "surprised"),
    ],
)
def test_emotions_by_code(tmp_path: Path, code: str, emotion: str) -> None:
    (utterance,) = tess.read(create_files(tmp_path, f"OAF_Pleasant_surprise/OAF_back_{code}.wav")).utterances
    assert utterance.emotion == emotion


def test_a_misspelt_published_name_is_corrected(tmp_path: Path) -> None:
    create_files(tmp_path, "OAF_neutral/OA_bite_neutral.wav", "again/OAF_bite_neutral.wav", "OA_back_neutral.wav")
    scan = tess.read(tmp_path)
    assert [(u.clip, u.speaker) for u in scan.utterances] == [("OAF_bite_neutral", "OAF")]
    assert scan.ignored == {"same clip twice": 1, "not a TESS name": 1}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("XAF_back_angry.wav", "speaker XAF does not exist"),
        ("OAF_back_bored.wav", "emotion bored does not exist"),
        ("OAF_angry.wav", "not a TESS name"),
        ("OAF_back_angry_2.wav", "not a TESS name"),
    ],
)
def test_other_files_are_left_out_with_a_reason(tmp_path: Path, name: str, reason: str) -> None:
    assert tess.read(create_files(tmp_path, "OAF_back_angry.wav", f"x/{name}")).ignored == {reason: 1}
