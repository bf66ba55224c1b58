"""What went wrong, as one line on stderr, wherever the words come from."""

import re
import sys

from overtone.formats.table import printable

BOX_DRAWING = re.compile("[\u2500-\u257f]")


def print_error(message: str) -> None:
    """Prints a message on stderr, on one line that begins with the name of the program."""
    print(f"overtone: {single_line(message)}", file=sys.stderr)


def single_line(message: str) -> str:
    """A message on one line: a list as `a; b; c`, a drawing as it is, and the rest as escapes.

    A message begins with the name of a file and a colon; a line break in that name is an escape, not the end of a line.
    """
    name, colon, text = re.match(r"(.*?)(:(?=\s)|$)(.*)", message, re.DOTALL).groups()  # type: ignore[union-attr]
    if not colon:
        name, text = "", message
    first, *others = text.split("\n")
    line = name + colon + first.rstrip()
    for other in filter(str.strip, others):
        is_drawn = BOX_DRAWING.search(other)
        glue = " " if is_drawn or line.endswith((":", "expected")) else "; "
        line += glue + (" ".join(other.split()) if is_drawn else other.strip())
    return printable(line)
