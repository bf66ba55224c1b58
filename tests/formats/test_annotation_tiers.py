from itertools import pairwise

import pytest
from timelines import (
    EMOTIONS,
    NASTY_NAMES,
    channels_timeline,
    empty_timeline,
    make_prediction,
    make_timeline,
    many_classes_timeline,
    plain_timeline,
    silent_timeline,
    turns_timeline,
)

from overtone.formats.annotation_tiers import (
    MAX_LANES,
    branch_labels,
    format_clock,
    label,
    label_with_confidence,
    lane_emotions,
    make_tiers,
    span_ms,
    visible_segments,
)
from overtone.timeline import Segment


def test_an_unknown_speaker_has_one_tier_of_speech() -> None:
    (tier,) = make_tiers(plain_timeline())
    assert (tier.name, tier.tier_name("emotion")) == ("", "emotion")
    assert [segment.start_s for segment in tier.segments] == [1, 3.25]


def test_each_speaker_has_a_tier_and_a_second_one_for_overlap() -> None:
    timeline = turns_timeline("Anna", "Ben")
    tiers = make_tiers(timeline)
    assert [tier.tier_name("emotion") for tier in tiers] == ["emotion@Anna", "emotion 2@Anna", "emotion@Ben"]
    assert [tier.speaker for tier in tiers] == ["Anna", "Anna", "Ben"]
    segments = [segment for tier in tiers for segment in tier.segments]
    assert sorted(segments, key=timeline.segments.index) == [*timeline.segments]
    assert all(first.end_s <= second.start_s for tier in tiers for first, second in pairwise(tier.segments))


def test_each_channel_has_a_tier_in_their_order() -> None:
    tiers = make_tiers(channels_timeline("zoe", "anna", "silent"))
    assert [(tier.name, tier.speaker, len(tier.segments)) for tier in tiers] == [
        ("zoe", "zoe", 1),
        ("anna", "anna", 1),
        ("silent", "silent", 0),
    ]


def test_tier_names_are_unique() -> None:
    names = ("a", "a 2", "line\nbreak", r"line\nbreak", "")
    segments = [Segment(0, 2, make_prediction("sad"), name) for name in names]
    segments.append(Segment(1, 3, make_prediction("sad"), "a"))
    tiers = make_tiers(make_timeline(*segments, turns=True))
    assert [tier.name for tier in tiers] == ["a", "a 2", r"line\nbreak", r"line\nbreak 2", "", "a 3"]


@pytest.mark.parametrize("timeline", [silent_timeline(), empty_timeline()])
def test_there_is_always_a_tier(timeline) -> None:
    (tier,) = make_tiers(timeline)
    assert (tier.name, tier.segments, visible_segments(timeline)) == ("", (), ())


def test_labels_of_segments() -> None:
    assert [label_with_confidence(segment) for segment in plain_timeline().segments] == [
        "no speech",
        "happy 81 %",
        "uncertain (sad) 40 %",
        "no speech",
    ]
    assert label(plain_timeline().segments[2]) == "uncertain (sad)"


def test_branch_labels_cover_any_number_of_branches() -> None:
    prediction = make_prediction("sad", mel="sad", prosody="sad", speech_encoder="happy")
    assert (
        branch_labels(Segment(0, 1, prediction))
        == "parts disagree: spectrum sad 60 %, melody sad 60 %, speech_encoder happy 60 %"
    )
    assert branch_labels(Segment(0, 1, make_prediction("sad"))) == branch_labels(Segment(0, 1)) == ""


def test_names_stay_on_one_line() -> None:
    assert all(tier.name.isprintable() for tier in make_tiers(turns_timeline(*NASTY_NAMES)))


def test_a_span_is_never_empty() -> None:
    assert span_ms(Segment(1.2344, 2.5)) == (1234, 2500)
    assert span_ms(Segment(1.2344, 1.2345)) == (1234, 1235)


@pytest.mark.parametrize(
    ("time_s", "digits", "text"),
    [
        (0, 0, "0:00"),
        (7.4, 0, "0:07"),
        (59.9, 0, "0:59"),
        (3723, 0, "1:02:03"),
        (62.04, 1, "1:02.0"),
        (0.3 * 3, 1, "0:00.9"),
        (3599.99, 1, "59:59.9"),
        (36_000, 1, "10:00:00.0"),
    ],
)
def test_times_are_formatted_as_in_a_media_player(time_s: float, digits: int, text: str) -> None:
    assert format_clock(time_s, digits) == text


def test_only_the_most_probable_of_many_classes_have_lanes() -> None:
    timeline = many_classes_timeline()
    lanes = lane_emotions(timeline)
    assert len(lanes) == MAX_LANES and timeline.emotions[-2] in lanes
    assert lanes == tuple(name for name in timeline.emotions if name in lanes)
    assert lane_emotions(plain_timeline()) == EMOTIONS
