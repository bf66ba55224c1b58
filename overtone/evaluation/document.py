"""Documents of headings, paragraphs, tables and pictures, rendered as Markdown or a self-contained HTML page.

A document is a list of blocks of plain text; only this module escapes text. `Strong` marks emphasised text.
"""

import base64
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

# An interval such as [60.7, 63.9] stays unescaped for readability: without a following bracket or colon it is no link.
MARKDOWN_SPECIALS = re.compile(r"([\\`*_<|~]|&(?=#?\w+;)|\[(?![-+\d., ]+\](?![(\[:])))")
MARKDOWN_LINE_START = re.compile(r"^(\d*)([#>]|[+-](?=\s)|[=-]+$|(?<=\d)[.)](?=\s))")
WHITESPACE = re.compile(r"\s+")

STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5b6675; --line: #d9dee5; --back: #ffffff; --band: #f5f7fa; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8ee; --soft: #9aa5b4; --line: #38414d; --back: #14181e; --band: #1c222a; }
}
body { max-width: 64rem; margin: 2.5rem auto; padding: 0 1.25rem; background: var(--back); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; } h2 { margin-top: 2.6rem; } h3 { margin-top: 1.8rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.35rem 0.5rem; border-bottom: 1px solid var(--line); text-align: left; }
th { border-bottom-width: 2px; color: var(--soft); font-weight: 600; vertical-align: bottom; }
td.number, th.number { text-align: right; } td.number { white-space: nowrap; }
tbody tr:nth-child(even) { background: var(--band); }
figure { margin: 1.6rem 0; } figcaption { color: var(--soft); font-size: 0.92rem; }
img { max-width: 100%; height: auto; border-radius: 6px; }
"""


class Strong(str):
    """Emphasised text (bold)."""


@dataclass(frozen=True)
class Heading:
    """A heading of level 1 to 6."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """A paragraph of plain text."""

    text: str


@dataclass(frozen=True)
class Table:
    """A table whose rows have as many cells as the header; columns named in `numbers` are right-aligned."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Picture:
    """A PNG image with its file name (without folder) and its caption."""

    name: str
    caption: str
    png: bytes


Block = Heading | Paragraph | Table | Picture


def to_markdown(blocks: Sequence[Block], pictures: str = "figures") -> str:
    """Return the document as GitHub-flavoured Markdown.

    Args:
        blocks: the document.
        pictures: folder of the pictures, relative to the Markdown file.
    """
    return "\n\n".join(_block_to_markdown(block, pictures) for block in blocks) + "\n"


def to_html(blocks: Sequence[Block], title: str) -> str:
    """Return the document as one self-contained HTML page: pictures are embedded, and there are no scripts."""
    body = "\n".join(_block_to_html(block) for block in blocks)
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def _block_to_markdown(block: Block, pictures: str) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {_escape_markdown(text)}"
        case Paragraph(text):
            return MARKDOWN_LINE_START.sub(r"\1\\\2", _escape_markdown(text))
        case Picture(name, caption, _):
            return f"![{_escape_markdown(caption)}]({pictures}/{name})"
        case Table(header, rows, numbers):
            rule = ["---:" if name in numbers else "---" for name in header]
            lines = [[_escape_markdown(cell) for cell in row] for row in (header, *rows)]
            return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))


def _escape_markdown(text: str) -> str:
    escaped = MARKDOWN_SPECIALS.sub(r"\\\1", WHITESPACE.sub(" ", text).strip())
    return f"**{escaped}**" if isinstance(text, Strong) else escaped


def _block_to_html(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{_escape_html(text)}</h{level}>"
        case Paragraph(text):
            return f"<p>{_escape_html(text)}</p>"
        case Picture(_, caption, png):
            source = f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
            text = html.escape(caption)
            return f'<figure><img src="{source}" alt="{text}"><figcaption>{text}</figcaption></figure>'
        case Table():
            return _table_to_html(block)


def _table_to_html(table: Table) -> str:
    classes = [' class="number"' if name in table.numbers else "" for name in table.header]
    head = "".join(f"<th{css}>{_escape_html(cell)}</th>" for cell, css in zip(table.header, classes, strict=True))
    rows = (
        "".join(f"<td{css}>{_escape_html(cell)}</td>" for cell, css in zip(row, classes, strict=True))
        for row in table.rows
    )
    body = "\n".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table></div>'


def _escape_html(text: str) -> str:
    escaped = html.escape(text)
    return f"<strong>{escaped}</strong>" if isinstance(text, Strong) else escaped
