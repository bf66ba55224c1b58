"""Reads the tiers that `overtone.formats.textgrid` writes: `emotion@anna`, `confidence@anna` and perhaps `text@anna`.

Each interval of a tier `emotion` is a turn of its speaker; the interval of the tier `text` at the same time has its
words. Overlapping turns of a speaker are in additional tiers, such as `emotion 2@anna`. Without names, the speaker is
unknown.
"""

from collections.abc import Iterator, Sequence

from overtone.annotations.textgrid_file import IntervalTier, texts_by_time
from overtone.annotations.tier_names import CONFIDENCE, DECIDED_BY, EMOTION, TEXT, split_tier_name
from overtone.speaker_turns.turn import Turn, clean_text, make_turn


def have_own(tiers: Sequence[IntervalTier]) -> bool:
    """Return whether there are tiers of a timeline among these: tiers of emotions, each with one of confidences."""
    found = [split_tier_name(tier.name) for tier in tiers]
    emotions, confidences = ({name[1:] for name in found if name.content == key} for key in (EMOTION, CONFIDENCE))
    return bool(emotions) and emotions == confidences


def read_own_tiers(tiers: Sequence[IntervalTier]) -> Iterator[Turn]:
    """Yield the turns in the tiers of a timeline; tiers that a person added, such as notes, are not read."""
    for tier in tiers:
        found = split_tier_name(tier.name)
        if found.content != EMOTION:
            continue
        texts, deciders = (texts_by_time(tiers, found._replace(content=content)) for content in (TEXT, DECIDED_BY))
        for number, (start, end, emotion) in enumerate(tier.intervals, start=1):
            if emotion.strip():
                position = f"tier '{tier.name}', interval {number}"
                turn = make_turn(position, start, end, found.speaker, texts.get((start, end), ""))
                yield turn._replace(label=clean_text(emotion), decided_by=deciders.get((start, end), ""))
