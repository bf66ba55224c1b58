from dataclasses import replace

import numpy as np
import pytest

from overtone.datatypes import Prediction
from overtone.errors import InputError
from overtone.timeline import Segment, Timeline, Tracks

EMOTIONS = ("neutral", "happy", "angry")


def answer(*probabilities: float) -> Prediction:
    return Prediction(EMOTIONS, np.array(probabilities), uncertain_below=0.5)


def curves(steps: int = 40, step_s: float = 0.1) -> Tracks:
    probabilities = np.full((steps, len(EMOTIONS)), np.nan, np.float32)
    probabilities[10:] = (0.2, 0.5, 0.3)
    return Tracks(step_s, probabilities, np.zeros(steps), np.full(steps, -60.0))


def timeline() -> Timeline:
    segments = (
        Segment(0, 1),
        Segment(1, 3, answer(0.2, 0.7, 0.1), "anna"),
        Segment(3, 4, answer(0.1, 0.1, 0.8), "anna"),
    )
    return Timeline("talk.wav", 4, EMOTIONS, "tiny-1", segments, curves())


def test_a_segment_says_whether_anything_is_said() -> None:
    assert [part.is_speech for part in timeline().segments] == [False, True, True]
    assert [part.duration_s for part in timeline().segments] == [1, 2, 1]
    assert timeline().tracks.times_s[[0, 25]] == pytest.approx([0, 2.5])


def test_speakers_are_summed_up_by_time() -> None:
    nobody, anna = timeline().speakers
    assert (nobody.speaker, nobody.speech_s, set(nobody.shares.values())) == ("", 0, {0.0})
    assert np.isnan(nobody.probabilities).all()
    assert (anna.speaker, anna.speech_s) == ("anna", 3)
    assert anna.shares == pytest.approx({"neutral": 0, "happy": 2 / 3, "angry": 1 / 3})
    assert anna.probabilities == pytest.approx([0.5 / 3, 1.5 / 3, 1 / 3])
    assert anna.probabilities.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "segments",
    [
        (),
        (Segment(0, 3),),
        (Segment(1, 4),),
        (Segment(0, 1), Segment(2, 4)),
        (Segment(0, 3), Segment(2, 4)),
        (Segment(0, 5),),
    ],
)
def test_segments_cover_the_recording_once(segments: tuple[Segment, ...]) -> None:
    with pytest.raises(InputError, match="Timeline: expected segments"):
        replace(timeline(), segments=segments)


def test_turns_may_overlap_and_leave_gaps() -> None:
    turns = (Segment(0.5, 2, speaker="anna"), Segment(1, 3, speaker="ben"))
    assert replace(timeline(), segments=turns, turns_given=True).segments == turns
    with pytest.raises(InputError, match="in order"):
        replace(timeline(), segments=turns[::-1], turns_given=True)
    with pytest.raises(InputError, match="within"):
        replace(timeline(), segments=(Segment(3, 4.5),), turns_given=True)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="Segment: expected 0 <= start_s < end_s"):
        Segment(2, 2)
    with pytest.raises(InputError, match="Timeline: expected curves"):
        replace(timeline(), curves=curves(steps=41))
    with pytest.raises(InputError, match="Timeline: expected"):
        replace(timeline(), emotions=EMOTIONS[::-1])
    with pytest.raises(InputError, match="Curves: expected pitch_hz of shape"):
        replace(curves(), pitch_hz=np.zeros(3))
    with pytest.raises(InputError, match="Curves: expected rows summing to 1"):
        replace(curves(), probabilities=np.ones((40, 3)))
    half_known = curves().probabilities.copy()
    half_known[20, 1] = np.nan
    with pytest.raises(InputError, match="Curves: expected rows summing to 1"):
        replace(curves(), probabilities=half_known)
