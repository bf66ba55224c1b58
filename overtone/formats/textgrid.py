"""A timeline as a Praat TextGrid, in the long text format.

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

The tiers are `emotion` and `confidence`; each known speaker has both: `emotion@Anna`, `confidence@Anna`. If the words
of a segment are known, there are tiers `text` too; if a person decided an emotion, tiers `decided by` (model or person)
and `model emotion`, the prediction. Intervals without speech are empty; a given speaker turn without
speech reads `no speech`.

Source: Praat manual, "TextGrid file formats".
"""

from collections.abc import Callable
from typing import TextIO

from overtone.formats.annotation_tiers import TIER_TEXTS, Tier, make_tiers, tier_contents
from overtone.timeline import Segment, Timeline

DIGITS = 6  # decimals of a second: finer than a sample

Interval = tuple[float, float, str]


def write(timeline: Timeline, stream: TextIO) -> None:
    """Write two to five interval tiers per tier of the timeline; each covers the whole recording."""
    tiers = [(tier, content) for tier in make_tiers(timeline) for content in tier_contents(timeline)]
    stream.write('File type = "ooTextFile"\nObject class = "TextGrid"\n\n')
    stream.write(f"xmin = 0\nxmax = {_number(timeline.duration_s)}\ntiers? <exists>\nsize = {len(tiers)}\nitem []:\n")
    for tier_number, (tier, content) in enumerate(tiers, start=1):
        intervals = _intervals(tier, TIER_TEXTS[content], round(timeline.duration_s, DIGITS))
        stream.write(f'    item [{tier_number}]:\n        class = "IntervalTier"\n')
        stream.write(f"        name = {_quote(tier.tier_name(content))}\n")
        stream.write(f"        xmin = 0\n        xmax = {_number(timeline.duration_s)}\n")
        stream.write(f"        intervals: size = {len(intervals)}\n")
        for number, (start_s, end_s, text) in enumerate(intervals, start=1):
            stream.write(f"        intervals [{number}]:\n            xmin = {_number(start_s)}\n")
            stream.write(f"            xmax = {_number(end_s)}\n            text = {_quote(text)}\n")


def _intervals(tier: Tier, content: Callable[[Segment], str], duration_s: float) -> list[Interval]:
    """Return the intervals of the tier from 0 to `duration_s`, with empty ones in the gaps between segments."""
    intervals: list[Interval] = []
    position_s = 0.0
    for segment in tier.segments:
        start_s, end_s = max(round(segment.start_s, DIGITS), position_s), round(segment.end_s, DIGITS)
        if start_s > position_s:
            intervals.append((position_s, start_s, ""))
        if end_s > start_s:
            intervals.append((start_s, end_s, content(segment)))
            position_s = end_s
    if duration_s > position_s:
        intervals.append((position_s, duration_s, ""))
    return intervals


def _number(seconds: float) -> str:
    return f"{seconds:.{DIGITS}f}".rstrip("0").rstrip(".")


def _quote(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
