"""The labels in a TextGrid or ELAN file that `overtone timeline` wrote and that a person may have corrected."""

from typing import NamedTuple

from overtone.agreement import PERSON
from overtone.emotions import parse_label
from overtone.errors import InputError
from overtone.speaker_turns.turn import Turn

NO_SPEECH = "no speech"  # as `overtone.formats` writes it
UNCERTAIN, WRONG = ("uncertain (", ")"), ("wrong (", ")")


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
    by_person = turn.decided_by.strip().lower() == PERSON
    text = turn.label.lower()
    if not text or text == NO_SPEECH or _is_in(text, UNCERTAIN):
        return GivenLabel()
    if _is_in(text, WRONG):
        return GivenLabel("", by_person)
    try:
        return GivenLabel(parse_label(turn.label), by_person)
    except InputError as error:
        return GivenLabel(fault=f"{turn.position}: {error}")


def _is_in(text: str, frame: tuple[str, str]) -> bool:
    return text.startswith(frame[0]) and text.endswith(frame[1])
