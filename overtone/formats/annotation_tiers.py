"""Tiers of non-overlapping segments and their labels, shared by the annotation formats, the plots and the HTML player.

A tier is one line of intervals, as in Praat and ELAN. Each known speaker has a tier of their own; overlapping turns of
one speaker go to an additional tier. If each channel is a speaker, one without speech has an empty tier.
"""

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from overtone.annotations.label_texts import BY_PERSON, NO_SPEECH, UNCERTAIN, WRONG
from overtone.annotations.tier_names import CONFIDENCE, DECIDED_BY, EMOTION, MODEL_EMOTION, TEXT
from overtone.formats.branches import branch_emotion, branch_label
from overtone.formats.table import printable
from overtone.timeline import (
    ADAPTED_TO_RECORDING,
    ADAPTED_TO_REFERENCE,
    ADAPTED_TO_SPEAKERS,
    ADAPTED_TO_STREAM,
    NOT_ADAPTED,
    Segment,
    Timeline,
)

MAX_LANES = 24  # of probabilities over time, in a plot or page; models of own labels may have hundreds of classes
ADAPTATION_LABELS = {  # for people, by the value of `Timeline.adaptation`
    NOT_ADAPTED: "",
    ADAPTED_TO_REFERENCE: "adapted to reference clips",
    ADAPTED_TO_RECORDING: "adapted to the recording",
    ADAPTED_TO_SPEAKERS: "adapted to each speaker",
    ADAPTED_TO_STREAM: "adapted to the audio before",
}


@dataclass(frozen=True)
class Tier:
    """Intervals of one speaker.

    Attributes:
        name: unique among the tiers of a timeline, printable on one line; "" for the first tier of an unknown speaker.
        speaker: as the segments name it.
        segments: in order, without overlap.
        number: 1, or that of an additional tier of the same speaker.
    """

    name: str
    speaker: str
    segments: tuple[Segment, ...]
    number: int = 1

    def tier_name(self, content: str) -> str:
        """Return the name of the tier with this content (such as "emotion") of the segments: `content@speaker`.

        That of an additional tier is `content 2@speaker`, which no other speaker can have, whatever the names are.
        """
        numbered = content if self.number == 1 else f"{content} {self.number}"
        return f"{numbered}@{printable(self.speaker)}" if self.speaker else numbered


def make_tiers(timeline: Timeline) -> tuple[Tier, ...]:
    """Return the visible segments in as few tiers without overlap as possible; at least one tier.

    Tiers are in the order in which the speakers first occur, or in that of the channels.
    """
    rows: list[tuple[str, list[Segment]]] = [(channel.speaker, []) for channel in timeline.channels]
    for segment in visible_segments(timeline):
        free_rows = (row for speaker, row in rows if speaker == segment.speaker and _has_space(row, segment))
        row = next(free_rows, None)
        if row is None:
            rows.append((segment.speaker, [segment]))
        else:
            row.append(segment)
    tiers: dict[str, Tier] = {}
    counts: Counter[str] = Counter()
    for speaker, row in rows or [("", [])]:
        name = _unique_name(tiers, printable(speaker))
        counts[printable(speaker)] += 1
        tiers[name] = Tier(name, speaker, tuple(row), counts[printable(speaker)])
    return tuple(tiers.values())


def visible_segments(timeline: Timeline) -> tuple[Segment, ...]:
    """Return the segments to show in an annotation tool: those with speech, and all given speaker turns."""
    return tuple(segment for segment in timeline.segments if segment.is_speech or timeline.turns_given)


def lane_emotions(timeline: Timeline) -> tuple[str, ...]:
    """Return the emotions whose probabilities are drawn over time, in the order of the model: the most probable ones.

    The emotions of all segments come first, then those with the highest mean probability.
    """
    if len(timeline.emotions) <= MAX_LANES:
        return timeline.emotions
    predicted = {segment.emotion for segment in timeline.segments}
    means = np.nan_to_num(timeline.tracks.probabilities).sum(axis=0)
    ranks = dict(zip(timeline.emotions, means, strict=True))
    chosen = sorted(timeline.emotions, key=lambda name: (name in predicted, ranks[name]), reverse=True)[:MAX_LANES]
    return tuple(name for name in timeline.emotions if name in chosen)


def label(segment: Segment) -> str:
    """Return the label of a segment on one line: "happy", "uncertain (happy)", "wrong (happy)" or "no speech"."""
    if segment.by_person:
        return printable(segment.label) or WRONG.format(printable(segment.model_emotion) or NO_SPEECH)
    if segment.prediction is None:
        return NO_SPEECH
    emotion = printable(segment.prediction.emotion)
    return UNCERTAIN.format(emotion) if segment.prediction.uncertain else emotion


def label_with_confidence(segment: Segment) -> str:
    """Return the label with the confidence: "happy 81 %"; with who decided it if that is a person: "sad (person)"."""
    if segment.label:
        return BY_PERSON.format(label(segment))
    if segment.prediction is None or segment.by_person:
        return label(segment)
    return f"{label(segment)} {100 * segment.prediction.confidence:.0f} %"


def is_hatched(segment: Segment) -> bool:
    """Return whether a segment is drawn hatched: it has an uncertain prediction, and no person decided its emotion."""
    return segment.prediction is not None and segment.prediction.uncertain and not segment.by_person


def confidence_text(segment: Segment) -> str:
    """Return the confidence of the prediction with three decimals; "" without speech."""
    return f"{segment.prediction.confidence:.3f}" if segment.prediction else ""


def words(segment: Segment) -> str:
    """Return the words of a segment on one line. Joiners and marks of direction stay, unlike in `printable` names."""
    return "".join(char if unicodedata.category(char) == "Cf" else printable(char) for char in segment.text)


def has_words(timeline: Timeline) -> bool:
    """Return whether a visible segment has words."""
    return any(segment.text for segment in visible_segments(timeline))


def has_decisions(timeline: Timeline) -> bool:
    """Return whether a person decided the emotion of a visible segment."""
    return any(segment.by_person for segment in visible_segments(timeline))


TIER_TEXTS: dict[str, Callable[[Segment], str]] = {  # content of a tier, as its name says -> text of a segment
    EMOTION: label,
    CONFIDENCE: confidence_text,
    TEXT: words,
    DECIDED_BY: lambda segment: segment.decided_by,
    MODEL_EMOTION: lambda segment: printable(segment.model_emotion),
}


def tier_contents(timeline: Timeline) -> tuple[str, ...]:
    """Return the keys of `TIER_TEXTS` that a timeline has something to write for; `EMOTION` is the first one."""
    optional = {TEXT: has_words(timeline), **dict.fromkeys((DECIDED_BY, MODEL_EMOTION), has_decisions(timeline))}
    return tuple(content for content in TIER_TEXTS if optional.get(content, True))


def branch_labels(segment: Segment) -> str:
    """Return the emotion of each branch, such as "parts disagree: spectrum happy 80 %, melody sad 60 %"; "" if none."""
    prediction = segment.prediction
    if prediction is None:
        return ""
    labels = [
        f"{branch_label(name)} {printable(branch_emotion(prediction, name))} {100 * np.max(values):.0f} %"
        for name, values in prediction.branches.items()
    ]
    return " · ".join(labels) if prediction.branches_agree else f"parts disagree: {', '.join(labels)}"


def span_ms(segment: Segment) -> tuple[int, int]:
    """Return the start and end of a segment in whole milliseconds; the end is at least 1 ms after the start."""
    start_ms = round(1000 * segment.start_s)
    return start_ms, max(round(1000 * segment.end_s), start_ms + 1)


def format_clock(time_s: float, digits: int = 0) -> str:
    """Return a time as a media player shows it: 0:07, 1:02:03; rounded down to `digits` decimals of a second."""
    units = int(time_s * 10**digits + 1e-6)
    seconds, fraction = divmod(units, 10**digits)
    minutes, hours = seconds // 60 % 60, seconds // 3600
    prefix = f"{hours}:{minutes:02}" if hours else f"{minutes}"
    return f"{prefix}:{seconds % 60:02}" + (f".{fraction:0{digits}}" if digits else "")


def _has_space(row: list[Segment], segment: Segment) -> bool:
    """Return whether a segment starts after all segments of a row."""
    return not row or span_ms(segment)[0] >= span_ms(row[-1])[1]


def _unique_name(used: Iterable[str], name: str) -> str:
    """Return the name, with a number appended if it is already used."""
    used_names, number, unique = set(used), 1, name
    while unique in used_names:
        number += 1
        unique = f"{name} {number}".lstrip()
    return unique
