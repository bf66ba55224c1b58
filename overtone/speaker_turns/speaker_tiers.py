"""Which tiers of a TextGrid or ELAN file are those of speakers."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from overtone.annotations.tier_names import is_of_speaker
from overtone.speaker_turns.turn import MAX_LISTED, Turn


class OtherTiers(NamedTuple):
    """The tiers that are not those of speakers: their names, and a hint that names them, if there are any."""

    names: frozenset[str]
    hints: tuple[Turn, ...]


def other_tiers(names: Sequence[str], with_speakers: Collection[str] = ()) -> OtherTiers:
    """Return which tiers are of words, sounds, notes or emotions, and not of speakers.

    Args:
        names: of the tiers that are not empty.
        with_speakers: those of them whose texts are the names of the speakers; if there are any, the others have words.

    Raises:
        ValueError: none is that of a speaker.
    """
    found = [name for name in names if (name not in with_speakers if with_speakers else not is_of_speaker(name))]
    if not found:
        return OtherTiers(frozenset(), ())
    listed = ", ".join(f"'{name}'" for name in found[:MAX_LISTED])
    if len(found) == len(names):
        raise ValueError(f"its tiers {listed} are not those of speakers; name a tier with the turns after each speaker")
    return OtherTiers(
        frozenset(found), (Turn("", hint=f"the tiers {listed} are not read: they are not those of speakers"),)
    )
