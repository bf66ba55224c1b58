"""The order of the emotions is fixed; a label map merges classes only where its name says so."""

import pytest

from overtone.emotions import (
    CORPUS_SYNONYMS,
    EMOTIONS,
    LABEL_MAPS,
    SPELLINGS,
    find_class,
    get_label_map,
    is_class_list,
    list_classes,
    order_classes,
    parse_emotion,
    parse_label,
    similar_emotion,
    suggest_emotion,
)
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


@pytest.mark.parametrize(
    ("label", "name"),
    [
        (" Joy\n", "happy"),
        ("ANGRY", "angry"),
        ("Frustrated", "Frustrated"),
        ("a \r\n\t b", "a b"),
        ("\u00a0غاضب ", "غاضب"),
        ("e\u0301", "é"),
        ("pleasant surprise", "pleasant surprise"),
    ],
)
def test_any_label_names_a_class(label: str, name: str) -> None:
    assert parse_label(label) == name == parse_label(name)


@pytest.mark.parametrize("label", ["", " \n", "a\0b", "\x1b[31m", "\u202eabc", "\u2067x", "\ud800"])
def test_empty_labels_and_control_characters_are_refused(label: str) -> None:
    with pytest.raises(InputError):
        parse_label(label)


def test_known_emotions_come_first_and_others_as_they_occur() -> None:
    labels = ("zeal", "sad", "awe", "neutral", "zeal", "sad")
    assert order_classes(labels) == ("neutral", "sad", "zeal", "awe")
    assert order_classes([]) == ()


@pytest.mark.parametrize(
    ("names", "valid"),
    [
        (("sad", "zeal", "awe"), True),
        (("zeal", "awe"), True),
        (("sad",), True),
        ((), False),
        (("zeal", "sad"), False),
        (("sad", "neutral"), False),
        (("zeal", "zeal"), False),
        (("sad", ""), False),
        (("sad", " zeal"), False),
        (("sad", "Joy"), False),
        (("sad", None), False),
    ],
)
def test_a_class_list_is_in_order_and_without_repetition(names: tuple, valid: bool) -> None:
    assert is_class_list(names) is is_class_list(list(names)) is valid


def test_a_class_is_found_exactly_in_any_case_or_spelling() -> None:
    classes = ("happy", "Zeal", "zeal", "VERY  sure")
    assert [find_class(name, classes) for name in ("zeal", "ZEAL", "joy", " very Sure", "sad")] == [
        *("zeal", "Zeal", "happy", "VERY  sure"),
        None,
    ]


@pytest.mark.parametrize(
    ("label", "emotion"),
    [
        *(("angri", "angry"), ("hapy", "happy"), ("Hapiness", "happy"), ("neu", "neutral"), ("dis", "disgust")),
        *(("sur", "surprised"), ("satisfied", None), ("frustrated", None), ("exc", None), ("bad", None)),
    ],
)
def test_typing_errors_resemble_an_emotion(label: str, emotion: str | None) -> None:
    assert similar_emotion(label) == emotion


@pytest.mark.parametrize(
    ("label", "hint"),
    [
        ("scared", "; did you mean 'fearful'?"),
        ("Mad", "; did you mean 'angry'?"),
        ("angri", "; did you mean 'angry'?"),
        ("joy", "; did you mean 'happy'?"),
        ("neu", "; did you mean 'neutral'?"),
        ("sat", "; did you mean 'sad'?"),
        *(
            (label, "; known are angry, fearful, happy, neutral, sad")
            for label in ("fru", "amazed", "sm", "exc", "bad")
        ),
    ],
)
def test_hints_are_near_to_what_was_meant(label: str, hint: str) -> None:
    assert suggest_emotion(label, ("neutral", "happy", "sad", "angry", "fearful")) == hint


@pytest.mark.parametrize(("label", "name"), [("neu", "neutral"), ("dis", "disgust"), ("sur", "surprise")])
def test_hints_for_starts_of_several_spellings(label: str, name: str) -> None:
    known = ("neutral", "neutrality", "disgust", "disgusted", "surprise", "surprised")
    assert suggest_emotion(label, known) == f"; did you mean '{name}'?"


def test_listed_classes_can_be_told_apart() -> None:
    assert list_classes(["a", "b, c"]) == "a, 'b, c'"
    assert list_classes([str(number) for number in range(30)]).endswith(", 19 and 10 more")
    assert list_classes(["x"] * 30, most=None).count("x") == 30
