"""A timeline that was kept is the same, to the last bit."""

import numpy as np
from sounds import RATE_HZ, speech_like
from timelines import NASTY_NAMES, plain

from overtone.outputs.json import as_object
from overtone.tasks.recognising.recognise import load
from overtone.tasks.service.kept import packed, unpacked
from overtone.timeline import Segment, Timeline


def expect_same(found: Timeline, kept: Timeline) -> None:
    told = ("source", "duration_s", "emotions", "model", "turns_given")
    assert [getattr(found, name) for name in told] == [getattr(kept, name) for name in told]
    for name in ("step_s", "probabilities", "pitch_hz", "loudness_db"):
        np.testing.assert_array_equal(getattr(found.curves, name), getattr(kept.curves, name))
    assert len(found.segments) == len(kept.segments)
    for one, other in zip(found.segments, kept.segments, strict=True):
        assert (one.start_s, one.end_s, one.speaker) == (other.start_s, other.end_s, other.speaker)
        expect_same_answer(one, other)


def expect_same_answer(one: Segment, other: Segment) -> None:
    assert (one.answer is None) == (other.answer is None)
    if one.answer is not None and other.answer is not None:
        assert as_object(one.answer) == as_object(other.answer)
        np.testing.assert_array_equal(one.answer.probabilities, other.answer.probabilities)
        assert one.answer.uncertain_below == other.answer.uncertain_below


def test_what_was_heard_is_kept(rng: np.random.Generator) -> None:
    timeline = load().timeline(speech_like(rng, 5.0), RATE_HZ)
    assert timeline.duration_s == 5.0
    expect_same(unpacked(packed(timeline)), timeline)


def test_names_are_kept() -> None:
    for name in NASTY_NAMES:
        assert unpacked(packed(plain(name))).source == name
