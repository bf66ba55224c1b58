"""Handmade timelines for the tests of the formats."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from overtone.arousal_valence import arousal_valence
from overtone.datatypes import Prediction
from overtone.formats.annotation_tiers import has_decisions, has_words, label, make_tiers, words
from overtone.timeline import CORRECTED, ChannelTracks, Segment, Timeline, Tracks

EMOTIONS = ("neutral", "happy", "sad", "angry")
STEP_S = 0.1
NASTY_NAMES = ('say "hé"', "line\nbreak\ttab", "a --> b", "<b>&amp;</b></script>", "声", "not-utf8-\udcff", "']]>\\")

TEXTS = ("well, yes", "<script>alert(1)</script>", "a --> b", '&amp; "no" | ; = {x}', "می\u200cخواهم 👩\u200d🚀", "声")


def make_prediction(emotion: str, confidence: float = 0.7, **branches: str) -> Prediction:
    """Return a prediction with this emotion and confidence, uncertain below 0.5, and branches at 60 %."""
    branch_probabilities = {name: make_probabilities(branch, 0.6) for name, branch in branches.items()}
    probabilities = make_probabilities(emotion, confidence)
    return Prediction(EMOTIONS, probabilities, branch_probabilities, uncertain_below=0.5, model="tiny-1")


def make_probabilities(emotion: str, confidence: float) -> np.ndarray:
    """Return probabilities of all emotions; the other emotions share the rest evenly."""
    probabilities = np.full(len(EMOTIONS), (1 - confidence) / (len(EMOTIONS) - 1))
    probabilities[EMOTIONS.index(emotion)] = confidence
    return probabilities


def make_timeline(*segments: Segment, source: str = "talk.wav", duration_s: float = 6, turns: bool = False) -> Timeline:
    """Return a timeline whose tracks match its segments; the pitch rises during speech."""
    steps = int(np.ceil(duration_s / STEP_S - 1e-9))
    probabilities = np.full((steps, len(EMOTIONS)), np.nan)
    for segment in segments:
        if segment.prediction is not None:
            speech_steps = slice(round(segment.start_s / STEP_S), round(segment.end_s / STEP_S))
            probabilities[speech_steps] = segment.prediction.probabilities
    is_speech = ~np.isnan(probabilities[:, 0])
    pitch_hz, loudness_db = np.linspace(120, 240, steps) * is_speech, np.where(is_speech, -25.0, -70.0)
    arousal, valence = np.array([arousal_valence(row, EMOTIONS) for row in probabilities]).reshape(steps, 2).T
    tracks = Tracks(STEP_S, probabilities, pitch_hz, loudness_db, arousal, valence)
    return Timeline(source, duration_s, EMOTIONS, "tiny-1", segments, tracks, turns)


def plain_timeline(source: str = "talk.wav") -> Timeline:
    """Return a timeline of one unknown speaker: silence, happy, uncertain, silence."""
    return make_timeline(
        Segment(0, 1),
        Segment(1, 3.25, make_prediction("happy", 0.8125)),
        Segment(3.25, 5, make_prediction("sad", 0.4)),
        Segment(5, 6),
        source=source,
    )


def branch_timeline() -> Timeline:
    """Return a timeline with a segment on which two branches agree, and one on which they disagree."""
    return make_timeline(
        Segment(0, 2, make_prediction("happy", mel="happy", prosody="happy")),
        Segment(2, 6, make_prediction("sad", 0.4, mel="angry", prosody="sad")),
    )


def turns_timeline(*speakers: str) -> Timeline:
    """Return speaker turns that each overlap the next; the first speaker overlaps himself, the last turn is silent."""
    turns = [
        Segment(0.5 + k / 2, 1.5 + k / 2, make_prediction("angry", 0.6), speaker) for k, speaker in enumerate(speakers)
    ]
    overlapping = Segment(0.75, 2, make_prediction("happy", 0.9), speakers[0])
    silent = Segment(5.5, 6, None, speakers[-1])
    return make_timeline(turns[0], overlapping, *turns[1:], silent, turns=True)


def words_timeline(*texts: str) -> Timeline:
    """Return the turns of two speakers with these words; the last turn has speech but no words."""
    turns = [
        Segment(k / 4, k / 4 + 0.5, make_prediction("sad", 0.6) if k % 3 else None, "Anna" if k % 2 else "Ben", text)
        for k, text in enumerate((*texts, ""), start=1)
    ]
    return make_timeline(*turns, turns=True)


def corrected_timeline(*labels: str) -> Timeline:
    """Return turns that a person corrected: to each label, as wrong, and without speech; and one that was kept."""
    named = [
        Segment(k / 4, k / 4 + 0.25, make_prediction("sad", 0.6), "Anna", "", "person", label)
        for k, label in enumerate(labels or ("happy", "frustrated"))
    ]
    others = (
        Segment(4, 4.5, make_prediction("angry", 0.4), "Ben", "well", "person"),
        Segment(4.5, 5, None, "Ben", "", "person", labels[0] if labels else "tired"),
        Segment(5, 6, make_prediction("happy", 0.9), "Ben"),
    )
    return replace(make_timeline(*named, *others, turns=True), no_estimates=CORRECTED)


def channels_timeline(*speakers: str) -> Timeline:
    """Return a timeline of channels that are speakers: each overlaps the next, and the last one is silent."""
    emotions = ("angry", "happy", "sad", "neutral")
    own = [
        (Segment(k / 2, k / 2 + 1, make_prediction(emotions[k % 4], 0.6), speaker), Segment(5, 6, None))
        for k, speaker in enumerate(speakers[:-1])
    ]
    tracks = [make_timeline(*segments, turns=True).tracks for segments in (*own, ())]
    speech = tuple(first for first, _ in own)
    channels = tuple(map(ChannelTracks, speakers, tracks))
    return Timeline("talk.wav", 6, EMOTIONS, "tiny-1", speech, tracks[0], channels=channels)


def silent_timeline() -> Timeline:
    """Return a timeline without speech."""
    return make_timeline(Segment(0, 6))


def empty_timeline() -> Timeline:
    """Return a timeline without any speaker turn."""
    return make_timeline(turns=True)


TIMELINES = {
    "plain": plain_timeline(),
    "turns": turns_timeline("Anna", "Ben"),
    "nasty": turns_timeline(*NASTY_NAMES),
    "channels": channels_timeline("agent", "customer"),
    "nasty channels": channels_timeline('say "hé", Anna', "a --> b", "<b>&amp;</b></script>"),
    "silent channel": channels_timeline("left"),
    "words": words_timeline(*TEXTS),
    "corrected": corrected_timeline(),
    "nasty labels": corrected_timeline(*(name for name in NASTY_NAMES if name.isprintable())),
    "branches": branch_timeline(),
    "silence": silent_timeline(),
    "nothing": empty_timeline(),
    "long": make_timeline(Segment(0, 7000), Segment(7000, 7300.0004, make_prediction("sad")), duration_s=7300.0004),
}
every_timeline = pytest.mark.parametrize("timeline", TIMELINES.values(), ids=TIMELINES)


def write_to(path: Path, writer, timeline: Timeline) -> Path:
    """Write a timeline with the `write` of a format module; return the path."""
    stream = io.StringIO(newline="")
    writer.write(timeline, stream)
    path.write_bytes(stream.getvalue().encode("utf-8"))
    return path


def expected_tiers(timeline: Timeline) -> dict[str, list[tuple[float, float, str]]]:
    """Return start, end and text of every non-empty interval, by the name of its tier."""
    expected = {}
    for tier in make_tiers(timeline):
        spans = [(segment.start_s, segment.end_s, segment) for segment in tier.segments]
        expected[tier.tier_name("emotion")] = [(start, end, label(segment)) for start, end, segment in spans]
        expected[tier.tier_name("confidence")] = [
            (start, end, f"{segment.prediction.confidence:.3f}") for start, end, segment in spans if segment.prediction
        ]
        if has_words(timeline):
            texts = [(start, end, words(segment)) for start, end, segment in spans if segment.text]
            expected[tier.tier_name("text")] = texts
        if has_decisions(timeline):
            expected[tier.tier_name("decided by")] = [(start, end, part.decided_by) for start, end, part in spans]
            expected[tier.tier_name("model emotion")] = [
                (start, end, part.model_emotion) for start, end, part in spans if part.prediction
            ]
    return expected


def many_classes_timeline(count: int = 400) -> Timeline:
    """Return a timeline of a model with `count` own classes, the last but one of which is recognised."""
    emotions = ("sad", *(f"class ${number}$ that has a long name" for number in range(1, count)))
    steps = 20
    probabilities = np.full((steps, count), 0.5 / (count - 1))
    probabilities[:, -2] = 0.5
    prediction = Prediction(emotions, probabilities[0], model="many-1")
    track = np.zeros(steps)
    tracks = Tracks(STEP_S, probabilities, track, track - 30, track + np.nan, track + np.nan)
    return Timeline("talk.wav", 2, emotions, "many-1", (Segment(0, 2, prediction),), tracks)
