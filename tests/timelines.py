"""Timelines by hand, for tests of their forms."""

import io
from pathlib import Path

import numpy as np
import pytest

from overtone.datatypes import Prediction
from overtone.formats.annotation_tiers import label, tiers
from overtone.timeline import Segment, Timeline, Tracks

EMOTIONS = ("neutral", "happy", "sad", "angry")
STEP_S = 0.1
NASTY_NAMES = ('say "hé"', "line\nbreak\ttab", "a --> b", "<b>&amp;</b></script>", "声", "not-utf8-\udcff", "']]>\\")


def answer(emotion: str, confidence: float = 0.7, **branches: str) -> Prediction:
    """An answer with this emotion and confidence; uncertain below 0.5. Its branches hear what is said, with 60 %."""
    heard = {name: shared_out(branch, 0.6) for name, branch in branches.items()}
    return Prediction(EMOTIONS, shared_out(emotion, confidence), heard, uncertain_below=0.5, model="tiny-1")


def shared_out(emotion: str, confidence: float) -> np.ndarray:
    """Those of all emotions; what is left by one is shared evenly."""
    shares = np.full(len(EMOTIONS), (1 - confidence) / (len(EMOTIONS) - 1))
    shares[EMOTIONS.index(emotion)] = confidence
    return shares


def timeline(*segments: Segment, source: str = "talk.wav", duration_s: float = 6, turns: bool = False) -> Timeline:
    """A timeline of these segments, whose curves say the same; a rising pitch while anybody speaks."""
    steps = int(np.ceil(duration_s / STEP_S - 1e-9))
    probabilities = np.full((steps, len(EMOTIONS)), np.nan)
    for segment in segments:
        if segment.prediction is not None:
            spoken = slice(round(segment.start_s / STEP_S), round(segment.end_s / STEP_S))
            probabilities[spoken] = segment.prediction.probabilities
    speech = ~np.isnan(probabilities[:, 0])
    pitch_hz, loudness_db = np.linspace(120, 240, steps) * speech, np.where(speech, -25.0, -70.0)
    curves = Tracks(STEP_S, probabilities, pitch_hz, loudness_db)
    return Timeline(source, duration_s, EMOTIONS, "tiny-1", segments, curves, turns)


def plain(source: str = "talk.wav") -> Timeline:
    """One voice, all of it covered: silence, happy, uncertain, silence."""
    return timeline(
        Segment(0, 1),
        Segment(1, 3.25, answer("happy", 0.8125)),
        Segment(3.25, 5, answer("sad", 0.4)),
        Segment(5, 6),
        source=source,
    )


def branches() -> Timeline:
    """One segment on which two branches agree, one on which they do not."""
    return timeline(
        Segment(0, 2, answer("happy", mel="happy", prosody="happy")),
        Segment(2, 6, answer("sad", 0.4, mel="angry", prosody="sad")),
    )


def turns(*speakers: str) -> Timeline:
    """Turns of speakers, each overlapping the next and the last one silent; the first speaks twice at once."""
    spoken = [Segment(0.5 + k / 2, 1.5 + k / 2, answer("angry", 0.6), name) for k, name in enumerate(speakers)]
    first = Segment(0.75, 2, answer("happy", 0.9), speakers[0])
    silent = Segment(5.5, 6, None, speakers[-1])
    return timeline(spoken[0], first, *spoken[1:], silent, turns=True)


def silence() -> Timeline:
    """Nothing is said."""
    return timeline(Segment(0, 6))


def nothing() -> Timeline:
    """No turn was given at all."""
    return timeline(turns=True)


TIMELINES = {
    "plain": plain(),
    "turns": turns("Anna", "Ben"),
    "nasty": turns(*NASTY_NAMES),
    "branches": branches(),
    "silence": silence(),
    "nothing": nothing(),
    "long": timeline(Segment(0, 7000), Segment(7000, 7300.0004, answer("sad")), duration_s=7300.0004),
}
every_timeline = pytest.mark.parametrize("given", TIMELINES.values(), ids=TIMELINES)


def written(form, given: Timeline, path: Path) -> Path:
    stream = io.StringIO(newline="")
    form.write(given, stream)
    path.write_bytes(stream.getvalue().encode("utf-8"))
    return path


def expected_tiers(given: Timeline) -> dict[str, list[tuple[float, float, str]]]:
    """Start, end and text of every interval that is not empty, by the name of its tier."""
    expected = {}
    for tier in tiers(given):
        spans = [(part.start_s, part.end_s, part) for part in tier.segments]
        expected[tier.called("emotion")] = [(a, b, label(part)) for a, b, part in spans]
        expected[tier.called("confidence")] = [
            (a, b, f"{part.prediction.confidence:.3f}") for a, b, part in spans if part.prediction
        ]
    return expected
