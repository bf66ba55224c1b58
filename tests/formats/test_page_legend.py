"""The legend of the timeline page: an entry per kind of lane, with what the code computes."""

from dataclasses import replace
from xml.etree import ElementTree

import pytest
from timelines import NASTY_NAMES, branch_timeline, many_classes_timeline, plain_timeline, turns_timeline

from overtone.audio.windows import HOP_STEPS, STEP_S, WINDOW_STEPS
from overtone.datatypes import MIN_SPEECH_S
from overtone.formats.annotation_tiers import ADAPTATION_LABELS
from overtone.formats.branches import branch_explanation
from overtone.formats.page_legend import LOUDNESS, PITCH, PROBABILITY, SEGMENTS, TURNS, make_legend
from overtone.inference.pitch_track import HIGH_HZ, LOW_HZ
from overtone.timeline import NOT_ADAPTED, Segment, Timeline


def entries(timeline: Timeline) -> dict[str, str]:
    """Return the explanations by their terms."""
    tree = ElementTree.fromstring(make_legend(timeline))
    terms, texts = (["".join(item.itertext()) for item in tree.iter(tag)] for tag in ("dt", "dd"))
    return dict(zip(terms, texts, strict=True))


def test_every_lane_is_explained() -> None:
    assert list(entries(plain_timeline())) == [
        *("segments", "sound", "neutral, happy, sad, angry", "pitch, Hz", "loudness, dB", "arousal", "valence")
    ]
    assert TURNS in entries(turns_timeline("Anna"))["segments"]


def test_lanes_that_a_timeline_lacks_are_not_explained() -> None:
    terms = entries(many_classes_timeline(400))
    assert "arousal" not in terms and "valence" not in terms


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"{WINDOW_STEPS * STEP_S:g} s, one every {HOP_STEPS * STEP_S:g} s" in PROBABILITY
    assert f"between {LOW_HZ:g} and {HIGH_HZ:g} Hz" in PITCH
    assert f"{STEP_S:g} s" in PITCH and f"{STEP_S:g} s" in LOUDNESS
    assert f"{MIN_SPEECH_S:g} s of speech" in SEGMENTS


def test_the_parts_of_a_model_are_explained() -> None:
    text = entries(branch_timeline())["parts of the model"]
    assert branch_explanation("mel") in text and branch_explanation("prosody") in text


@pytest.mark.parametrize("adaptation", [name for name in ADAPTATION_LABELS if name != NOT_ADAPTED])
def test_every_adaptation_is_explained(adaptation: str) -> None:
    assert "adapted" in entries(replace(plain_timeline(), adaptation=adaptation))
    assert "adapted" not in entries(plain_timeline())


def test_names_are_escaped() -> None:
    timeline = plain_timeline()
    names = tuple(f"{name}{index}" for index, name in enumerate(NASTY_NAMES[: len(timeline.emotions)]))
    renamed = replace(timeline, emotions=names, segments=(Segment(0, timeline.duration_s),))
    assert "<script" not in make_legend(renamed)
    ElementTree.fromstring(make_legend(renamed))
