"""A timeline as Praat TextGrid, in the long text format.

    item [1]:
        class = "IntervalTier"
        name = "emotion"
        xmin = 0
        xmax = 4
        intervals: size = 2
        intervals [1]:
            xmin = 0
            xmax = 1
            text = ""
        intervals [2]:
            xmin = 1
            xmax = 4
            text = "happy"

Tiers are `emotion` and `confidence`; where speakers are known each has both: `emotion@Anna`, `confidence@Anna`.
Intervals in which nothing is said are empty; a turn that was given but is silent reads `no speech`.

Source: Praat manual, "TextGrid file formats".
"""

from collections.abc import Callable
from typing import TextIO

from overtone.formats.annotation_tiers import Tier, label, tiers
from overtone.timeline import Segment, Timeline

SUFFIX = ".TextGrid"
DIGITS = 6  # of a second: finer than a sample

Interval = tuple[float, float, str]


def write(timeline: Timeline, stream: TextIO) -> None:
    """Writes two interval tiers per tier of the timeline, each covering the whole recording."""
    parts = [(tier, content) for tier in tiers(timeline) for content in CONTENTS]
    stream.write('File type = "ooTextFile"\nObject class = "TextGrid"\n\n')
    stream.write(f"xmin = 0\nxmax = {_number(timeline.duration_s)}\ntiers? <exists>\nsize = {len(parts)}\nitem []:\n")
    for number, (tier, content) in enumerate(parts, start=1):
        intervals = _intervals(tier, CONTENTS[content], round(timeline.duration_s, DIGITS))
        stream.write(f'    item [{number}]:\n        class = "IntervalTier"\n')
        stream.write(f"        name = {_quoted(tier.called(content))}\n")
        stream.write(f"        xmin = 0\n        xmax = {_number(timeline.duration_s)}\n")
        stream.write(f"        intervals: size = {len(intervals)}\n")
        for place, (start_s, end_s, text) in enumerate(intervals, start=1):
            stream.write(f"        intervals [{place}]:\n            xmin = {_number(start_s)}\n")
            stream.write(f"            xmax = {_number(end_s)}\n            text = {_quoted(text)}\n")


def _confidence(segment: Segment) -> str:
    return f"{segment.prediction.confidence:.3f}" if segment.prediction else ""


CONTENTS: dict[str, Callable[[Segment], str]] = {"emotion": label, "confidence": _confidence}


def _intervals(tier: Tier, content: Callable[[Segment], str], duration_s: float) -> list[Interval]:
    """The tier from 0 to `duration_s`, what lies between its segments empty."""
    found: list[Interval] = []
    reached_s = 0.0
    for segment in tier.segments:
        start_s, end_s = max(round(segment.start_s, DIGITS), reached_s), round(segment.end_s, DIGITS)
        if start_s > reached_s:
            found.append((reached_s, start_s, ""))
        if end_s > start_s:
            found.append((start_s, end_s, content(segment)))
            reached_s = end_s
    if duration_s > reached_s:
        found.append((reached_s, duration_s, ""))
    return found


def _number(seconds: float) -> str:
    return f"{seconds:.{DIGITS}f}".rstrip("0").rstrip(".")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
