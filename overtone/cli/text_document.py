"""A document of headings, paragraphs and tables as text for a terminal."""

import textwrap
from collections.abc import Iterable, Sequence

from overtone.evaluation.document import Block, Heading, Paragraph, Picture, Table
from overtone.formats.table import display_width

WIDTH = 100


def to_text(blocks: Iterable[Block]) -> str:
    """Return a document as text, with an empty line between its blocks."""
    return "\n\n".join(map(_block_to_text, blocks)) + "\n"


def _block_to_text(block: Block) -> str:
    match block:
        case Heading(text):
            return text
        case Paragraph(text):
            return textwrap.fill(text, WIDTH, break_on_hyphens=False, break_long_words=False)
        case Picture(_, caption, _):
            return caption
        case Table(header, rows, numbers):
            lines = [header, *rows]
            widths = [max(display_width(line[column]) for line in lines) for column in range(len(header))]
            is_number = [name in numbers for name in header]
            return "\n".join(_line(line, widths, is_number) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int], is_number: Sequence[bool]) -> str:
    padded = []
    for cell, width, right in zip(cells, widths, is_number, strict=True):
        space = " " * (width - display_width(cell))
        padded.append(space + cell if right else cell + space)
    return "  ".join(padded).rstrip()
