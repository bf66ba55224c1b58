"""CREMA-D: all fields of a file name, also the misspelt one; the WAV is preferred to the other published formats."""

from pathlib import Path

import pytest
from corpus_trees import create_files

from overtone.corpora import crema_d


def test_every_field_of_a_name_is_parsed(tmp_path: Path) -> None:
    (utterance,) = crema_d.read(create_files(tmp_path, "AudioWAV/1091_IEO_FEA_LO.wav")).utterances
    assert (utterance.emotion, utterance.speaker, utterance.gender) == ("fearful", "1091", "female")
    assert (utterance.sentence, utterance.intensity, utterance.repetition) == ("IEO", "weak", 0)
    assert utterance.clip == "AudioWAV/1091_IEO_FEA_LO"


@pytest.mark.parametrize(
    ("code", "emotion"),
    [("NEU", "neutral"), ("HAP", "happy"), ("SAD", "sad"), ("ANG", "angry"), ("FEA", "fearful"), ("DIS", "disgust")],
)
def test_emotions_by_code(tmp_path: Path, code: str, emotion: str) -> None:
    (utterance,) = crema_d.read(create_files(tmp_path, f"1001_TAI_{code}_XX.wav")).utterances
    assert (utterance.emotion, utterance.gender, utterance.intensity) == (emotion, "male", "")


def test_intensities(tmp_path: Path) -> None:
    create_files(tmp_path, *(f"1001_IEO_SAD_{code}.wav" for code in ("HI", "LO", "MD")))
    assert [u.intensity for u in crema_d.read(tmp_path).utterances] == ["strong", "weak", "normal"]


def test_there_are_43_women_and_48_men(tmp_path: Path) -> None:
    create_files(tmp_path, *(f"{actor}_DFA_NEU_XX.wav" for actor in range(1001, 1092)))
    genders = [utterance.gender for utterance in crema_d.read(tmp_path).utterances]
    assert (genders.count("female"), genders.count("male")) == (43, 48)


def test_the_official_repository_contains_every_clip_three_times(tmp_path: Path) -> None:
    name = "1001_DFA_ANG_XX"
    create_files(
        tmp_path, f"AudioMP3/{name}.mp3", f"AudioWAV/{name}.wav", f"VideoFlash/{name}.flv", "VideoDemographics.csv"
    )
    scan = crema_d.read(tmp_path)
    assert [utterance.path.suffix for utterance in scan.utterances] == [".wav"]
    assert scan.ignored == {"same clip twice": 1, "video": 1, "not a CREMA-D name": 1}


def test_a_misspelt_published_name_is_corrected(tmp_path: Path) -> None:
    scan = crema_d.read(create_files(tmp_path, "1040_ITH_SAD_X.wav", "1041_ITH_SAD_X.wav"))
    assert [(u.clip, u.intensity) for u in scan.utterances] == [("AudioWAV/1040_ITH_SAD_XX", "")]
    assert scan.ignored == {"not a CREMA-D name": 1}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("1092_DFA_ANG_XX.wav", "speaker 1092 does not exist"),
        ("1000_DFA_ANG_XX.wav", "speaker 1000 does not exist"),
        ("1001_ABC_ANG_XX.wav", "sentence ABC does not exist"),
        ("1001_DFA_SUR_XX.wav", "emotion SUR does not exist"),
        ("1001_DFA_ANG_ZZ.wav", "intensity ZZ does not exist"),
        ("1001_DFA_ANG.wav", "not a CREMA-D name"),
    ],
)
def test_other_files_are_left_out_with_a_reason(tmp_path: Path, name: str, reason: str) -> None:
    assert crema_d.read(create_files(tmp_path, "1001_DFA_ANG_XX.wav", f"x/{name}")).ignored == {reason: 1}
