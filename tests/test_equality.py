"""Predictions and timelines are equal by their values."""

import copy
import math
from dataclasses import replace

import numpy as np
import pytest

from overtone.datatypes import Prediction, Waveform
from overtone.speaker_summary import SpeakerSummary
from overtone.timeline import Segment


def prediction() -> Prediction:
    return Prediction(
        ("happy", "sad"),
        np.array([0.25, 0.75]),
        {"mel": np.array([0.5, 0.5])},
        prosody={"pitch_median_hz": math.nan},
        columns={"take": 3, "text": None},
    )


def test_equal_predictions() -> None:
    assert prediction() == prediction() == copy.deepcopy(prediction())
    assert [Segment(0, 1, prediction=prediction())] == [Segment(0, 1, prediction=prediction())]


@pytest.mark.parametrize(
    "change",
    [
        {"probabilities": np.array([0.75, 0.25])},
        {"branches": {"mel": np.array([0.4, 0.6])}},
        {"branches": {"prosody": np.array([0.5, 0.5])}},
        {"prosody": {"pitch_median_hz": 100.0}},
        {"columns": {"take": 4, "text": None}},
        {"source": "other.wav"},
        {"arousal": 0.5},
    ],
)
def test_other_predictions(change: dict[str, object]) -> None:
    assert prediction() != replace(prediction(), **change)


def test_other_types() -> None:
    assert prediction() != "happy"
    assert Waveform(np.zeros(3, np.float32)) == Waveform(np.zeros(3, np.float32))
    assert Waveform(np.zeros(3, np.float32)) != Waveform(np.zeros(4, np.float32))
    first, second = (SpeakerSummary("A", 1.0, {}, 0.5, np.array([np.nan]), np.nan, 0.5) for _ in range(2))
    assert first == second
