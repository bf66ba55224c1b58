"""Reads label tracks of Audacity: one line per label, fields separated by tabs.

0.500000	2.750000	anna: well, yes
2.750000	4.000000	ben

A label is the name of a speaker, or a name, a colon and words. If a label without a colon has more than three words,
all labels without a colon are words. `overtone timeline` writes `anna: happy 81 % | yes`; the emotion is not read.

Source: Audacity manual, "Importing and Exporting Labels".
"""

from collections.abc import Iterator

from overtone._internal.text_encoding import decode_text, split_lines
from overtone.speaker_turns.own_labels import Labelled, split_own_label, split_prefix
from overtone.speaker_turns.turn import Turn, make_turn

SPECTRAL = "\\"  # the start of a second line with the frequencies of a label
MAX_NAME_WORDS = 3


def parse(content: bytes, recording: str) -> Iterator[Turn]:
    """Yield the labels."""
    rows = []
    for number, line in enumerate(split_lines(decode_text(content)), start=1):
        if not line.strip() or line.startswith(SPECTRAL):
            continue
        fields = line.split("\t", 2)
        if len(fields) < 2:
            yield Turn(f"line {number}", error=f"expected start, end and label, separated by tabs, got '{line[:40]}'")
        else:
            rows.append((f"line {number}", fields[0], fields[1], fields[2].strip() if len(fields) > 2 else ""))
    labels = _split_labels([row[3] for row in rows])
    for (position, start, end, _), (speaker, text) in zip(rows, labels, strict=True):
        yield make_turn(position, start, end, speaker, text)


def _split_labels(labels: list[str]) -> list[Labelled]:
    """Return the speaker and the words of each label."""
    own = [found for label in labels if (found := split_own_label(label))]
    if len(own) == len(labels):
        return own
    named = [split_prefix(label) for label in labels]
    others = [label for label, found in zip(labels, named, strict=True) if not found]
    are_names = all(len(label.split()) <= MAX_NAME_WORDS for label in others)
    return [
        found or (Labelled(label, "") if are_names else Labelled("", label))
        for label, found in zip(labels, named, strict=True)
    ]
