"""Reads the TextGrid of Praat: one interval tier per speaker, named after the speaker.

Intervals with a text are turns, and the text is their words. The tiers of `overtone timeline` are read by
`overtone.speaker_turns.own_tiers`. `overtone.annotations.textgrid_file` reads the file.
"""

from collections.abc import Iterator

from overtone.annotations.textgrid_file import read_tiers
from overtone.speaker_turns.own_tiers import have_own, read_own_tiers
from overtone.speaker_turns.turn import Turn, make_turn


def parse(content: bytes, recording: str) -> Iterator[Turn]:
    """Yield the intervals that have a text."""
    tiers = read_tiers(content)
    if have_own(tiers):
        yield from read_own_tiers(tiers)
        return
    for tier in tiers:
        for number, (start, end, text) in enumerate(tier.intervals, start=1):
            if text.strip():
                yield make_turn(f"tier '{tier.name}', interval {number}", start, end, tier.name, text)
