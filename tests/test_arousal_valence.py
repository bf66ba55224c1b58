"""Arousal and valence from the probabilities of the classes."""

import math

import numpy as np
import pytest

from overtone.arousal_valence import arousal_valence
from overtone.emotions import AROUSAL, EMOTIONS, VALENCE

FOUR = ("neutral", "happy", "sad", "angry")


def test_every_class_has_its_place() -> None:
    places = {name: arousal_valence(np.eye(len(EMOTIONS))[k], EMOTIONS) for k, name in enumerate(EMOTIONS)}
    assert places == {
        "neutral": (0, 0.5),
        "calm": (0, 0.5),
        "happy": (1, 1),
        "sad": (0, 0),
        "angry": (1, 0),
        "fearful": (1, 0),
        "disgust": (0.5, 0),  # counts to neither end of arousal
        "surprised": (1, 0.5),  # nor surprise and boredom to those of valence
        "bored": (0, 0.5),
    }
    assert not (AROUSAL.keys() | VALENCE.keys()) - set(EMOTIONS)


def test_mixtures_are_weighted_by_their_probabilities() -> None:
    assert arousal_valence((0.1, 0.4, 0.2, 0.3), FOUR) == pytest.approx((0.7, (0.4 + 0.05) / 1))
    with_disgust = arousal_valence((0.05, 0.2, 0.1, 0.15, 0.5), (*FOUR, "disgust"))
    assert with_disgust == pytest.approx((0.7, (0.2 + 0.025) / 1))


@pytest.mark.parametrize(
    ("emotions", "known"),
    [
        (("sad", "angry"), (True, False)),
        (("happy", "angry"), (False, True)),
        (("neutral", "happy"), (True, False)),
        (("disgust", "surprised"), (False, False)),
        (FOUR, (True, True)),
    ],
)
def test_a_scale_with_one_end_gives_nan(emotions: tuple[str, ...], known: tuple[bool, bool]) -> None:
    values = arousal_valence([1 / len(emotions)] * len(emotions), emotions)
    assert tuple(not math.isnan(value) for value in values) == known
