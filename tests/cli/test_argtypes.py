"""`names`: class names in one option, separated by commas or spaces, quoted as in CSV."""

import pytest

from overtone.cli.argtypes import names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("happy,sad angry", ("happy", "sad", "angry")),
        (" , ", ()),
        ('happy,"very sure",غاضب', ("happy", "very sure", "غاضب")),
        ('"very, ""satisfied""",sad', ('very, "satisfied"', "sad")),
        ('5"2,"a', ('5"2', '"a')),
    ],
)
def test_names_are_separated_by_commas_or_spaces(text: str, expected: tuple[str, ...]) -> None:
    assert names(text) == expected
