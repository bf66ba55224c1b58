"""Utterances under other labels: order and everything else stays, what is dropped is counted."""

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
    ("name", "kept", "dropped"),
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
def test_classes_outside_are_dropped_and_counted(name: str, kept: str, dropped: dict[str, int]) -> None:
    utterances, counts = apply_label_map(CLIPS, LABEL_MAPS[name])
    assert ", ".join(f"{utterance.clip} {utterance.emotion}" for utterance in utterances) == kept
    assert list(counts.items()) == list(dropped.items())
    assert [utterance.speaker for utterance in utterances] == [f"s{utterance.clip}" for utterance in utterances]


def test_nothing_in_nothing_out() -> None:
    assert apply_label_map([], LABEL_MAPS["4-classes"]) == ((), {})
