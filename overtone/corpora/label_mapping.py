r"""Relabels utterances, so that corpora with different classes can be compared, and own labels become classes.

A label map is one of `overtone.emotions.LABEL_MAPS`, or a TOML file with a line per label of the data:

    frustrated = "angry"                    # the label and its class: a known emotion or an own class
    "very, \"satisfied\"" = "satisfied"     # a label with other characters than a-z, 0-9, - and _ is quoted
    neutral = "neutral"                     # keeps the label
    noise = false                           # drops the clips with this label

Clips with a label that the file does not name are dropped too. Case and whitespace of labels are ignored.
"""

import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from overtone.datatypes import Utterance
from overtone.emotions import LABEL_MAPS, LabelMap, get_label_map, label_key, list_classes, order_classes, parse_label
from overtone.errors import CorpusError, InputError, OptionError

LABEL_FILE_SUFFIX = ".toml"
EXAMPLE = '"own label" = "class", or false to drop it'


def read_label_map(name: str) -> LabelMap:
    """Return a label map: the one of `LABEL_MAPS` with this name, or the one in a TOML file.

    Raises:
        OptionError: no such map, or the file cannot be read, is not TOML, names a label twice, has a value that is no
            class, or has fewer than two classes; the message names the file and the remedy.
    """
    if name in LABEL_MAPS or not name.lower().endswith(LABEL_FILE_SUFFIX):
        return get_label_map(name)
    try:
        table = tomllib.loads(Path(name).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        if isinstance(error, OSError):
            raise OptionError(f"{name}: label map cannot be read: {error.strerror or error}") from error
        raise OptionError(f"{name}: not TOML ({error}); write a line per label, such as: {EXAMPLE}") from error
    return _parse_label_file(name, table)


def _parse_label_file(source: str, table: dict[str, object]) -> LabelMap:
    """Return label -> class; labels with the value false are left out."""
    label_of: dict[str, str] = {}  # comparison key -> label in the file
    spelling_of: dict[str, str] = {}  # comparison key -> first spelling of a class
    label_map: dict[str, str] = {}
    for text, value in table.items():
        try:
            label = parse_label(text)
            if value is not False and not isinstance(value, str):
                raise InputError(f"its value is neither a class nor false; write: {EXAMPLE}")
            if label_of.setdefault(label_key(label), text) != text:
                raise InputError(f"'{label_of[label_key(label)]}' is the same label; keep one of the two lines")
            if value is not False:
                name = parse_label(value)
                label_map[label] = spelling_of.setdefault(label_key(name), name)
        except InputError as error:
            raise OptionError(f"{source}, label {text!r}: {error}") from error
    if len(spelling_of) < 2:
        found = list_classes(list(spelling_of.values())) or "none"
        raise OptionError(f"{source}: needs at least two classes, got {found}; write a line per label: {EXAMPLE}")
    return label_map


def apply_label_map(
    utterances: Iterable[Utterance], label_map: LabelMap
) -> tuple[tuple[Utterance, ...], dict[str, int]]:
    """Return the utterances whose emotion is in a label map, with the class it assigns to them.

    Args:
        utterances: of any corpora.
        label_map: such as `overtone.emotions.LABEL_MAPS["4-classes"]`; labels in any case.

    Returns:
        The relabelled utterances in their original order, and emotion -> number of dropped utterances, in the order of
        `overtone.emotions.order_classes`.
    """
    class_of = {label_key(label): name for label, name in label_map.items()}
    relabelled: list[Utterance] = []
    dropped: Counter[str] = Counter()
    for utterance in utterances:
        name = class_of.get(label_key(utterance.emotion))
        if name is None:
            dropped[utterance.emotion] += 1
        else:
            relabelled.append(replace(utterance, emotion=name))
    return tuple(relabelled), {emotion: dropped[emotion] for emotion in order_classes(dropped)}


def present_emotions(utterances: Sequence[Utterance]) -> tuple[str, ...]:
    """The classes of these clips: the known emotions in their order, then own classes as they first occur.

    Raises:
        CorpusError: fewer than two.
    """
    present = order_classes(utterance.emotion for utterance in utterances)
    if len(present) < 2:
        raise CorpusError(f"training needs clips of at least two emotions, got {', '.join(present) or 'no clip'}")
    return present


def unused_labels(utterances: Sequence[Utterance], label_map: LabelMap) -> tuple[str, ...]:
    """Return the labels of a label map that no utterance has, in the order of the map."""
    present = {label_key(utterance.emotion) for utterance in utterances}
    return tuple(label for label in label_map if label_key(label) not in present)


def merge_spellings(utterances: Iterable[Utterance]) -> tuple[Utterance, ...]:
    """Return the utterances with one spelling per class: labels that differ only in case get the first of them."""
    spelling_of: dict[str, str] = {}
    merged = []
    for utterance in utterances:
        name = spelling_of.setdefault(label_key(utterance.emotion), utterance.emotion)
        merged.append(utterance if utterance.emotion == name else replace(utterance, emotion=name))
    return tuple(merged)
