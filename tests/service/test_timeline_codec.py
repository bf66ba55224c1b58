"""A timeline that was kept is the same, to the last bit."""

import numpy as np
from sounds import RATE_HZ, speech_like
from timelines import NASTY_NAMES, plain

from overtone.formats.json import to_object
from overtone.inference.recogniser import load
from overtone.service.timeline_codec import decode, encode
from overtone.timeline import Segment, Timeline


def check_same(found: Timeline, kept: Timeline) -> None:
    told = ("source", "duration_s", "emotions", "model", "turns_given")
    assert [getattr(found, name) for name in told] == [getattr(kept, name) for name in told]
    for name in ("step_s", "probabilities", "pitch_hz", "loudness_db"):
        np.testing.assert_array_equal(getattr(found.tracks, name), getattr(kept.tracks, name))
    assert len(found.segments) == len(kept.segments)
    for one, other in zip(found.segments, kept.segments, strict=True):
        assert (one.start_s, one.end_s, one.speaker) == (other.start_s, other.end_s, other.speaker)
        check_same_answer(one, other)


def check_same_answer(one: Segment, other: Segment) -> None:
    assert (one.prediction is None) == (other.prediction is None)
    if one.prediction is not None and other.prediction is not None:
        assert to_object(one.prediction) == to_object(other.prediction)
        np.testing.assert_array_equal(one.prediction.probabilities, other.prediction.probabilities)
        assert one.prediction.uncertain_below == other.prediction.uncertain_below


def test_what_was_heard_is_kept(rng: np.random.Generator) -> None:
    timeline = load().timeline(speech_like(rng, 5.0), RATE_HZ)
    assert timeline.duration_s == 5.0
    check_same(decode(encode(timeline)), timeline)


def test_names_are_kept() -> None:
    for name in NASTY_NAMES:
        assert decode(encode(plain(name))).source == name
