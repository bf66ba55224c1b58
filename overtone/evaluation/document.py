"""Headings, paragraphs, tables and pictures -> Markdown or one self-contained HTML page.

A document is a list of blocks of plain text; escaping is done here and nowhere else. `Strong` marks text to stand out.
"""

import base64
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

# An interval such as [60.7, 63.9] reads better bare, and is no link as long as no bracket or colon follows.
MARKDOWN_SIGNS = re.compile(r"([\\`*_<|~]|&(?=#?\w+;)|\[(?![-+\d., ]+\](?![(\[:])))")
MARKDOWN_LINE_START = re.compile(r"^(\d*)([#>]|[+-](?=\s)|[=-]+$|(?<=\d)[.)](?=\s))")
BLANKS = re.compile(r"\s+")

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #d9dee5; --back: #ffffff; --band: #f5f7fa; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ee; --soft: #9aa5b4; --line: #38414d; --back: #14181e; --band: #1c222a; }
}
body { max-width: 62rem; margin: 2.5rem auto; padding: 0 1.25rem; background: var(--back); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; } h2 { margin-top: 2.6rem; } h3 { margin-top: 1.8rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 0.92rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.35rem 0.8rem; border-bottom: 1px solid var(--line); text-align: left; }
th { border-bottom-width: 2px; color: var(--soft); font-weight: 600; vertical-align: bottom; }
td.number, th.number { text-align: right; white-space: nowrap; }
tbody tr:nth-child(even) { background: var(--band); }
figure { margin: 1.6rem 0; } figcaption { color: var(--soft); font-size: 0.92rem; }
img { max-width: 100%; height: auto; border-radius: 6px; }
"""


class Strong(str):
    """Text that stands out."""


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 6."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Plain text."""

    text: str


@dataclass(frozen=True)
class Table:
    """A header and rows of as many cells; columns whose name is in `numbers` are set flush right."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Picture:
    """A PNG with its file name (without folder) and what it shows."""

    name: str
    caption: str
    png: bytes


Block = Heading | Paragraph | Table | Picture


def to_markdown(blocks: Sequence[Block], pictures: str = "figures") -> str:
    """The document as GitHub-flavoured Markdown.

    Args:
        blocks: the document.
        pictures: folder of the pictures, as seen from the Markdown file.
    """
    return "\n\n".join(_markdown(block, pictures) for block in blocks) + "\n"


def to_html(blocks: Sequence[Block], title: str) -> str:
    """The document as one HTML page that loads nothing from elsewhere: pictures lie inside, there are no scripts."""
    body = "\n".join(_html(block) for block in blocks)
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _markdown(block: Block, pictures: str) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {_markdown_text(text)}"
        case Paragraph(text):
            return MARKDOWN_LINE_START.sub(r"\1\\\2", _markdown_text(text))
        case Picture(name, caption, _):
            return f"![{_markdown_text(caption)}]({pictures}/{name})"
        case Table(header, rows, numbers):
            rule = ["---:" if name in numbers else "---" for name in header]
            lines = [[_markdown_text(cell) for cell in row] for row in (header, *rows)]
            return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))


def _markdown_text(text: str) -> str:
    escaped = MARKDOWN_SIGNS.sub(r"\\\1", BLANKS.sub(" ", text).strip())
    return f"**{escaped}**" if isinstance(text, Strong) else escaped


def _html(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{_html_text(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{_html_text(text)}</p>"
        case Picture(_, caption, png):
            source = f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
            shown = html.escape(caption)
            return f'<figure><img src="{source}" alt="{shown}"><figcaption>{shown}</figcaption></figure>'
        case Table():
            return _html_table(block)


def _html_table(table: Table) -> str:
    marks = [' class="number"' if name in table.numbers else "" for name in table.header]
    head = "".join(f"<th{mark}>{_html_text(cell)}</th>" for cell, mark in zip(table.header, marks, strict=True))
    rows = (
        "".join(f"<td{mark}>{_html_text(cell)}</td>" for cell, mark in zip(row, marks, strict=True))
        for row in table.rows
    )
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def _html_text(text: str) -> str:
    escaped = html.escape(text)
    return f"<strong>{escaped}</strong>" if isinstance(text, Strong) else escaped
