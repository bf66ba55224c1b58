"""ANSWER, TIMELINE, SCORES -> FILES AND PICTURES. A plug-board: one file per form.

A form of answers is a module with one function

    write(answers, stream)    each `Answer` of the iterable to a text stream, in order; they may still be on their way

A form of timelines is a module with one function and the suffix of the files it makes

    write(timeline, stream)   one `Timeline` to a text stream; what is no text goes to the bytes below, `stream.buffer`
    SUFFIX                    such as ".json"

To add one, write such a file, beginning with what the form looks like, and add its row to `FORMATS` or `TIMELINE_FORMATS`:
its name there is its name on the command line. Forms of scores (predictions, figures, reports) stand beside and are
called by name.
"""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, TextIO

import numpy as np

from overtone._internal.atomic_write import write_bytes
from overtone.datatypes import Prediction
from overtone.errors import OptionError, suggest
from overtone.formats import (
    audacity,
    csv,
    elan,
    html_player,
    json,
    jsonl,
    png,
    svg,
    table,
    textgrid,
    timeline_csv,
    timeline_json,
    timeline_jsonl,
    timeline_parquet,
    timeline_table,
    webvtt,
)
from overtone.timeline import Timeline

AudioBlocks = Iterable[
    np.ndarray
]  # consecutive float32 blocks (samples,), mono at 16 kHz, as `overtone.audio.blocks` reads


class PredictionFormat(Protocol):
    """The shape of a form of answers."""

    def write(self, answers: Iterable[Prediction], stream: TextIO) -> None:
        """Writes the answers to a text stream, one after the other."""
        ...


class TimelineFormat(Protocol):
    """The shape of a form of timelines."""

    SUFFIX: str

    def write(self, timeline: Timeline, stream: TextIO) -> None:
        """Writes one timeline to a text stream that has bytes below it, as files and stdout have."""
        ...


FORMATS: dict[str, PredictionFormat] = {
    "table": table,
    "json": json,
    "jsonl": jsonl,
    "csv": csv,
}
TIMELINE_FORMATS: dict[str, TimelineFormat] = {
    "table": timeline_table,
    "json": timeline_json,
    "jsonl": timeline_jsonl,
    "csv": timeline_csv,
    "parquet": timeline_parquet,
    "textgrid": textgrid,
    "elan": elan,
    "audacity": audacity,
    "webvtt": webvtt,
    "png": png,
    "svg": svg,
    "html": html_player,
}


def get_format(name: str) -> PredictionFormat:
    """A form of answers.

    Raises:
        OptionError: there is no such form; the message names the nearest.
    """
    _check_known(name, FORMATS)
    return FORMATS[name]


def get_timeline_format(name: str) -> TimelineFormat:
    """A form of timelines.

    Raises:
        OptionError: there is no such form; the message names the nearest.
    """
    _check_known(name, TIMELINE_FORMATS)
    return TIMELINE_FORMATS[name]


def save(answers: Iterable[Prediction], path: Path, form: str) -> None:
    """Writes the answers to a file, whole or not at all; file names that are no UTF-8 keep their bytes.

    Raises:
        OptionError: there is no such form.
        OvertoneError: the file cannot be written.
    """
    stream = io.StringIO(newline="")
    get_format(form).write(answers, stream)
    write_bytes(path, stream.getvalue().encode("utf-8", "surrogateescape"))


def plays_sound(form: str) -> bool:
    """Whether a form of timelines has the sound in it, as far as it is not too long: `write_timeline` then wants it."""
    return get_timeline_format(form) is html_player


def write_timeline(
    timeline: Timeline, stream: TextIO, form: str, sound: AudioBlocks | None = None, *, is_here: bool = True
) -> None:
    """Writes a timeline to a text stream that has bytes below it, as files and stdout have.

    Args:
        timeline: to write.
        stream: where to.
        form: its name.
        sound: for the one form that plays it; no other reads it.
        is_here: whether its source is a file of this machine, for the one form that links it; False where it is but
            what somebody else calls it.

    Raises:
        OptionError: there is no such form.
    """
    if plays_sound(form):
        html_player.write(timeline, stream, sound)
    elif get_timeline_format(form) is elan:
        elan.write(timeline, stream, is_here=is_here)
    else:
        get_timeline_format(form).write(timeline, stream)


def save_timeline(timeline: Timeline, path: Path, form: str, sound: AudioBlocks | None = None) -> None:
    """Writes a timeline to a file, as `save` does answers and with the `sound` of `write_timeline`.

    Raises:
        OptionError: there is no such form.
        OvertoneError: the file cannot be written.
    """
    content = io.BytesIO()
    stream = io.TextIOWrapper(content, "utf-8", "surrogateescape", newline="")
    write_timeline(timeline, stream, form, sound)
    stream.flush()
    write_bytes(path, content.getvalue())


def _check_known(name: str, forms: Iterable[str]) -> None:
    if name not in forms:
        raise OptionError(f"no form is called '{name}'{suggest(name, forms)}")
