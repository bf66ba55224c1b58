"""The names of the tiers that `overtone timeline` writes: `emotion@anna`, `confidence@anna` and perhaps `text@anna`.

Without a name, the speaker is unknown. Additional tiers of a speaker have a number: `emotion 2@anna`.
"""

import re
from typing import NamedTuple

EMOTION, CONFIDENCE, TEXT = "emotion", "confidence", "text"
DECIDED_BY, MODEL_EMOTION = "decided by", "model emotion"  # where a person has decided some of the emotions
TIER_NAME = re.compile(rf"({EMOTION}|{CONFIDENCE}|{TEXT}|{DECIDED_BY}|{MODEL_EMOTION})( \d+)?(?:@(.*))?", re.DOTALL)


class TierName(NamedTuple):
    """What the name of a tier says; the content is "" if `overtone timeline` writes no such name."""

    content: str
    number: str = ""
    speaker: str = ""


def split_tier_name(name: str) -> TierName:
    """Return the content, such as "emotion", the number and the speaker of a tier."""
    match = TIER_NAME.fullmatch(name)
    return TierName(match[1], match[2] or "", match[3] or "") if match else TierName("")
