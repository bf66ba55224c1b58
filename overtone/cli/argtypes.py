"""Argument types for `argparse` that several commands share; imports nothing that is slow to load."""

import argparse
import math
import re
from collections.abc import Callable

from overtone.channels import parse_channel
from overtone.each_channel import parse_channel_or_each, parse_names
from overtone.errors import OptionError


def int_at_least(minimum: int) -> Callable[[str], int]:
    """Return an argument type that accepts whole numbers from `minimum` on."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and int(text) >= minimum):
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {minimum}, got {text!r}")
        return int(text)

    return parse


def positive_int(text: str) -> int:
    """Return the whole number in a text, at least 1."""
    return int_at_least(1)(text)


def fraction(text: str) -> float:
    """Return the number in a text, from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 1, got {text!r}")
    return number


def names(text: str) -> tuple[str, ...]:
    """Return the names in a text, which are separated by commas or spaces.

    As in CSV, a name with commas or spaces is in double quotes, and a double quote in it is doubled.
    """
    found = re.findall(r'"((?:[^"]|"")*)"(?=[\s,]|$)|([^\s,]+)', text)
    return tuple(quoted.replace('""', '"') or plain for quoted, plain in found)


def channel(text: str) -> str:
    """Return the channel in a text, as `overtone.each_channel.parse_channel_or_each` does."""
    try:
        return parse_channel_or_each(text)
    except OptionError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("channel: ")) from error


def single_channel(text: str) -> str:
    """Return the channel in a text, as `overtone.channels.parse_channel` does."""
    try:
        return parse_channel(text)
    except OptionError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("channel: ")) from error


def channel_names(text: str) -> tuple[str, ...]:
    """Return the names in a text, as `overtone.each_channel.parse_names` does."""
    try:
        return parse_names(text)
    except OptionError as error:
        raise argparse.ArgumentTypeError(str(error).removeprefix("channel names: ")) from error


def positive_seconds(text: str) -> float:
    """Return the finite number of seconds in a text, above 0."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return seconds


def seconds(text: str) -> float:
    """Return the finite number of seconds in a text, 0 or more."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number of seconds from 0 on, got {text!r}")
    return number
