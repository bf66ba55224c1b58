"""Error messages on stderr, one line each, and the error of an option that only the model can check."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from overtone.errors import OptionError, OvertoneError
from overtone.formats.table import printable

BOX_DRAWING = re.compile("[\u2500-\u257f]")


class UsageError(OvertoneError):
    """An invalid option that the parser cannot detect; the exit code is that of all invalid options."""


@contextmanager
def usage_errors() -> Iterator[None]:
    """Raise an `OptionError` of this block as a `UsageError`."""
    try:
        yield
    except OptionError as error:
        raise UsageError(str(error)) from error


def print_error(message: str) -> None:
    """Print a message on stderr as a single line that starts with `overtone: `."""
    print(f"overtone: {single_line(message)}", file=sys.stderr)


def single_line(message: str) -> str:
    """Return a message on one line: list items joined by `; `, tree drawings by spaces, control characters escaped.

    A message starts with a file name and a colon; a line break within that name becomes an escape sequence.
    """
    name, colon, text = re.match(r"(.*?)(:(?=\s)|$)(.*)", message, re.DOTALL).groups()  # type: ignore[union-attr]
    if not colon:
        name, text = "", message
    first, *others = text.split("\n")
    line = name + colon + first.rstrip()
    for other in filter(str.strip, others):
        is_drawing = BOX_DRAWING.search(other)
        separator = " " if is_drawing or line.endswith((":", "expected")) else "; "
        line += separator + (" ".join(other.split()) if is_drawing else other.strip())
    return printable(line)
