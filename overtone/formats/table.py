"""Predictions as a table for people, as wide as the terminal.

file                          emotion    confidence        runner-up       spectrum   melody     pitch   syllables
Actor_01/03-01-03-02-01.wav   happy      ██████▌     65 %  surprised 12 %  happy      angry      212 Hz      4.1 /s

A prediction below the confidence threshold, or for a clip with hardly any speech, reads `uncertain (happy)`, and one
for a clip without any `no speech`. If a channel was asked for, a column `channel` follows the file. In a narrow
terminal, columns are dropped from the right, and long file names lose their beginning. Characters that would move the
cursor or are invisible (control characters, bidirectional marks) are escaped.
"""

import shutil
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TextIO

import numpy as np

from overtone.annotations.label_texts import NO_SPEECH, UNCERTAIN
from overtone.datatypes import Prediction
from overtone.formats.branches import branch_emotion, branch_label

GAP = "  "
DEFAULT_WIDTH = 120  # without a terminal
MIN_FILE_WIDTH = 16
MAX_FILE_WIDTH = 60
EMOTION_WIDTH, MAX_EMOTION_WIDTH = 9, 24
CHANNEL_WIDTH = 12
BAR_WIDTH = 8
BAR_EIGHTHS = " ▏▎▍▌▋▊▉"
ELLIPSIS = "…"
MISSING = "-"


@dataclass(frozen=True)
class Column:
    """A column: title, width in terminal cells, text of a prediction, alignment."""

    title: str
    width: int
    text: Callable[[Prediction], str]
    align_right: bool = False


def write(predictions: Iterable[Prediction], stream: TextIO, width: int | None = None) -> None:
    """Write a heading and one line per prediction; nothing without predictions.

    Args:
        predictions: in the order of the lines.
        stream: the output; its encoding decides whether block characters are used.
        width: terminal cells per line; None for the width of the terminal.
    """
    cells = width or shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns
    unicode = can_encode(stream, BAR_EIGHTHS + "█" + ELLIPSIS)
    columns: list[Column] = []
    for prediction in predictions:
        if not columns:
            columns = _fit_columns(_columns(prediction, unicode), cells, ELLIPSIS if unicode else "...")
            _write_line(stream, [(column, column.title) for column in columns])
        _write_line(stream, [(column, column.text(prediction)) for column in columns])


def printable(text: str) -> str:
    """Return the text on one line, with every character that a terminal would not display escaped."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def class_label(emotion: str) -> str:
    """Return a class name for people: printable, and cut to `MAX_EMOTION_WIDTH` cells."""
    return shorten_end(printable(emotion), MAX_EMOTION_WIDTH)


def shorten_end(text: str, width: int) -> str:
    """Return a printable text, cut off at the end if it has more than `width` cells."""
    if display_width(text) <= width:
        return text
    text = text[:width]
    while display_width(text) >= width:
        text = text[:-1]
    return text.rstrip() + ELLIPSIS


def emotion_label(prediction: Prediction) -> str:
    """Return the predicted class for people, marked where it is uncertain; see `class_label`. Without speech, none."""
    if prediction.no_speech:
        return NO_SPEECH
    emotion = class_label(prediction.emotion)
    return UNCERTAIN.format(emotion) if prediction.uncertain else emotion


def display_width(text: str) -> int:
    """Return the number of terminal cells of a printable text: two for wide characters, none for combining marks."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def shorten(text: str, width: int, ellipsis: str = ELLIPSIS) -> str:
    """Return the end of a text, at most `width` cells wide; the end of a path distinguishes files."""
    if display_width(text) <= width:
        return text
    while text and display_width(ellipsis + text) > width:
        text = text[1:]
    return ellipsis + text


def can_encode(stream: TextIO, text: str) -> bool:
    """Return whether the encoding of a stream has all characters of a text."""
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def bar(share: float, unicode: bool = True) -> str:
    """Return a bar of `BAR_WIDTH` cells for a share in [0, 1]; with block characters, to an eighth of a cell."""
    full_cells, eighths = divmod(round(share * BAR_WIDTH * 8), 8)
    blocks = "█" * full_cells + (BAR_EIGHTHS[eighths] if eighths else "")
    return (blocks if unicode else "#" * round(share * BAR_WIDTH)).ljust(BAR_WIDTH)


def runner_up(prediction: Prediction) -> str:
    """Return the second most probable emotion, as `surprised 12%`; "" if there is only one emotion."""
    if len(prediction.emotions) < 2:
        return ""
    second = int(np.argsort(prediction.probabilities)[-2])
    return f"{class_label(prediction.emotions[second])} {prediction.probabilities[second]:.0%}"


def _columns(first: Prediction, unicode: bool) -> list[Column]:
    """Return all columns, the most important first, with one per branch of the first prediction."""
    width = max(EMOTION_WIDTH, *(display_width(class_label(name)) for name in first.emotions))
    return [
        Column("file", MAX_FILE_WIDTH, lambda prediction: printable(prediction.source)),
        *([Column("channel", CHANNEL_WIDTH, partial(_channel, unicode=unicode))] if first.channel else []),
        Column("emotion", width + len(UNCERTAIN.format("")), emotion_label),
        Column("confidence", BAR_WIDTH + 5, partial(_confidence, unicode=unicode)),
        Column("runner-up", width + len(" 99%"), runner_up),
        *(_branch_column(branch, width) for branch in first.branches),
        Column("pitch", 6, partial(_prosody, name="pitch_median_hz", template="{:.0f} Hz"), align_right=True),
        Column("syllables", 9, partial(_prosody, name="speech_rate_hz", template="{:.1f} /s"), align_right=True),
    ]


def _branch_column(branch: str, width: int) -> Column:
    def text(prediction: Prediction) -> str:
        return class_label(branch_emotion(prediction, branch)) if branch in prediction.branches else MISSING

    title = branch_label(branch)
    return Column(title, max(width, display_width(title)), text)


def _fit_columns(columns: list[Column], cells: int, ellipsis: str) -> list[Column]:
    """Return as many columns as fit; the first one gets the remaining width."""
    file, others = columns[0], columns[1:]
    while len(others) > 1 and cells - _total_width(others) < MIN_FILE_WIDTH:
        others.pop()
    width = min(max(cells - _total_width(others), MIN_FILE_WIDTH), MAX_FILE_WIDTH)
    return [Column(file.title, width, lambda prediction: shorten(file.text(prediction), width, ellipsis)), *others]


def _total_width(columns: list[Column]) -> int:
    return sum(len(GAP) + column.width for column in columns)


def _write_line(stream: TextIO, cells: list[tuple[Column, str]]) -> None:
    texts = []
    for column, text in cells:
        padding = " " * (column.width - display_width(text))
        texts.append(padding + text if column.align_right else text + padding)
    stream.write(GAP.join(texts).rstrip() + "\n")


def _confidence(prediction: Prediction, unicode: bool) -> str:
    return f"{bar(prediction.confidence, unicode)} {prediction.confidence:4.0%}"


def _channel(prediction: Prediction, unicode: bool) -> str:
    return shorten(printable(prediction.channel), CHANNEL_WIDTH, ELLIPSIS if unicode else "...")


def _prosody(prediction: Prediction, name: str, template: str) -> str:
    return template.format(prediction.prosody[name]) if name in prediction.prosody else MISSING
