"""Kinds of arguments that commands have in common; loads nothing that takes time."""

import argparse
import math


def at_least_one(text: str) -> int:
    """A whole number from 1 on, for `argparse`."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)


def share(text: str) -> float:
    """A number from 0 to 1, for `argparse`."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return number
