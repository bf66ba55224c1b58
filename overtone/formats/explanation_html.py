"""Explanations as one HTML page without scripts: sentences, and tables with a bar per part, for any browser."""

from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files
from typing import TextIO

from overtone.explanation import Contribution, Explanation
from overtone.formats.explanation_words import describe, format_frequencies, format_times, percent, sign_text
from overtone.formats.palette import BLUE, ORANGE
from overtone.formats.table import emotion_label, printable

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = f"""
table {{ border-collapse: collapse; margin: 0.5rem 0 1rem; }}
caption {{ text-align: left; font-weight: 600; }}
th {{ font-weight: normal; text-align: left; padding-right: 1rem; white-space: nowrap; }}
td {{ padding: 0 0.5rem 0 0; }}
svg {{ display: block; width: 16rem; height: 1rem; background: var(--band); }}
.for {{ fill: {ORANGE}; }} .against {{ fill: {BLUE}; }} .unreliable {{ opacity: 0.4; }}
"""
NOTE = (
    "A bar to the right speaks for the class, to the left against it; the number is the change of the log-odds. A "
    "question mark stands where the ways of leaving a part out disagree. The explanation is about the model, not about "
    "the person."
)


def write(explanations: Iterable[Explanation], stream: TextIO) -> None:
    """Write the page."""
    look = files("overtone.formats").joinpath("look.css").read_text("utf-8")
    stream.write(
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>Explanation</title>\n'
        f"<style>{look}{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>What made the predictions</h1>\n<p>{NOTE}</p>\n"
    )
    for explanation in explanations:
        stream.write("\n".join(_section(explanation)) + "\n")
    stream.write("</main>\n</body>\n</html>\n")


def _section(explanation: Explanation) -> list[str]:
    prediction = explanation.prediction
    confidence = f" {percent(prediction.confidence)} %" if explanation.spans else ""
    title = f"{printable(prediction.source)}: {emotion_label(prediction)}{confidence}"
    lines = ["<section>", f"<h2>{escape(title)}</h2>", *(f"<p>{escape(text)}</p>" for text in describe(explanation))]
    spans = [(format_times(part.start_s, part.end_s), part) for part in explanation.spans]
    bands = [(format_frequencies(part.low_hz, part.high_hz), part) for part in explanation.bands]
    properties = [(part.name, part) for part in explanation.properties]
    for caption, rows in (("Time", spans), ("Frequencies", bands), ("Properties", properties)):
        lines += _table(caption, rows) if rows else []
    return [*lines, "</section>"]


def _table(caption: str, rows: Sequence[tuple[str, Contribution]]) -> list[str]:
    largest = max(abs(part.value) for _, part in rows) or 1.0
    lines = [f"<table><caption>{caption}</caption>"]
    lines += [
        f'<tr><th scope="row">{escape(label)}</th><td>{_bar(part, largest)}</td><td>{sign_text(part)}</td></tr>'
        for label, part in rows
    ]
    return [*lines, "</table>"]


def _bar(part: Contribution, largest: float) -> str:
    """Return a drawing of 200 x 10 units with a bar from its middle."""
    width = 100 * abs(part.value) / largest
    kind = ("for" if part.value > 0 else "against") + ("" if part.is_reliable else " unreliable")
    left = 100.0 if part.value > 0 else 100 - width
    return (
        '<svg viewBox="0 0 200 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="{kind}" x="{left:.1f}" y="1" width="{width:.1f}" height="8"/>'
        '<rect x="99.5" width="1" height="10" fill="currentColor"/></svg>'
    )
