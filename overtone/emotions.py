"""The emotion classes and their order, which is the order of every probability vector in Overtone.

The first eight are those of RAVDESS, in the order of its file names (01 neutral ... 08 surprised); classes of other
corpora follow. A model trained on other classes stores its own list, always a subsequence of this one.

Corpora differ in their classes. A corpus reader returns every class of its corpus; to compare corpora, apply a label
map of `LABEL_MAPS`. A map drops the classes it does not name, and merges classes only where its name says so.
"""

from collections.abc import Mapping

from overtone.errors import InputError, OptionError, suggest

EMOTIONS: tuple[str, ...] = (
    "neutral",
    "calm",
    "happy",
    "sad",
    "angry",
    "fearful",
    "disgust",
    "surprised",
    "bored",
)

# Other spellings of the same class. Different classes (calm and neutral, say) are never merged here.
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
    "boredom": "bored",
}

# Class names of corpora -> the nearest class here. Corpus readers use this; user-written manifests do not: the author
# of "pleasant surprise" should choose the class.
CORPUS_SYNONYMS: dict[str, str] = {
    "pleasant surprise": "surprised",  # TESS; it has no other surprise
    "anxiety": "fearful",  # EmoDB: "Angst", which is both fear and anxiety
}

# Class -> its place from low (0) to high (1) arousal, and from negative (0) to positive (1) valence. Classes that have
# no place are absent: disgust may be excited or not, a surprise may be good or bad.
AROUSAL: dict[str, float] = {
    **dict.fromkeys(("happy", "angry", "fearful", "surprised"), 1.0),
    **dict.fromkeys(("neutral", "calm", "sad", "bored"), 0.0),
}
VALENCE: dict[str, float] = {
    "happy": 1.0,
    **dict.fromkeys(("neutral", "calm"), 0.5),
    **dict.fromkeys(("sad", "angry", "fearful", "disgust"), 0.0),
}

LabelMap = Mapping[str, str]  # emotion of a clip -> its class; unnamed emotions are dropped


def _label_map(*names: str, **merged: str) -> LabelMap:
    return {name: merged.get(name, name) for name in EMOTIONS if name in names or name in merged}


FOUR = ("neutral", "happy", "sad", "angry")
SIX = (*FOUR, "fearful", "disgust")
SEVEN = (*SIX, "surprised")

LABEL_MAPS: dict[str, LabelMap] = {
    "4-classes": _label_map(*FOUR),
    "4-classes-calm-as-neutral": _label_map(*FOUR, calm="neutral"),
    "4-classes-calm-and-bored-as-neutral": _label_map(*FOUR, calm="neutral", bored="neutral"),
    "6-classes": _label_map(*SIX),
    "6-classes-calm-as-neutral": _label_map(*SIX, calm="neutral"),
    "7-classes": _label_map(*SEVEN),
    "7-classes-calm-as-neutral": _label_map(*SEVEN, calm="neutral"),
}


def parse_emotion(label: str) -> str:
    """Return the emotion that `label` spells; case and surrounding whitespace are ignored.

    Raises:
        InputError: `label` spells no emotion; the message names the most similar one.
    """
    name = label.strip().lower()
    name = SPELLINGS.get(name, name)
    if name not in EMOTIONS:
        raise InputError(f"unknown emotion '{label}'{suggest(name, [*EMOTIONS, *SPELLINGS])}")
    return name


def get_label_map(name: str) -> LabelMap:
    """Return the label map of `LABEL_MAPS` with this name.

    Raises:
        OptionError: there is no such map; the message names the most similar one.
    """
    if name not in LABEL_MAPS:
        raise OptionError(f"no label map is called '{name}'{suggest(name, LABEL_MAPS)}")
    return LABEL_MAPS[name]
