"""The vocabulary keeps its order; a label map merges classes only where its name says so."""

import pytest

from overtone.emotions import CORPUS_SYNONYMS, EMOTIONS, LABEL_MAPS, SPELLINGS, get_label_map, parse_emotion
from overtone.errors import InputError, OptionError


def test_the_first_eight_are_those_of_ravdess_in_its_order() -> None:
    ravdess = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
    assert EMOTIONS[:8] == ravdess  # kept models and predictions hold subsequences of this order
    assert EMOTIONS[8:] == ("bored",)


@pytest.mark.parametrize(("label", "emotion"), [(" Boredom ", "bored"), ("bored", "bored"), ("JOY", "happy")])
def test_spellings(label: str, emotion: str) -> None:
    assert parse_emotion(label) == emotion


@pytest.mark.parametrize("label", ["", "jealous", *CORPUS_SYNONYMS])
def test_another_class_is_no_spelling(label: str) -> None:
    with pytest.raises(InputError, match=f"unknown emotion '{label}'"):
        parse_emotion(label)


def test_spellings_and_labels_of_corpora_end_in_the_vocabulary() -> None:
    assert {*SPELLINGS.values(), *CORPUS_SYNONYMS.values()} <= set(EMOTIONS)
    assert not {*SPELLINGS, *CORPUS_SYNONYMS} & set(EMOTIONS)
    assert CORPUS_SYNONYMS["pleasant surprise"] == "surprised"


@pytest.mark.parametrize("name", LABEL_MAPS)
def test_a_map_merges_only_what_its_name_says(name: str) -> None:
    label_map = LABEL_MAPS[name]
    moved = {emotion: label for emotion, label in label_map.items() if emotion != label}
    said, _, into = name.partition("-classes")[2].strip("-").partition("-as-")
    assert moved == dict.fromkeys([emotion for emotion in EMOTIONS if emotion in said.split("-and-")], into)
    assert len(set(label_map.values())) == int(name.split("-")[0])
    assert set(label_map.values()) <= set(label_map) <= set(EMOTIONS)


def test_the_four_classes_of_the_field() -> None:
    assert set(get_label_map("4-classes")) == {"angry", "happy", "neutral", "sad"}


def test_an_unknown_map_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(OptionError, match=r"no label map is called '4-clases'; did you mean '4-classes'\?"):
        get_label_map("4-clases")
