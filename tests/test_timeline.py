"""Timelines validate their segments and tracks, and summarise speakers."""

from dataclasses import replace

import numpy as np
import pytest

from overtone.datatypes import Prediction
from overtone.errors import InputError
from overtone.shares import ShareEstimate
from overtone.timeline import ChannelTracks, Segment, Timeline, Tracks

EMOTIONS = ("neutral", "happy", "angry")


def make_prediction(*probabilities: float) -> Prediction:
    return Prediction(EMOTIONS, np.array(probabilities), uncertain_below=0.5)


def make_tracks(steps: int = 40, step_s: float = 0.1) -> Tracks:
    probabilities = np.full((steps, len(EMOTIONS)), np.nan, np.float32)
    probabilities[10:] = (0.2, 0.5, 0.3)
    return Tracks(step_s, probabilities, np.zeros(steps), np.full(steps, -60.0), *np.full((2, steps), np.nan))


def make_timeline() -> Timeline:
    segments = (
        Segment(0, 1),
        Segment(1, 3, make_prediction(0.2, 0.7, 0.1), "anna"),
        Segment(3, 4, make_prediction(0.1, 0.1, 0.8), "anna"),
    )
    return Timeline("talk.wav", 4, EMOTIONS, "tiny-1", segments, make_tracks())


def test_segment_reports_speech_and_duration() -> None:
    assert [segment.is_speech for segment in make_timeline().segments] == [False, True, True]
    assert [segment.duration_s for segment in make_timeline().segments] == [1, 2, 1]
    assert make_timeline().tracks.times_s[[0, 25]] == pytest.approx([0, 2.5])


def test_speaker_summary_weights_by_duration() -> None:
    unknown, anna = make_timeline().speakers
    assert (unknown.speaker, unknown.speech_s, set(unknown.shares.values())) == ("", 0, {0.0})
    assert np.isnan(unknown.probabilities).all()
    assert (anna.speaker, anna.speech_s) == ("anna", 3)
    assert anna.shares == pytest.approx({"neutral": 0, "happy": 2 / 3, "angry": 1 / 3})
    assert anna.uncertain_share == 0
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
def test_segments_must_cover_the_recording_once(segments: tuple[Segment, ...]) -> None:
    with pytest.raises(InputError, match="Timeline: expected segments"):
        replace(make_timeline(), segments=segments)


def test_turns_may_overlap_and_leave_gaps() -> None:
    turns = (Segment(0.5, 2, speaker="anna"), Segment(1, 3, speaker="ben"))
    assert replace(make_timeline(), segments=turns, turns_given=True).segments == turns
    with pytest.raises(InputError, match="in order"):
        replace(make_timeline(), segments=turns[::-1], turns_given=True)
    with pytest.raises(InputError, match="within"):
        replace(make_timeline(), segments=(Segment(3, 4.5),), turns_given=True)


def test_channels_may_overlap_and_leave_gaps() -> None:
    agent, customer = (ChannelTracks(name, make_tracks()) for name in ("zoe", "customer"))
    overlapping = (
        Segment(0.5, 2, make_prediction(0.2, 0.7, 0.1), "zoe"),
        Segment(1, 3, make_prediction(1, 0, 0), "zoe"),
    )
    timeline = replace(make_timeline(), segments=overlapping, channels=(agent, customer))
    assert [(summary.speaker, summary.speech_s) for summary in timeline.speakers] == [("zoe", 3.5), ("customer", 0)]
    assert timeline.tracks_by_speaker == (agent, customer)
    assert [channel.speaker for channel in make_timeline().tracks_by_speaker] == [""]
    for segment in (Segment(0, 1, None, "zoe"), Segment(0, 1, make_prediction(1, 0, 0), "ben")):
        with pytest.raises(InputError, match=r"expected segments with speech of one of \['zoe', 'customer'\]"):
            replace(timeline, segments=(segment,))
    with pytest.raises(InputError, match="expected channels with different speakers"):
        replace(timeline, channels=(agent, agent))
    with pytest.raises(InputError, match="expected tracks with probabilities"):
        replace(timeline, channels=(agent, ChannelTracks("customer", make_tracks(steps=39))))


def test_invalid_values_are_rejected() -> None:
    with pytest.raises(InputError, match="Segment: expected 0 <= start_s < end_s"):
        Segment(2, 2)
    with pytest.raises(InputError, match="Timeline: expected tracks"):
        replace(make_timeline(), tracks=make_tracks(steps=41))
    with pytest.raises(InputError, match="Timeline: expected"):
        replace(make_timeline(), emotions=EMOTIONS[::-1])
    with pytest.raises(InputError, match="Tracks: expected pitch_hz of shape"):
        replace(make_tracks(), pitch_hz=np.zeros(3))
    with pytest.raises(InputError, match="Tracks: expected rows summing to 1"):
        replace(make_tracks(), probabilities=np.ones((40, 3)))
    partly_nan = make_tracks().probabilities.copy()
    partly_nan[20, 1] = np.nan
    with pytest.raises(InputError, match="Tracks: expected rows summing to 1"):
        replace(make_tracks(), probabilities=partly_nan)


def test_a_person_decides_the_emotion_of_a_segment() -> None:
    prediction = make_prediction(0.2, 0.7, 0.1)
    kept = Segment(0, 1, prediction, "anna")
    relabelled = Segment(1, 2, prediction, "anna", decided_by="person", label="angry")
    wrong = Segment(2, 3, prediction, "anna", decided_by="person")
    own = Segment(3, 4, None, "anna", decided_by="person", label="tired")
    rows = [(part.emotion, part.model_emotion, part.is_speech) for part in (kept, relabelled, wrong, own)]
    assert rows == [("happy", "happy", True), ("angry", "happy", True), ("", "happy", True), ("tired", "", True)]
    timeline = replace(make_timeline(), segments=(kept, relabelled, wrong, own))
    assert timeline.labels == (*EMOTIONS, "tired")
    (summary,) = timeline.speakers
    assert summary.speech_s == 4
    assert summary.shares == {"neutral": 0, "happy": 0.25, "angry": 0.25, "tired": 0.25}
    assert summary.uncertain_share == 0.25
    np.testing.assert_allclose(summary.probabilities, (0.2, 0.7, 0.1))
    with pytest.raises(InputError, match="decided_by among"):
        replace(kept, decided_by="")
    with pytest.raises(InputError, match="a label only where a person decided"):
        replace(kept, label="sad")


def test_uncertain_time_is_counted_apart() -> None:
    sure = replace(make_prediction(0.1, 0.9, 0), arousal=0.75, valence=0.5)
    unsure = replace(make_prediction(0.4, 0.3, 0.3), arousal=0.25, valence=0.5)
    segments = (Segment(0, 1, sure, "anna"), Segment(1, 4, unsure, "ben"))
    timeline = replace(make_timeline(), segments=segments)
    anna, ben = timeline.speakers
    assert (anna.shares["happy"], anna.uncertain_share, anna.arousal) == (1, 0, 0.75)
    assert (sum(ben.shares.values()), ben.uncertain_share, ben.arousal) == (0, 1, 0.25)
    assert timeline.summary.shares["happy"] == timeline.summary.uncertain_share / 3 == 0.25
    assert timeline.summary.arousal == pytest.approx(0.375)


def test_named_speakers_are_those_with_names_and_the_others_if_they_speak() -> None:
    assert [summary.speaker for summary in make_timeline().named_speakers] == ["anna"]
    segments = (*make_timeline().segments[:2], Segment(3, 4, make_prediction(0.1, 0.1, 0.8)))
    assert [summary.speaker for summary in replace(make_timeline(), segments=segments).named_speakers] == ["", "anna"]
    assert replace(make_timeline(), segments=(Segment(0, 4, make_prediction(1, 0, 0)),)).named_speakers == ()


def test_estimates_belong_to_the_speakers_in_order() -> None:
    one, other = ([ShareEstimate(value, 0, 1)] * len(EMOTIONS) for value in (0.25, 0.5))
    timeline = replace(make_timeline(), share_estimates=((), tuple(one), tuple(other)), no_estimates="")
    unknown, anna = timeline.speakers
    assert (unknown.estimates, anna.estimates["happy"].value) == ({}, 0.25)
    assert timeline.summary.estimates["happy"].value == 0.5
    with pytest.raises(InputError, match="expected estimates for 3 summaries"):
        replace(timeline, share_estimates=(tuple(one),))
