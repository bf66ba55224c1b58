"""Reads the TextGrid of Praat: one interval tier per speaker, named after the speaker.

Intervals with a text are turns, and the text is their words; in a tier that is called `speaker` or the like, it is the
name of the speaker, and tiers besides it are not read. Nor are tiers of words, sounds or notes. The tiers of `overtone
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
    filled = [(tier.name, found) for tier in tiers if (found := labelled_intervals(tier))]
    with_speakers = {name for name, found in filled if has_speaker_names(name, [each.text for each in found.values()])}
    others = other_tiers([name for name, _ in filled], with_speakers)
    yield from others.hints
    for name, intervals in filled:
        if name not in others.names:
            for position, (start, end, text) in intervals.items():
                yield make_turn(position, start, end, *((text, "") if name in with_speakers else (name, text)))
