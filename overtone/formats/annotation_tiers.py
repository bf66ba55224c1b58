"""Segments -> tiers without overlap, and their words: what the forms of annotation tools and pictures share.

A tier is one line of intervals, as Praat and ELAN draw it. Where speakers are known each has one; turns of one speaker
that overlap go to a second.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from overtone.formats.table import UNSURE, printable
from overtone.timeline import Segment, Timeline

NO_SPEECH = "no speech"


@dataclass(frozen=True)
class Tier:
    """Intervals of one speaker.

    Attributes:
        name: unlike that of every other tier, on one line; "" for the first one of an unknown speaker.
        speaker: who speaks in it, as the segments say.
        segments: in order, without overlap.
    """

    name: str
    speaker: str
    segments: tuple[Segment, ...]

    def called(self, content: str) -> str:
        """What a tier with this content (say "emotion") of these segments is called: `content@name`, as in ELAN."""
        return f"{content}@{self.name}" if self.name else content


def tiers(timeline: Timeline) -> tuple[Tier, ...]:
    """All that is said, and every turn that was given, in as few tiers as have no overlap; at least one.

    They are in the order in which speakers are first heard.
    """
    rows: list[tuple[str, list[Segment]]] = []
    for segment in visible_segments(timeline):
        free = (row for speaker, row in rows if speaker == segment.speaker and _after(segment, row[-1]))
        row = next(free, None)
        if row is None:
            rows.append((segment.speaker, [segment]))
        else:
            row.append(segment)
    named: dict[str, Tier] = {}
    for speaker, row in rows or [("", [])]:
        name = _unlike(named, printable(speaker))
        named[name] = Tier(name, speaker, tuple(row))
    return tuple(named.values())


def visible_segments(timeline: Timeline) -> tuple[Segment, ...]:
    """The segments that an annotation tool shows: those in which something is said, and every turn that was given."""
    return tuple(part for part in timeline.segments if part.is_speech or timeline.turns_given)


def label(segment: Segment) -> str:
    """What is heard in a segment: "happy", "uncertain (happy)" or "no speech"; on one line."""
    if segment.prediction is None:
        return NO_SPEECH
    emotion = printable(segment.prediction.emotion)
    return UNSURE.format(emotion) if segment.prediction.uncertain else emotion


def label_with_confidence(segment: Segment) -> str:
    """The same with the confidence: "happy 81 %"."""
    return (
        label(segment)
        if segment.prediction is None
        else f"{label(segment)} {100 * segment.prediction.confidence:.0f} %"
    )


def branch_labels(segment: Segment) -> str:
    """What each branch hears, and whether they disagree: "mel happy 80 % ≠ prosody sad 60 %"; "" for no branches."""
    if segment.prediction is None:
        return ""
    between = " · " if segment.prediction.branches_agree else " ≠ "
    return between.join(
        f"{name} {printable(segment.prediction.emotions[int(np.argmax(values))])} {100 * np.max(values):.0f} %"
        for name, values in segment.prediction.branches.items()
    )


def span_ms(segment: Segment) -> tuple[int, int]:
    """Where a segment begins and ends in whole milliseconds, never at the same one."""
    start = round(1000 * segment.start_s)
    return start, max(round(1000 * segment.end_s), start + 1)


def format_clock(time_s: float, digits: int = 0) -> str:
    """A time as a player counts it: 0:07, 1:02:03; with so many digits of a second, none rounded up."""
    units = int(time_s * 10**digits + 1e-6)
    seconds, part = divmod(units, 10**digits)
    minutes, hours = seconds // 60 % 60, seconds // 3600
    start = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{start}:{seconds % 60:02}" + (f".{part:0{digits}}" if digits else "")


def _after(segment: Segment, other: Segment) -> bool:
    return span_ms(segment)[0] >= span_ms(other)[1]


def _unlike(names: Iterable[str], name: str) -> str:
    """The name, with a number where there is such a name already."""
    taken, number, unlike = set(names), 1, name
    while unlike in taken:
        number += 1
        unlike = f"{name} {number}".lstrip()
    return unlike
