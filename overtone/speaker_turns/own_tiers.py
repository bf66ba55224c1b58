"""Reads the tiers that `overtone.formats.textgrid` writes: `emotion@anna`, `confidence@anna` and perhaps `text@anna`.

Each interval of a tier `emotion` is a turn of its speaker; the interval of the tier `text` at the same time has its
words. Overlapping turns of a speaker are in additional tiers, such as `emotion 2@anna`. Without names, the speaker is
unknown.
"""

from collections.abc import Iterator, Sequence

from overtone.annotations.tier_names import CONFIDENCE, DECIDED_BY, EMOTION, TEXT, split_tier_name
from overtone.speaker_turns.turn import Turn, clean_text, make_turn

Intervals = Sequence[tuple[str | float, str | float, str]]  # start, end and text


def are_own(names: Sequence[str]) -> bool:
    """Return whether tiers with these names are those of a timeline: each emotion has a confidence."""
    found = [split_tier_name(name) for name in names]
    emotions, confidences = ({name[1:] for name in found if name.content == key} for key in (EMOTION, CONFIDENCE))
    return bool(emotions) and emotions == confidences and all(name.content for name in found)


def read_own_tiers(tiers: Sequence[tuple[str, Intervals]]) -> Iterator[Turn]:
    """Yield the turns in tiers: name and intervals of each."""
    by_name = {split_tier_name(name): intervals for name, intervals in tiers}
    for name, intervals in tiers:
        found = split_tier_name(name)
        if found.content != EMOTION:
            continue
        texts, deciders = (
            {(start, end): text for start, end, text in by_name.get(found._replace(content=content), ())}
            for content in (TEXT, DECIDED_BY)
        )
        for number, (start, end, emotion) in enumerate(intervals, start=1):
            if emotion.strip():
                position = f"tier '{name}', interval {number}"
                turn = make_turn(position, start, end, found.speaker, texts.get((start, end), ""))
                yield turn._replace(label=clean_text(emotion), decided_by=deciders.get((start, end), "").strip())
