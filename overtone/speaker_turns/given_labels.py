"""The labels in a TextGrid or ELAN file that `overtone timeline` wrote and that a person may have corrected."""

from typing import NamedTuple

from overtone.agreement import PERSON
from overtone.annotations.label_texts import WRONG, has_form, names_no_emotion, split_person
from overtone.emotions import parse_label
from overtone.errors import InputError
from overtone.speaker_turns.turn import Turn


class GivenLabel(NamedTuple):
    """The label of a turn.

    Attributes:
        name: a class as `overtone.emotions.parse_label` returns it; "" for a prediction that a person marked as wrong;
            None if the turn has no label: it is uncertain, or without speech.
        by_person: whether the file says that a person decided it.
        fault: why the label cannot be used; "" if it can.
    """

    name: str | None = None
    by_person: bool = False
    fault: str = ""


def parse_given_label(turn: Turn) -> GivenLabel:
    """Return the label of a turn."""
    label, says_person = split_person(turn.label)
    by_person = says_person or turn.decided_by.strip().lower() == PERSON
    if has_form(label, WRONG):
        return GivenLabel("", by_person)
    if not label or names_no_emotion(label):
        return GivenLabel()
    try:
        return GivenLabel(parse_label(label), by_person)
    except InputError as error:
        return GivenLabel(fault=f"{turn.position}: {error}")
