"""Texts that a spreadsheet would run are quoted, numbers are not, and reading gives the same text again."""

import pytest

from overtone._internal.spreadsheet_text import quote_formula, unquote_formula


@pytest.mark.parametrize(
    "text", ["=1+1", "+4917012345", "-A", "-1+1", "-1;2", "-", "--1", "-1.2.3", "-1\n", "@x", "\tx", "-²", "-1e5"]
)
def test_what_may_be_a_formula_is_quoted(text: str) -> None:
    assert quote_formula(text) == f"'{text}"
    assert unquote_formula(f"'{text}") == text


@pytest.mark.parametrize("text", ["-0.5", "-2", "-3,25", "0.5", "", "a-b", "'a", "Köln"])
def test_numbers_and_other_texts_stay(text: str) -> None:
    assert unquote_formula(quote_formula(text)) == quote_formula(text) == text
