"""Answers as CSV: one row per file.

path,emotion,confidence,uncertain,duration_s,p_neutral,...,mel_p_neutral,...,prosody_p_neutral,...
clip.wav,happy,0.810000,false,3.700,0.020000,...

The columns come from the first answer; all answers of one file come from one model.
"""

import csv
from collections.abc import Iterable
from typing import TextIO

from overtone.errors import InputError
from overtone.values import Answer

FIXED_COLUMNS = ("path", "emotion", "confidence", "uncertain", "duration_s")


def write(answers: Iterable[Answer], stream: TextIO) -> None:
    """Writes a header and one row per answer.

    Raises:
        InputError: an answer has other emotions or branches than the first.
    """
    writer = csv.writer(stream, lineterminator="\n")
    header: list[str] = []
    for answer in answers:
        columns = [*FIXED_COLUMNS, *_probability_columns(answer)]
        if not header:
            header = columns
            writer.writerow(header)
        elif columns != header:
            raise InputError(f"{answer.source}: answers of models with different emotions do not fit into one CSV")
        writer.writerow(_row(answer))
    if not header:
        writer.writerow(FIXED_COLUMNS)


def _probability_columns(answer: Answer) -> list[str]:
    prefixes = ["", *(f"{branch}_" for branch in answer.branches)]
    return [f"{prefix}p_{emotion}" for prefix in prefixes for emotion in answer.emotions]


def _row(answer: Answer) -> list[str]:
    probabilities = [value for values in (answer.probabilities, *answer.branches.values()) for value in values]
    return [
        answer.source,
        answer.emotion,
        f"{answer.confidence:.6f}",
        "true" if answer.uncertain else "false",
        f"{answer.duration_s:.3f}",
        *(f"{value:.6f}" for value in probabilities),
    ]
