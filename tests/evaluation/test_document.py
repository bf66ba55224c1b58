"""Documents: Markdown and HTML have the same content, and all text is escaped."""

import re
from html.parser import HTMLParser

import pytest

from overtone.evaluation.document import Block, Heading, Paragraph, Picture, Strong, Table, to_html, to_markdown

HOSTILE = '<script>alert("1 & 2")</script> | *a* `b` [c](d) \\ _e_\n# f'


def make_document() -> list[Block]:
    return [
        Heading("Scores", level=1),
        Paragraph("UAR first."),
        Table(("Model", "UAR"), (("mel", "61.2"), (Strong("fusion"), Strong("70.1"))), numbers=frozenset({"UAR"})),
        Picture("a.png", "What it shows", b"\x89PNG"),
    ]


def test_markdown() -> None:
    assert to_markdown(make_document()) == (
        "# Scores\n\nUAR first.\n\n"
        "| Model | UAR |\n| --- | ---: |\n| mel | 61.2 |\n| **fusion** | **70.1** |\n\n"
        "![What it shows](figures/a.png)\n"
    )


@pytest.mark.parametrize("start", ["# no heading", "- no list", "12. no list", "+ no list", "> no quote"])
def test_markdown_paragraphs_stay_paragraphs(start: str) -> None:
    assert "\\" in to_markdown([Paragraph(start)])[:4]


def test_markdown_is_escaped() -> None:
    table = to_markdown([Table(("a",), ((HOSTILE,),))])
    assert len(table.splitlines()) == 3
    assert re.findall(r"(?<!\\)[<`*_\[]", table) == []
    assert len(re.findall(r"(?<!\\)\|", table)) == 6


@pytest.mark.parametrize("text", ["60.7 [55.1, 63.9]", "+3.2 [-1.0, +5.1]", "p > 0.05 & more"])
def test_markdown_leaves_intervals_readable(text: str) -> None:
    assert to_markdown([Paragraph(text)]) == f"{text}\n"


@pytest.mark.parametrize("text", ["[1](http://x)", "[1]: http://x", "[1][2]", "[^1]", "&amp;", "<b>"])
def test_markdown_text_creates_no_links_or_entities(text: str) -> None:
    assert to_markdown([Paragraph(text)]).startswith(f"\\{text[0]}")


class PageParser(HTMLParser):
    """Collects tags, attributes and texts, and checks that every tag is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def parse(page: str) -> PageParser:
    parser = PageParser()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def test_html_is_well_formed_and_self_contained() -> None:
    page = parse(to_html(make_document(), "Report"))
    assert {"h1", "p", "table", "figure", "strong"} <= set(page.tags)
    assert ("src", "data:image/png;base64,iVBORw==") in page.attributes
    external = [
        value for name, value in page.attributes if name in ("src", "href") and not str(value).startswith("data:")
    ]
    assert external == []
    assert {"script", "link"}.isdisjoint(page.tags)
    assert page.tags.count("tr") == 3


@pytest.mark.parametrize(
    "block",
    [Heading(HOSTILE), Paragraph(HOSTILE), Table((HOSTILE,), ((Strong(HOSTILE),),)), Picture("a", HOSTILE, b"")],
)
def test_html_is_escaped(block: Block) -> None:
    page = parse(to_html([block], HOSTILE))
    assert "script" not in page.tags
    texts = [*page.texts, *(value or "" for _, value in page.attributes)]
    assert sum(HOSTILE in text for text in texts) >= 2  # the title and the block


def test_rows_of_another_length_are_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        to_html([Table(("a", "b"), (("1",),))], "")
