"""Relabelled utterances: order and all other fields are unchanged, dropped utterances are counted."""

from dataclasses import replace
from pathlib import Path

import pytest

from overtone.corpora.label_mapping import (
    apply_label_map,
    merge_spellings,
    present_emotions,
    read_label_map,
    unused_labels,
)
from overtone.datatypes import Utterance
from overtone.emotions import LABEL_MAPS
from overtone.errors import CorpusError, OptionError

CLIPS = [
    Utterance(Path(f"{k}.wav"), emotion, speaker=f"s{k}", clip=str(k))
    for k, emotion in enumerate(("bored", "sad", "calm", "calm", "neutral", "fearful"))
]


@pytest.mark.parametrize(
    ("name", "expected", "dropped"),
    [
        ("4-classes", "1 sad, 4 neutral", {"calm": 2, "fearful": 1, "bored": 1}),
        ("4-classes-calm-as-neutral", "1 sad, 2 neutral, 3 neutral, 4 neutral", {"fearful": 1, "bored": 1}),
        (
            "4-classes-calm-and-bored-as-neutral",
            "0 neutral, 1 sad, 2 neutral, 3 neutral, 4 neutral",
            {"fearful": 1},
        ),
        ("7-classes", "1 sad, 4 neutral, 5 fearful", {"calm": 2, "bored": 1}),
    ],
)
def test_other_classes_are_dropped_and_counted(name: str, expected: str, dropped: dict[str, int]) -> None:
    utterances, counts = apply_label_map(CLIPS, LABEL_MAPS[name])
    assert ", ".join(f"{utterance.clip} {utterance.emotion}" for utterance in utterances) == expected
    assert list(counts.items()) == list(dropped.items())
    assert [utterance.speaker for utterance in utterances] == [f"s{utterance.clip}" for utterance in utterances]


def test_no_utterances() -> None:
    assert apply_label_map([], LABEL_MAPS["4-classes"]) == ((), {})


def clips_of(*labels: str) -> list[Utterance]:
    return [Utterance(Path("x.wav"), label, clip=str(k)) for k, label in enumerate(labels)]


def write_map(folder: Path, text: str) -> str:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_name_gives_the_map_of_this_name() -> None:
    assert read_label_map("4-classes") is LABEL_MAPS["4-classes"]
    with pytest.raises(OptionError, match="did you mean '4-classes'"):
        read_label_map("4-clases")


def test_a_file_maps_own_labels_and_drops_those_it_does_not_name(tmp_path: Path) -> None:
    text = """
        Frustrated = "Anger"
        "very, \\"satisfied\\"" = "content"
        "غاضب" = "angry"
        "so\\nso" = "CONTENT"
        noise = false
    """
    label_map = read_label_map(write_map(tmp_path, text))
    clips = clips_of("frustrated", "FRUSTRATED", 'Very, "satisfied"', "غاضب", "so so", "noise", "tired", "angry")
    mapped, dropped = apply_label_map(clips, label_map)
    assert [clip.emotion for clip in mapped] == ["angry", "angry", "content", "angry", "content"]
    assert [clip.clip for clip in mapped] == list("01234")
    assert list(dropped.items()) == [("angry", 1), ("noise", 1), ("tired", 1)]
    assert unused_labels(clips[1:3], label_map) == ("غاضب", "so so")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("own label = 'class'", "line 1"),
        ("a.b = 'x'\nc = 'y'", "'a'"),
        ("tired = true\nc = 'y'", "'tired'"),
        ("tired = 1\nc = 'y'", "'tired'"),
        ("tired = ''\nc = 'y'", "'tired'"),
        ("'' = 'x'\nc = 'y'", "''"),
        ("tired = 'a\\u0007'\nc = 'y'".replace("'", '"'), "'tired'"),
        ("tired = 'x'\nTIRED = 'y'", "'TIRED'"),
        ("Anger = 'x'\nangry = 'y'", "'angry'"),
        ("tired = 'x'\nangry = 'X'", "x"),
        ("tired = false", "none"),
        ("", "none"),
    ],
)
def test_a_bad_file_is_one_error_with_its_name(tmp_path: Path, text: str, named: str) -> None:
    path = write_map(tmp_path, text)
    with pytest.raises(OptionError) as caught:
        read_label_map(path)
    message = str(caught.value)
    assert message.startswith(path) and named in message and "\n" not in message


def test_a_missing_or_binary_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"none\.toml"):
        read_label_map(str(tmp_path / "none.toml"))
    (tmp_path / "own.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(OptionError, match=r"own\.toml"):
        read_label_map(str(tmp_path / "own.toml"))


def test_the_first_spelling_of_a_class_wins() -> None:
    merged = merge_spellings(clips_of("Tired", "sad", "TIRED", "tired"))
    assert [clip.emotion for clip in merged] == ["Tired", "sad", "Tired", "Tired"]
    assert [clip.clip for clip in merged] == list("0123")


def test_present_emotions_are_known_ones_in_their_order_and_then_own_ones() -> None:
    assert present_emotions(CLIPS) == ("neutral", "calm", "sad", "fearful", "bored")
    own = [replace(clip, emotion=name) for clip, name in zip(CLIPS, ("b", "sad", "a", "b", "calm"), strict=False)]
    assert present_emotions(own) == ("calm", "sad", "b", "a")
    with pytest.raises(CorpusError, match="sad"):
        present_emotions([clip for clip in CLIPS if clip.emotion == "sad"])
