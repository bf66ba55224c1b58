"""Predictions as CSV: one row per file.

path,emotion,confidence,uncertain,duration_s,speech_s,no_speech,arousal,valence,reference_clips,p_neutral,...
clip.wav,happy,0.810000,false,3.700,1.824,false,0.900,0.860,0,0.020000,...

The columns of a manifest come first. If a channel was asked for, a column `channel` follows `path`. An unknown value is
an empty cell. `no_speech` is true where no speech at all was detected, so that the emotion says nothing. The first
prediction determines the columns; all predictions of one file come from one model.
"""

import math
from collections.abc import Iterable
from typing import TextIO

from overtone.datatypes import Prediction
from overtone.errors import InputError
from overtone.formats.branches import probability_columns
from overtone.formats.csv_dialect import PLAIN, Dialect, TableWriter

FIXED_COLUMNS = (
    *("path", "emotion", "confidence", "uncertain", "duration_s", "speech_s", "no_speech"),
    *("arousal", "valence", "reference_clips"),
)


def write(predictions: Iterable[Prediction], stream: TextIO, *, dialect: Dialect = PLAIN) -> None:
    """Write a header and one row per prediction.

    Raises:
        InputError: a prediction has other emotions or branches than the first.
    """
    writer = TableWriter(stream, dialect)
    header: list[str] = []
    for prediction in predictions:
        row = to_row(prediction)
        columns = [*prediction.columns, *row]
        if not header:
            header = columns
            writer.write_header(header)
        elif columns != header:
            raise InputError(
                f"{prediction.source}: its emotions, branches, channel or manifest columns differ from the header"
            )
        given = map(dialect.given_cell, prediction.columns.values())
        writer.write_cells([*given, *(dialect.cell(column, value) for column, value in row.items())])
    if not header:
        writer.write_header(FIXED_COLUMNS)


def to_row(prediction: Prediction) -> dict[str, str | float | bool]:
    """Return a prediction as column -> value, NaN if unknown, in order, without the columns of a manifest."""
    values: tuple[str | float | bool, ...] = (
        prediction.source,
        prediction.emotion,
        prediction.confidence,
        prediction.uncertain,
        prediction.duration_s,
        prediction.speech_s,
        math.nan if prediction.no_speech is None else prediction.no_speech,
        prediction.arousal,
        prediction.valence,
        prediction.reference_clips,
    )
    path, *others = zip(FIXED_COLUMNS, values, strict=True)
    channel = {"channel": prediction.channel} if prediction.channel else {}
    return {**dict([path]), **channel, **dict(others), **probability_columns(prediction)}
