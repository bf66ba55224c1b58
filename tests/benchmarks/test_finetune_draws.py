"""The draws of the fine-tuning benchmark: as many clips of each class, of few speakers; all others are tested."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from overtone.datatypes import Utterance

pytest.importorskip("torch")

from benchmarks.finetune import draw, uar

CLIPS = [
    Utterance(Path("x.wav"), emotion, f"speaker {speaker}", clip=f"{speaker} {emotion} {k}")
    for speaker in range(8)
    for emotion in ("happy", "sad")
    for k in range(4)
]


def speakers(positions: list[int]) -> set[str]:
    return {CLIPS[i].speaker for i in positions}


def test_a_draw_has_as_many_clips_of_each_class_of_three_speakers_and_tests_all_others() -> None:
    train, test = draw(CLIPS, 5, 0)
    assert Counter(CLIPS[i].emotion for i in train) == {"happy": 5, "sad": 5}
    assert len(speakers(train)) == 3 and len(speakers(test)) == 5 and len(test) == 40
    counts = Counter(CLIPS[i].speaker for i in train)
    assert max(counts.values()) - min(counts.values()) <= 2


def test_larger_draws_take_more_speakers_but_leave_three() -> None:
    train, test = draw(CLIPS, 16, 0)
    assert len(speakers(train)) == 4 and len(train) == 32
    train, test = draw(CLIPS, 100, 0)
    assert len(speakers(train)) == 5 and len(train) == 40 and len(speakers(test)) == 3
    assert speakers(draw(CLIPS, 5, 0)[0]) < speakers(train)


def test_draws_differ_by_seed_and_repeat() -> None:
    assert draw(CLIPS, 5, 1) == draw(CLIPS, 5, 1) != draw(CLIPS, 5, 2)


def test_uar_is_the_mean_recall() -> None:
    assert uar(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])) == 0.75
    assert uar(np.array([0, 0, 0, 0, 0]), np.array([0, 0, 0, 0, 1])) == 0.5
