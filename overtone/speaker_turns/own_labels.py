"""The labels that `overtone.formats` writes, so that they are not taken for words: "happy 81 %", "no speech"."""

import re
from typing import NamedTuple

TEXT_SEPARATOR = " | "  # between the label and the words of an Audacity label
LABEL = r"(?:(?:(?!: | \| ).)+ \d{1,3} %|no speech)"
WHOLE_LABEL = re.compile(LABEL)
PREFIXED_LABEL = re.compile(rf"(?:^|: ){LABEL}(?:$|{re.escape(TEXT_SEPARATOR)})")
WORDS_OF_A_NAME = 4


class Labelled(NamedTuple):
    """The speaker and the words of a label."""

    speaker: str
    text: str


def is_label(text: str) -> bool:
    """Return whether a line is a label with its confidence."""
    return WHOLE_LABEL.fullmatch(text) is not None


def split_own_label(label: str) -> Labelled | None:
    """Return the speaker and the words of "anna: happy 81 % | yes"; None if it is another kind of label."""
    match = PREFIXED_LABEL.search(label)
    return Labelled(label[: match.start()], label[match.end() :]) if match else None


def split_prefix(line: str) -> Labelled | None:
    """Return the speaker and the words of "anna: yes" or "[anna]: yes"; None for a line without a name in front."""
    name, colon, text = line.partition(":")
    name = name.strip()
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    is_name = colon and name and len(name.split()) <= WORDS_OF_A_NAME and (not text or text[0].isspace())
    return Labelled(name, text.strip()) if is_name else None
