"""Reads the tiers that `overtone.formats.textgrid` writes: `emotion@anna`, `confidence@anna` and perhaps `text@anna`.

Each interval of a tier `emotion` is a turn of its speaker; the interval of the tier `text` at the same time has its
words, or the one that it overlaps if a person has moved an edge. A person may have removed the other tiers. Overlapping
turns of a speaker are in additional tiers, such as `emotion 2@anna`. Without names, the speaker is unknown.
"""

from collections.abc import Iterator, Sequence

from overtone.annotations.overlapping_texts import joined_texts, overlapping_texts
from overtone.annotations.textgrid_file import IntervalTier, emotion_tiers
from overtone.annotations.tier_names import CONFIDENCE, DECIDED_BY, EMOTION, TEXT, split_tier_name
from overtone.speaker_turns.turn import Turn, clean_text, make_turn


def have_own(tiers: Sequence[IntervalTier]) -> bool:
    """Return whether tiers of a timeline are among these: of emotions with confidences, or without any other tier."""
    found = [split_tier_name(tier.name) for tier in tiers]
    emotions, confidences = ({name[1:] for name in found if name.content == key} for key in (EMOTION, CONFIDENCE))
    return bool(emotions & confidences) or (bool(emotions) and all(name.content for name in found))


def read_own_tiers(tiers: Sequence[IntervalTier]) -> Iterator[Turn]:
    """Yield the turns in the tiers of a timeline; tiers that a person added, such as notes, are not read."""
    for name, positions, intervals in emotion_tiers(tiers):
        texts = joined_texts(tiers, name._replace(content=TEXT), intervals)
        deciders = overlapping_texts(tiers, name._replace(content=DECIDED_BY), intervals)
        for position, (start, end, emotion), text, decider in zip(positions, intervals, texts, deciders, strict=True):
            turn = make_turn(position, start, end, name.speaker, text)
            yield turn._replace(label=clean_text(emotion), decided_by=decider)
