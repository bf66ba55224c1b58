"""The labels that `overtone.formats` writes, so that they are not taken for words: "happy 81 %", "sad (person)"."""

import re
from typing import NamedTuple

TEXT_SEPARATOR = " | "  # between the label and the words of an Audacity label
EMOTION = r"(?:(?!: | \| ).)+"
LABEL = rf"(?:{EMOTION} (?:\d{{1,3}} %|\(person\))|wrong \({EMOTION}\)|no speech)"
PREFIXED_LABEL = re.compile(rf"(?:^|: ){LABEL}(?:$|{re.escape(TEXT_SEPARATOR)})")
LABEL_LINE = re.compile(rf"(?:(.*): )?{LABEL}")
WORDS_OF_A_NAME = 4
CHANGE = re.compile(r"(?:>>+|&gt;&gt;|[-\u2013\u2014\u2022](?=\s))\s*")  # in front of a speaker: ">> anna: yes"
COLON = re.compile("[:\uff1a]")


class Labelled(NamedTuple):
    """The speaker and the words of a label."""

    speaker: str
    text: str


def split_own_label(label: str) -> Labelled | None:
    """Return the speaker and the words of "anna: happy 81 % | yes"; None if it is another kind of label."""
    match = PREFIXED_LABEL.search(label)
    return Labelled(label[: match.start()], label[match.end() :]) if match else None


def split_label_line(line: str) -> str | None:
    """Return the speaker of the line "anna: happy 81 %", "" without one; None if it is another kind of line."""
    match = LABEL_LINE.fullmatch(line)
    return (match[1] or "") if match else None


def split_prefix(line: str) -> Labelled | None:
    """Return the speaker and the words of "anna: yes", "[anna]: yes" or ">> anna: yes"; None for other lines."""
    change = CHANGE.match(line)
    name, *rest = COLON.split(line[change.end() :] if change else line, maxsplit=1)
    name = name.strip()
    if name.startswith("[") and name.endswith("]"):
        name = name[1:-1]
    text = rest[0] if rest else ""
    is_separated = not text or text[0].isspace() or "\uff1a" in line[: len(line) - len(text)]
    is_name = bool(rest) and name and len(name.split()) <= WORDS_OF_A_NAME and is_separated
    return Labelled(name, text.strip()) if is_name else None


def starts_speaker(line: str) -> bool:
    """Return whether a line has a sign in front of a speaker, as in ">> anna: yes"."""
    return CHANGE.match(line) is not None
