from itertools import pairwise

import pytest
from timelines import NASTY_NAMES, answer, nothing, plain, silence, timeline, turns

from overtone.formats.annotation_tiers import (
    format_clock,
    label,
    label_with_confidence,
    span_ms,
    tiers,
    visible_segments,
)
from overtone.timeline import Segment


def test_one_voice_is_one_tier_of_its_speech() -> None:
    (tier,) = tiers(plain())
    assert (tier.name, tier.called("emotion")) == ("", "emotion")
    assert [part.start_s for part in tier.segments] == [1, 3.25]


def test_each_speaker_has_a_tier_and_a_second_one_for_overlap() -> None:
    given = turns("Anna", "Ben")
    found = tiers(given)
    assert [tier.called("emotion") for tier in found] == ["emotion@Anna", "emotion@Anna 2", "emotion@Ben"]
    assert [tier.speaker for tier in found] == ["Anna", "Anna", "Ben"]
    assert sorted((part for tier in found for part in tier.segments), key=given.segments.index) == [*given.segments]
    assert all(a.end_s <= b.start_s for tier in found for a, b in pairwise(tier.segments))


def test_no_two_tiers_have_one_name() -> None:
    names = ("a", "a 2", "line\nbreak", r"line\nbreak", "")
    parts = [Segment(0, 2, answer("sad"), name) for name in names] + [Segment(1, 3, answer("sad"), "a")]
    found = tiers(timeline(*parts, turns=True))
    assert [tier.name for tier in found] == ["a", "a 2", r"line\nbreak", r"line\nbreak 2", "", "a 3"]


@pytest.mark.parametrize("given", [silence(), nothing()])
def test_there_is_always_a_tier(given) -> None:
    (tier,) = tiers(given)
    assert (tier.name, tier.segments, visible_segments(given)) == ("", (), ())


def test_words_of_a_segment() -> None:
    assert [label_with_confidence(part) for part in plain().segments] == [
        "no speech",
        "happy 81 %",
        "uncertain (sad) 40 %",
        "no speech",
    ]
    assert label(plain().segments[2]) == "uncertain (sad)"


def test_names_stay_on_one_line() -> None:
    assert all(tier.name.isprintable() for tier in tiers(turns(*NASTY_NAMES)))


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
def test_times_are_written_as_people_do(time_s: float, digits: int, text: str) -> None:
    assert format_clock(time_s, digits) == text
