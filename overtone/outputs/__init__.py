"""ANSWER, TIMELINE, SCORES -> FILES AND PICTURES. A plug-board: one file per form.

A form of answers is a module with one function

    write(answers, stream)    each `Answer` of the iterable to a text stream, in order; they may still be on their way

To add one, write such a file, beginning with what the form looks like, and add its row to `FORMS`: its name there is
its name on the command line. Forms of scores (predictions, figures, reports) stand beside and are called by name.
"""

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, TextIO

from overtone.errors import OptionError, nearest
from overtone.outputs import csv, json, jsonl, table
from overtone.outputs.whole import write_bytes
from overtone.values import Answer


class Form(Protocol):
    """The shape of a form of answers."""

    def write(self, answers: Iterable[Answer], stream: TextIO) -> None:
        """Writes the answers to a text stream, one after the other."""
        ...


FORMS: dict[str, Form] = {
    "table": table,
    "json": json,
    "jsonl": jsonl,
    "csv": csv,
}


def form_named(name: str) -> Form:
    """A form of answers.

    Raises:
        OptionError: there is no such form; the message names the nearest.
    """
    if name not in FORMS:
        raise OptionError(f"no form is called '{name}'{nearest(name, FORMS)}")
    return FORMS[name]


def save(answers: Iterable[Answer], path: Path, form: str) -> None:
    """Writes the answers to a file, whole or not at all; file names that are no UTF-8 keep their bytes.

    Raises:
        OptionError: there is no such form.
        OvertoneError: the file cannot be written.
    """
    stream = io.StringIO(newline="")
    form_named(form).write(answers, stream)
    write_bytes(path, stream.getvalue().encode("utf-8", "surrogateescape"))
