"""Reads the tiers that `overtone.formats.textgrid` writes: `emotion@anna`, `confidence@anna` and perhaps `text@anna`.

Each interval of a tier `emotion` is a turn of its speaker; the interval of the tier `text` at the same time has its
words. Overlapping turns of a speaker are in additional tiers, `emotion@anna 2`: a tier belongs to the speaker `anna` if
there are tiers of that speaker before and each of its intervals overlaps one of theirs.
"""

import re
from collections.abc import Iterator, Sequence

from overtone.speaker_turns.turn import Turn, make_turn

EMOTION, CONFIDENCE, TEXT = "emotion", "confidence", "text"
ADDITIONAL = re.compile(r"(.*?) ?(\d+)")

Intervals = Sequence[tuple[str | float, str | float, str]]  # start, end and text


def are_own(names: Sequence[str]) -> bool:
    """Return whether tiers with these names are those of a timeline: each emotion has a confidence."""
    emotions = {name.partition("@")[2] for name in names if _content(name) == EMOTION}
    confidences = {name.partition("@")[2] for name in names if _content(name) == CONFIDENCE}
    return bool(names) and {_content(name) for name in names} <= {EMOTION, CONFIDENCE, TEXT} and emotions == confidences


def read_own_tiers(tiers: Sequence[tuple[str, Intervals]]) -> Iterator[Turn]:
    """Yield the turns in tiers: name and intervals of each."""
    by_name = dict(tiers)
    speakers: dict[str, list[tuple[float, float]]] = {}  # speaker -> times of the turns
    for name, intervals in tiers:
        if _content(name) != EMOTION:
            continue
        label = name.partition("@")[2]
        texts = {(start, end): text for start, end, text in by_name.get(TEXT + name.removeprefix(EMOTION), ())}
        turns = [
            make_turn(f"tier '{name}', interval {number}", start, end, None, texts.get((start, end), ""))
            for number, (start, end, emotion) in enumerate(intervals, start=1)
            if emotion.strip()
        ]
        spans = [(turn.start_s, turn.end_s) for turn in turns if not turn.error]
        speaker = _speaker(label, spans, speakers)
        speakers.setdefault(speaker, []).extend(spans)
        yield from (turn._replace(speaker=speaker) for turn in turns)


def _speaker(label: str, spans: list[tuple[float, float]], speakers: dict[str, list[tuple[float, float]]]) -> str:
    """Return the speaker of a tier: its label, or the label without its number if the tier is an additional one."""
    match = ADDITIONAL.fullmatch(label)
    base = speakers.get(match[1]) if match and match[2] != "1" else None
    if match and base is not None and spans and all(_overlaps(span, base) for span in spans):
        return match[1]
    return label


def _overlaps(span: tuple[float, float], others: list[tuple[float, float]]) -> bool:
    return any(start < span[1] and span[0] < end for start, end in others)


def _content(name: str) -> str:
    return name.partition("@")[0]
