"""The names of the tiers that `overtone timeline` writes: `emotion@anna`, `confidence@anna` and perhaps `text@anna`.

Without a name, the speaker is unknown. Additional tiers of a speaker have a number: `emotion 2@anna`.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

MAX_NAME_WORDS = 3
EMOTION, CONFIDENCE, TEXT = "emotion", "confidence", "text"
DECIDED_BY, MODEL_EMOTION = "decided by", "model emotion"  # where a person has decided some of the emotions
TIER_NAME = re.compile(rf"({EMOTION}|{CONFIDENCE}|{TEXT}|{DECIDED_BY}|{MODEL_EMOTION})( \d+)?(?:@(.*))?", re.DOTALL)

# Tiers that aligners and people add to those of speakers: "words", "anna - phones", "words@anna", "Anna's notes".
# A word in the singular behind a blank is part of a name, as in "Anna, by phone" or "Thi Mau".
CONTENTS = r"word|phone|phoneme|syllable|note|comment"
MAUS = r"(?-i:(?:ORT-|KAN-)?MAU)"  # of the aligner WebMAUS
NO_SPEAKER = re.compile(
    rf"(?:(?:.*[-_@/]\s*)?(?:(?:{CONTENTS})s?|{MAUS})|.*\s(?:{CONTENTS})s)(?:@.*)?", re.IGNORECASE | re.DOTALL
)
OF_SPEAKERS = ("speaker", "speakers", "spk", "diarization", "diarisation", "turns", "sprecher", "locuteur")


class TierName(NamedTuple):
    """What the name of a tier says; the content is "" if `overtone timeline` writes no such name."""

    content: str
    number: str = ""
    speaker: str = ""


def split_tier_name(name: str) -> TierName:
    """Return the content, such as "emotion", the number and the speaker of a tier."""
    match = TIER_NAME.fullmatch(name)
    return TierName(match[1], match[2] or "", match[3] or "") if match else TierName("")


def is_of_speaker(name: str) -> bool:
    """Return whether a tier may be that of a speaker: not of words, sounds, notes or emotions."""
    content = split_tier_name(name).content
    return content in ("", TEXT) and NO_SPEAKER.fullmatch(name.strip()) is None


def has_speaker_names(name: str, texts: Sequence[str]) -> bool:
    """Return whether the texts of a tier are names of speakers: it is called so, and they are short."""
    return name.strip().lower() in OF_SPEAKERS and all(len(text.split()) <= MAX_NAME_WORDS for text in texts)
