"""Answers as a table for people, as wide as the terminal.

file                          emotion    confidence        runner-up       mel        prosody    pitch   syllables
Actor_01/03-01-03-02-01.wav   happy      ██████▌     65 %  surprised 12 %  happy      angry      212 Hz      4.1 /s

An answer with less confidence than is asked for reads `uncertain (happy)`. Where the terminal is narrow, columns are
left out from the right, and long file names lose their beginning. Characters that would move the cursor or hide
(control characters, bidirectional marks) are shown as escapes.
"""

import shutil
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TextIO

import numpy as np

from overtone.datatypes import Prediction

GAP = "  "
WIDTH_WITHOUT_TERMINAL = 120
NARROWEST_FILE = 16
WIDEST_FILE = 60
EMOTION_CELLS = 9
BAR_CELLS = 8
EIGHTHS = " ▏▎▍▌▋▊▉"
ELLIPSIS = "…"
UNSURE = "uncertain ({})"


@dataclass(frozen=True)
class Column:
    """Title, width in cells, what stands in it, and whether at its right edge."""

    title: str
    width: int
    text: Callable[[Prediction], str]
    right: bool = False


def write(answers: Iterable[Prediction], stream: TextIO, width: int | None = None) -> None:
    """Writes a heading and one line per answer; nothing for no answer.

    Args:
        answers: in the order of the lines.
        stream: where to; its encoding decides whether bars and dots are drawn with block characters.
        width: cells per line; None for the width of the terminal.
    """
    cells = width or shutil.get_terminal_size((WIDTH_WITHOUT_TERMINAL, 24)).columns
    fancy = takes(stream, EIGHTHS + "█" + ELLIPSIS)
    columns: list[Column] = []
    for answer in answers:
        if not columns:
            columns = _fitting(_columns(answer, fancy), cells, ELLIPSIS if fancy else "...")
            _line(stream, [(column, column.title) for column in columns])
        _line(stream, [(column, column.text(answer)) for column in columns])


def printable(text: str) -> str:
    """The text on one line, with what a terminal would not show as it is written as an escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def cells_of(text: str) -> int:
    """How many cells of a terminal a printable text takes: wide characters two, combining marks none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def shortened(text: str, cells: int, ellipsis: str = ELLIPSIS) -> str:
    """The end of a text, at most `cells` wide; the end of a path tells files apart."""
    if cells_of(text) <= cells:
        return text
    while text and cells_of(ellipsis + text) > cells:
        text = text[1:]
    return ellipsis + text


def _columns(answer: Prediction, fancy: bool) -> list[Column]:
    """All columns, the most important first; branches as the first answer has them."""
    return [
        Column("file", WIDEST_FILE, lambda answer: printable(answer.source)),
        Column("emotion", EMOTION_CELLS + (len(UNSURE.format("")) if answer.uncertain_below else 0), _emotion),
        Column("confidence", BAR_CELLS + 5, partial(_confidence, fancy=fancy)),
        Column("runner-up", 13, runner_up),
        *(Column(branch, EMOTION_CELLS, partial(_branch_emotion, branch=branch)) for branch in answer.branches),
        Column("pitch", 6, partial(_measured, name="pitch_median_hz", form="{:.0f} Hz"), right=True),
        Column("syllables", 9, partial(_measured, name="speech_rate_hz", form="{:.1f} /s"), right=True),
    ]


def _fitting(columns: list[Column], cells: int, ellipsis: str) -> list[Column]:
    """As many of the columns as fit, the first one taking what the others leave."""
    file, others = columns[0], columns[1:]
    while len(others) > 1 and cells - _width_of(others) < NARROWEST_FILE:
        others.pop()
    width = min(max(cells - _width_of(others), NARROWEST_FILE), WIDEST_FILE)
    return [Column(file.title, width, lambda answer: shortened(file.text(answer), width, ellipsis)), *others]


def _width_of(columns: list[Column]) -> int:
    return sum(len(GAP) + column.width for column in columns)


def _line(stream: TextIO, cells: list[tuple[Column, str]]) -> None:
    texts = []
    for column, text in cells:
        blanks = " " * (column.width - cells_of(text))
        texts.append(blanks + text if column.right else text + blanks)
    stream.write(GAP.join(texts).rstrip() + "\n")


def takes(stream: TextIO, text: str) -> bool:
    """Whether the encoding of a stream has all characters of a text."""
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _emotion(answer: Prediction) -> str:
    return UNSURE.format(answer.emotion) if answer.uncertain else answer.emotion


def _confidence(answer: Prediction, fancy: bool) -> str:
    return f"{bar(answer.confidence, fancy)} {answer.confidence:4.0%}"


def bar(share: float, fancy: bool = True) -> str:
    """A bar of `BAR_CELLS` cells for a share in [0, 1], to an eighth of a cell where block characters are at hand."""
    whole, rest = divmod(round(share * BAR_CELLS * 8), 8)
    blocks = "█" * whole + (EIGHTHS[rest] if rest else "")
    return (blocks if fancy else "#" * round(share * BAR_CELLS)).ljust(BAR_CELLS)


def _branch_emotion(answer: Prediction, branch: str) -> str:
    return answer.emotions[int(np.argmax(answer.branches[branch]))] if branch in answer.branches else "-"


def runner_up(answer: Prediction) -> str:
    """The second most probable emotion, as `surprised 12%`; nothing where there is but one."""
    if len(answer.emotions) < 2:
        return ""
    second = int(np.argsort(answer.probabilities)[-2])
    return f"{answer.emotions[second]} {answer.probabilities[second]:.0%}"


def _measured(answer: Prediction, name: str, form: str) -> str:
    return form.format(answer.prosody[name]) if name in answer.prosody else "-"
