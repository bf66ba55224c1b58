"""Answers as CSV: one row per file.

path,emotion,confidence,uncertain,duration_s,p_neutral,...,mel_p_neutral,...,prosody_p_neutral,...
clip.wav,happy,0.810000,false,3.700,0.020000,...

What a manifest says of the file stands in front. The columns come from the first answer; all answers of one file come
from one model.
"""

import csv
from collections.abc import Iterable
from typing import TextIO

from overtone.datatypes import Prediction
from overtone.errors import InputError

FIXED_COLUMNS = ("path", "emotion", "confidence", "uncertain", "duration_s")
DIGITS = {"duration_s": 3}
PROBABILITY_DIGITS = 6


def write(answers: Iterable[Prediction], stream: TextIO) -> None:
    """Writes a header and one row per answer.

    Raises:
        InputError: an answer has other emotions or branches than the first.
    """
    writer = csv.writer(stream, lineterminator="\n")
    header: list[str] = []
    for answer in answers:
        ours = to_row(answer)
        columns = [*answer.columns, *ours]
        if not header:
            header = columns
            writer.writerow(header)
        elif columns != header:
            raise InputError(f"{answer.source}: answers of models with different emotions do not fit into one CSV")
        writer.writerow([*answer.columns.values(), *(_cell(*named) for named in ours.items())])
    if not header:
        writer.writerow(FIXED_COLUMNS)


def to_row(answer: Prediction) -> dict[str, str | float | bool]:
    """One answer as column -> value, in order, without the columns of a manifest."""
    parts = {"": answer.probabilities, **{f"{branch}_": values for branch, values in answer.branches.items()}}
    fixed = (answer.source, answer.emotion, answer.confidence, answer.uncertain, answer.duration_s)
    row: dict[str, str | float | bool] = dict(zip(FIXED_COLUMNS, fixed, strict=True))
    for prefix, values in parts.items():
        row |= {f"{prefix}p_{emotion}": float(value) for emotion, value in zip(answer.emotions, values, strict=True)}
    return row


def _cell(column: str, value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else f"{value:.{DIGITS.get(column, PROBABILITY_DIGITS)}f}"
