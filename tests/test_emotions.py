"""The order of the emotions is fixed; a label map merges classes only where its name says so."""

import pytest

from overtone.emotions import CORPUS_SYNONYMS, EMOTIONS, LABEL_MAPS, SPELLINGS, get_label_map, parse_emotion
from overtone.errors import InputError, OptionError


def test_first_eight_emotions_are_those_of_ravdess_in_order() -> None:
    ravdess = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")
    assert EMOTIONS[:8] == ravdess  # stored models and predictions use subsequences of this order
    assert EMOTIONS[8:] == ("bored",)


@pytest.mark.parametrize(("label", "emotion"), [(" Boredom ", "bored"), ("bored", "bored"), ("JOY", "happy")])
def test_spellings(label: str, emotion: str) -> None:
    assert parse_emotion(label) == emotion


@pytest.mark.parametrize("label", ["", "jealous", *CORPUS_SYNONYMS])
def test_other_classes_are_not_spellings(label: str) -> None:
    with pytest.raises(InputError, match=f"unknown emotion '{label}'"):
        parse_emotion(label)


def test_spellings_and_corpus_synonyms_map_to_emotions() -> None:
    assert {*SPELLINGS.values(), *CORPUS_SYNONYMS.values()} <= set(EMOTIONS)
    assert not {*SPELLINGS, *CORPUS_SYNONYMS} & set(EMOTIONS)
    assert CORPUS_SYNONYMS["pleasant surprise"] == "surprised"


@pytest.mark.parametrize("name", LABEL_MAPS)
def test_label_map_merges_only_the_classes_in_its_name(name: str) -> None:
    label_map = LABEL_MAPS[name]
    moved = {emotion: label for emotion, label in label_map.items() if emotion != label}
    merged, _, into = name.partition("-classes")[2].strip("-").partition("-as-")
    assert moved == dict.fromkeys([emotion for emotion in EMOTIONS if emotion in merged.split("-and-")], into)
    assert len(set(label_map.values())) == int(name.split("-")[0])
    assert set(label_map.values()) <= set(label_map) <= set(EMOTIONS)


def test_the_four_common_classes() -> None:
    assert set(get_label_map("4-classes")) == {"angry", "happy", "neutral", "sad"}


def test_unknown_label_map_suggests_the_most_similar() -> None:
    with pytest.raises(OptionError, match=r"no label map is called '4-clases'; did you mean '4-classes'\?"):
        get_label_map("4-clases")
