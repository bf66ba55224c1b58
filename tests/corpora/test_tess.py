"""TESS: names are read whole, the irregular one too; its pleasant surprise is a surprise."""

from pathlib import Path

import pytest
from corpus_trees import put

from overtone.corpora import tess


def test_every_field_of_a_name_is_read(tmp_path: Path) -> None:
    (utterance,) = tess.read(put(tmp_path, "YAF_fear/YAF_dog_fear.wav")).utterances
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
    (utterance,) = tess.read(put(tmp_path, f"OAF_Pleasant_surprise/OAF_back_{code}.wav")).utterances
    assert utterance.emotion == emotion


def test_the_published_name_that_lacks_a_letter(tmp_path: Path) -> None:
    put(tmp_path, "OAF_neutral/OA_bite_neutral.wav", "again/OAF_bite_neutral.wav", "OA_back_neutral.wav")
    reading = tess.read(tmp_path)
    assert [(u.clip, u.speaker) for u in reading.utterances] == [("OAF_bite_neutral", "OAF")]
    assert reading.ignored == {"same clip twice": 1, "not a TESS name": 1}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("XAF_back_angry.wav", "speaker XAF does not exist"),
        ("OAF_back_bored.wav", "emotion bored does not exist"),
        ("OAF_angry.wav", "not a TESS name"),
        ("OAF_back_angry_2.wav", "not a TESS name"),
    ],
)
def test_foreign_files_are_told_apart(tmp_path: Path, name: str, reason: str) -> None:
    assert tess.read(put(tmp_path, "OAF_back_angry.wav", f"x/{name}")).ignored == {reason: 1}
