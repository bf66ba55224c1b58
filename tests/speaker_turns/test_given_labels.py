"""The label of a turn in the output of `overtone timeline`: its class, who decided it, or none."""

import pytest

from overtone.speaker_turns.given_labels import GivenLabel, parse_given_label
from overtone.speaker_turns.turn import Turn


@pytest.mark.parametrize(
    ("label", "decided_by", "expected"),
    [
        ("Anger", "", GivenLabel("angry")),
        ("happy", " Person", GivenLabel("happy", by_person=True)),
        ("happy", "model", GivenLabel("happy")),
        ("sad (person)", "", GivenLabel("sad", by_person=True)),
        ("Very  tired (Person)", "model", GivenLabel("Very tired", by_person=True)),
        ("(person)", "", GivenLabel("(person)")),
        ("wrong (happy)", "person", GivenLabel("", by_person=True)),
        ("Wrong (no speech) (person)", "", GivenLabel("", by_person=True)),
        ("uncertain (sad)", "person", GivenLabel()),
        ("No speech", "", GivenLabel()),
        ("", "person", GivenLabel()),
    ],
)
def test_a_label_says_what_a_person_decided(label: str, decided_by: str, expected: GivenLabel) -> None:
    assert parse_given_label(Turn("line 1", label=label, decided_by=decided_by)) == expected


def test_a_label_that_is_no_class_is_a_fault() -> None:
    assert parse_given_label(Turn("line 7", label="a\x07b")).fault.startswith("line 7: ")
