"""Texts in tables for spreadsheets, which run a text that begins with one of these characters as a formula."""

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
QUOTE = "'"


def quote_formula(text: str) -> str:
    """Return a text as a spreadsheet shows it: behind an apostrophe if it would be a formula."""
    return f"{QUOTE}{text}" if text.startswith(FORMULA_STARTS) else text


def unquote_formula(text: str) -> str:
    """Return the text that `quote_formula` was given."""
    return text[1:] if text.startswith(QUOTE) and text[1:].startswith(FORMULA_STARTS) else text
