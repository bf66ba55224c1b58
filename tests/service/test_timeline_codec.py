"""A decoded timeline equals the encoded one in every bit."""

from dataclasses import replace

import numpy as np
from synthetic_audio import RATE_HZ, speech_like
from timelines import NASTY_NAMES, TEXTS, corrected_timeline, plain_timeline, words_timeline

from overtone.agreement import Agreement
from overtone.formats.json import to_object
from overtone.inference.recogniser import load
from overtone.service.timeline_codec import decode, encode
from overtone.timeline import Segment, Timeline


def assert_same_timeline(actual: Timeline, expected: Timeline) -> None:
    for name in (
        "source",
        "duration_s",
        "emotions",
        "model",
        "turns_given",
        "adaptation",
        "share_estimates",
        "no_estimates",
    ):
        assert getattr(actual, name) == getattr(expected, name)
    assert [channel.speaker for channel in actual.channels] == [channel.speaker for channel in expected.channels]
    own = [(one.tracks, other.tracks) for one, other in zip(actual.channels, expected.channels, strict=True)]
    for found, tracks in [(actual.tracks, expected.tracks), *own]:
        for name in ("step_s", "probabilities", "pitch_hz", "loudness_db", "arousal", "valence"):
            np.testing.assert_array_equal(getattr(found, name), getattr(tracks, name))
    assert len(actual.segments) == len(expected.segments)
    for segment, other in zip(actual.segments, expected.segments, strict=True):
        assert replace(segment, prediction=None) == replace(other, prediction=None)
        assert_same_prediction(segment, other)


def assert_same_prediction(actual: Segment, expected: Segment) -> None:
    assert (actual.prediction is None) == (expected.prediction is None)
    if actual.prediction is not None and expected.prediction is not None:
        assert to_object(actual.prediction) == to_object(expected.prediction)
        np.testing.assert_array_equal(actual.prediction.probabilities, expected.prediction.probabilities)
        assert actual.prediction.uncertain_below == expected.prediction.uncertain_below


def test_a_timeline_is_decoded_unchanged(rng: np.random.Generator) -> None:
    timeline = load().timeline(speech_like(rng, 5.0), RATE_HZ)
    assert timeline.duration_s == 5.0 and timeline.share_estimates
    assert_same_timeline(decode(encode(timeline)), timeline)


def test_the_channels_of_a_timeline_are_decoded_unchanged(rng: np.random.Generator) -> None:
    call = np.stack([speech_like(rng, 5.0), speech_like(rng, 5.0)], 1)
    timeline = load("lite").timeline(call, RATE_HZ, channel="each", channel_names=NASTY_NAMES[2:4])
    assert len(timeline.channels) == 2
    assert not np.array_equal(timeline.channels[0].tracks.loudness_db, timeline.channels[1].tracks.loudness_db)
    assert_same_timeline(decode(encode(timeline)), timeline)


def test_unusual_source_names_are_decoded_unchanged() -> None:
    for name in NASTY_NAMES:
        assert decode(encode(plain_timeline(name))).source == name


def test_words_are_decoded_unchanged() -> None:
    timeline = words_timeline(*TEXTS)
    assert [segment.text for segment in decode(encode(timeline)).segments] == [*TEXTS, ""]


def test_corrections_are_decoded_unchanged() -> None:
    timeline = corrected_timeline()
    names = ("probabilities", "pitch_hz", "loudness_db", "arousal", "valence")
    tracks = replace(timeline.tracks, **{name: getattr(timeline.tracks, name).astype(np.float32) for name in names})
    timeline = replace(timeline, agreement=Agreement(3, 2, 0.25), tracks=tracks, source="")  # that of its predictions
    decoded = decode(encode(timeline))
    found, expected = ([replace(part, prediction=None) for part in each.segments] for each in (decoded, timeline))
    assert found == expected
    assert [part.model_emotion for part in decoded.segments] == [part.model_emotion for part in timeline.segments]
    assert (decoded.no_estimates, decoded.summary.shares) == (timeline.no_estimates, timeline.summary.shares)
    assert decoded.agreement == timeline.agreement and decoded.labels == timeline.labels
