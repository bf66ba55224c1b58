"""Reads the TextGrid of Praat: one interval tier per speaker, named after the speaker.

Intervals with a text are turns, and the text is their words; in a tier that is called `speaker` or the like, it is the
name of the speaker. Tiers of words, sounds or notes are not read. The tiers of `overtone
timeline` are read by `overtone.speaker_turns.own_tiers`. `overtone.annotations.textgrid_file` reads the file.
"""

from collections.abc import Iterator

from overtone.annotations.textgrid_file import labelled_intervals, read_tiers
from overtone.annotations.tier_names import has_speaker_names
from overtone.speaker_turns.own_tiers import have_own, read_own_tiers
from overtone.speaker_turns.speaker_tiers import other_tiers
from overtone.speaker_turns.turn import Turn, make_turn


def parse(content: bytes, recording: str) -> Iterator[Turn]:
    """Yield the intervals that have a text."""
    tiers = read_tiers(content)
    if have_own(tiers):
        yield from read_own_tiers(tiers)
        return
    others = other_tiers([tier.name for tier in tiers if any(interval.text.strip() for interval in tier.intervals)])
    yield from others.hints
    for tier in tiers:
        if tier.name in others.names:
            continue
        are_names = has_speaker_names(tier.name, [interval.text for interval in tier.intervals])
        for position, (start, end, text) in labelled_intervals(tier).items():
            yield make_turn(position, start, end, *((text, "") if are_names else (tier.name, text)))
