"""Relabelled utterances: order and all other fields are unchanged, dropped utterances are counted."""

from pathlib import Path

import pytest

from overtone.corpora.label_mapping import apply_label_map
from overtone.datatypes import Utterance
from overtone.emotions import LABEL_MAPS

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
