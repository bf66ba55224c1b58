"""Texts in tables for spreadsheets, which run a text that begins with one of these characters as a formula."""

import re

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
NEGATIVE_NUMBER = re.compile(r"-\d{1,15}([.,]\d{1,15})?", re.ASCII)  # a value such as a rating, which stays a number
QUOTE = "'"


def quote_formula(text: str) -> str:
    """Return a text as a spreadsheet shows it: behind an apostrophe if it would be a formula."""
    is_formula = text.startswith(FORMULA_STARTS) and not NEGATIVE_NUMBER.fullmatch(text)
    return f"{QUOTE}{text}" if is_formula else text


def unquote_formula(text: str) -> str:
    """Return the text that `quote_formula` was given."""
    return text[1:] if text.startswith(QUOTE) and text[1:].startswith(FORMULA_STARTS) else text
