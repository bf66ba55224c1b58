"""The vocabulary of emotions and its order: the order of every probability vector in Overtone.

The eight are those of RAVDESS, in the order of its file names (01 neutral ... 08 surprised). A model trained on other
classes carries its own list, always a subsequence of this one.
"""

from overtone.errors import InputError, nearest

EMOTIONS: tuple[str, ...] = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")

# Other spellings of the very same class. Different classes (calm and neutral, say) are never merged here.
SPELLINGS: dict[str, str] = {
    "neutrality": "neutral",
    "calmness": "calm",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "anger": "angry",
    "fear": "fearful",
    "disgusted": "disgust",
    "surprise": "surprised",
}


def emotion_named(label: str) -> str:
    """The emotion of the vocabulary that `label` spells, whatever its case and surrounding blanks.

    Raises:
        InputError: no emotion is spelled so; the message names the nearest one.
    """
    name = label.strip().lower()
    name = SPELLINGS.get(name, name)
    if name not in EMOTIONS:
        raise InputError(f"unknown emotion '{label}'{nearest(name, [*EMOTIONS, *SPELLINGS])}")
    return name
