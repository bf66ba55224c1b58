"""The emotion classes and their order, which is the order of every probability vector in Overtone.

The first eight are those of RAVDESS, in the order of its file names (01 neutral ... 08 surprised); classes of other
corpora follow. A manifest may have labels of its own, such as `frustrated`: own classes, which follow the known
emotions. A model stores the list of its classes, in the order of `order_classes`.

Corpora differ in their classes. A corpus reader returns every class of its corpus; to compare corpora, apply a label
map of `LABEL_MAPS`. A map drops the classes it does not name, and merges classes only where its name says so.
"""

import difflib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from operator import ne

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

# Other words for the classes, for hints alone: in a table they may be classes of their own.
MEANINGS: dict[str, str] = {
    **dict.fromkeys(("scared", "afraid", "frightened", "terrified"), "fearful"),
    **dict.fromkeys(("mad", "furious"), "angry"),
    **dict.fromkeys(("joyful", "cheerful"), "happy"),
    **dict.fromkeys(("unhappy", "sorrowful"), "sad"),
    **dict.fromkeys(("astonished", "amazed"), "surprised"),
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


# Characters that reverse the order of the text around them: a label with one would garble the line it is printed on.
DIRECTION_OVERRIDES = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
MIN_PREFIX = 3  # letters of an abbreviation
MIN_SIMILARITY = 0.75  # of a label to a known emotion, for a hint; "angri" and "hapy" are above, "satisfied" is below
MAX_LISTED_CLASSES = 20  # in a message


def parse_emotion(label: str) -> str:
    """Return the emotion that `label` spells; case and surrounding whitespace are ignored.

    Raises:
        InputError: `label` spells no emotion; the message names the most similar one.
    """
    name = label_key(label)
    name = SPELLINGS.get(name, name)
    if name not in EMOTIONS:
        raise InputError(f"unknown emotion '{label}'{suggest_emotion(name, [*EMOTIONS, *SPELLINGS])}")
    return name


def parse_label(label: str) -> str:
    """Return the class that `label` names: the known emotion that it spells, or else an own class.

    The name of an own class is the label with each run of whitespace, such as a line break, replaced by one blank, and
    none at its ends. The result is its own label.

    Raises:
        InputError: the label is empty, or has a control character.
    """
    name = unicodedata.normalize("NFC", " ".join(label.split()))  # two codings of one letter are one class
    if not name:
        raise InputError("the label is empty; name the class of the clip, or remove the row")
    for char in name:
        if unicodedata.category(char) in ("Cc", "Cs") or unicodedata.bidirectional(char) in DIRECTION_OVERRIDES:
            raise InputError(f"the label {name!a} has the control character U+{ord(char):04X}; remove it")
    key = label_key(name)
    known = SPELLINGS.get(key, key)
    return known if known in EMOTIONS else name


def label_key(label: str) -> str:
    """Return what two labels of one class have in common: labels that differ only in case or whitespace are equal."""
    return unicodedata.normalize("NFC", " ".join(label.split()).casefold())


def order_classes(labels: Iterable[str]) -> tuple[str, ...]:
    """Return the distinct classes: the known emotions in the order of `EMOTIONS`, then the others as they first occur.

    Args:
        labels: as `parse_label` returns them, in any order and number.
    """
    distinct = tuple(dict.fromkeys(labels))
    return (*(name for name in EMOTIONS if name in distinct), *(name for name in distinct if name not in EMOTIONS))


def is_class_list(names: Sequence[object]) -> bool:
    """Return whether these are the classes of a model: at least one, each once, in the order of `order_classes`."""
    texts = [name for name in names if isinstance(name, str)]
    return len(texts) == len(names) > 0 and order_classes(texts) == tuple(names) and all(map(_is_label, texts))


def find_class(name: str, classes: Sequence[str]) -> str | None:
    """Return the class of a model that a user names: exactly, in another case, or in another spelling; else None."""
    if name in classes:
        return name
    key = label_key(name)
    keys = (key, SPELLINGS.get(key, key))
    return next((found for found in classes if label_key(found) in keys), None)


def similar_emotion(label: str) -> str | None:
    """Return the known emotion that a label of an own class resembles so closely that it may be a typo; else None."""
    key, known = label_key(label), [*EMOTIONS, *SPELLINGS]
    close = difflib.get_close_matches(key, known, n=1, cutoff=MIN_SIMILARITY)
    meant = _abbreviated(key, known) or next(iter(close), "")
    return SPELLINGS.get(meant, meant) or None


def _abbreviated(key: str, known: Sequence[str]) -> str:
    """Return the shortest of the names that a text is the start of, if they spell one class: "neu"; else ""."""
    starting = [name for name in known if len(key) >= MIN_PREFIX and name.startswith(key)]
    return min(starting, key=len) if len({SPELLINGS.get(name, name) for name in starting}) == 1 else ""


def _differs_in_one_letter(name: str, key: str) -> bool:
    """Return whether two words of one length have the same letters but one, which is not the first."""
    return name[:1] == key[:1] and sum(map(ne, name, key)) == 1


def suggest_emotion(label: str, known: Sequence[str]) -> str:
    """Return the hint of `overtone.errors.suggest`, by the meaning of a label rather than its letters alone.

    Args:
        label: what the user wrote, such as "scared", "angri" or "neu".
        known: the classes or labels that exist.
    """
    key = label_key(label)
    meant = MEANINGS.get(key) or SPELLINGS.get(key) or _abbreviated(key, known)
    # A wrong letter in a short word, but not the first one: "sat" for "sad", and "bad" is another word.
    meant = meant or next(
        (name for name in sorted(known) if len(name) == len(key) and _differs_in_one_letter(name, key)), ""
    )
    return f"; did you mean '{meant}'?" if meant in known else suggest(key, known, MIN_SIMILARITY)


def list_classes(names: Sequence[str], most: int | None = MAX_LISTED_CLASSES) -> str:
    """Return class names as text, separated by commas: those with a comma are quoted.

    Args:
        names: the classes.
        most: number of classes that are named; None for all.
    """
    shown = [f"'{name}'" if "," in name else name for name in names[:most]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _is_label(name: str) -> bool:
    try:
        return parse_label(name) == name
    except InputError:
        return False


def get_label_map(name: str) -> LabelMap:
    """Return the label map of `LABEL_MAPS` with this name.

    Raises:
        OptionError: there is no such map; the message names the most similar one.
    """
    if name not in LABEL_MAPS:
        raise OptionError(f"no label map is called '{name}'{suggest(name, LABEL_MAPS)}")
    return LABEL_MAPS[name]
