"""How right the model was on the labelled inputs of a batch, computed from the output of the batch.

    columns = select_columns(inputs, ["gender"])       # before the batch: the label, the speaker, and what to score by
    run(inputs, output, config)
    score = score_output(output, report, columns)      # of a batch that has just ended, was resumed, or was finished

The tables are read row by row; of each row only the label, the probabilities and the columns to score by are kept.
"""

import json
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from overtone.batch import object_storage
from overtone.batch.checkpoint import Report
from overtone.batch.inputs import CHANNEL_COLUMN, Input, Inputs
from overtone.batch.parquet_sink import PREDICTIONS_FOLDER
from overtone.corpora.tables import read_tables
from overtone.corpora.tables.columns import GIVEN_PREFIX, find_columns
from overtone.corpora.tables.rows import Row, Table, cell_text
from overtone.corpora.tables.table_files import read_file
from overtone.datatypes import BoolArray, OofPredictions
from overtone.each_channel import EACH
from overtone.emotions import find_class, list_classes
from overtone.errors import InputError, OptionError, suggest
from overtone.evaluation.alignment import ModelPredictions
from overtone.evaluation.comparison import ModelResult, model_result
from overtone.evaluation.oof_files import select
from overtone.evaluation.trained_audio import AudioPart
from overtone.formats.csv_dialect import DIALECTS, PLAIN, Dialect

EXPECTED = "the predictions of a batch"
NEVER_SURE = np.nextafter(1.0, 2.0)  # no confidence reaches it


class ScoreColumns(NamedTuple):
    """Columns of the manifest, by their names in the manifest.

    Attributes:
        manifest: all columns of the manifest.
        label: the column of the labels.
        speaker: the column of the speakers; "" if there is none.
        by: columns whose values are scored separately.
    """

    manifest: tuple[str, ...]
    label: str
    speaker: str
    by: tuple[str, ...]


@dataclass(frozen=True)
class BatchScore:
    """The score of a batch.

    Attributes:
        label: name in the output of the column of the labels.
        total: the result for all labelled predictions.
        groups: column -> its values, sorted -> the result for their predictions; "" is an unknown value.
        unknown_labels: label that the model does not have -> number of predictions left out for it.
        unlabelled: number of predictions without a label, which are left out.
        failures: number of inputs without a prediction.
    """

    label: str
    total: ModelResult
    groups: dict[str, dict[str, ModelResult]]
    unknown_labels: dict[str, int]
    unlabelled: int
    failures: int


def select_columns(inputs: Inputs, by: Sequence[str]) -> ScoreColumns:
    """Return the columns that a score needs.

    Args:
        inputs: of the batch.
        by: columns of the manifest whose values are scored separately; "channel" for its channels.

    Raises:
        OptionError: the inputs have no labels, or no such column.
        CorpusError: two columns may have the labels or the speakers.
    """
    found = find_columns(inputs.columns, inputs.manifest, ("emotion", "speaker"))
    if "emotion" not in found:
        source = f"{inputs.manifest}: has no column 'emotion'" if inputs.manifest else "the inputs have no labels"
        raise OptionError(f"{source}, which a score needs; give a manifest with the label of each input")
    known = (*inputs.columns, *([CHANNEL_COLUMN] if inputs.has_channels else []))
    for name in by:
        if name not in known:
            raise OptionError(f"{inputs.manifest}: no column '{name}' to score by{suggest(name, known)}")
    speaker = inputs.columns[found["speaker"].place] if "speaker" in found else ""
    return ScoreColumns(inputs.columns, inputs.columns[found["emotion"].place], speaker, tuple(dict.fromkeys(by)))


def labelled_parts(inputs: Inputs, columns: ScoreColumns) -> list[AudioPart]:
    """Return the audio of the inputs with a label.

    Args:
        inputs: of the batch.
        columns: as `select_columns` returns them.
    """
    label = inputs.columns.index(columns.label)
    return [_audio_part(row) for row in inputs.rows if not row.error and cell_text(row.values[label])]


def _audio_part(row: Input) -> AudioPart:
    channel = row.channel if row.channel != EACH else ""
    return AudioPart(Path(row.path), row.start_s, row.end_s, channel, row.name if row.origin else "")


def score_output(output: str, report: Report, columns: ScoreColumns) -> BatchScore:
    """Return the score of a finished batch.

    Args:
        output: path or URL of its output folder.
        report: the report of the batch.
        columns: as `select_columns` returns them.

    Raises:
        InputError: the predictions cannot be read, or none of them has a label of the model.
    """
    emotions = tuple(json.loads(report["emotions"]))
    found = _Predictions(emotions, columns, DIALECTS[report["csv_dialect"]])
    for table in _tables(output) if report["predictions"] else ():
        found.read(table)
    unknown = dict(found.unknown_labels.most_common())
    if not found.truth:
        problems = [f"{count} x '{label}'" for label, count in list(unknown.items())[:10]]
        problems += [f"{found.unlabelled} without a label"] if found.unlabelled else []
        raise InputError(
            f"{output}: no prediction can be scored ({', '.join(problems) or 'there are none'}); "
            f"the classes of the model are {list_classes(emotions)}"
        )
    predictions, uncertain = found.to_arrays()
    groups = {
        name: {str(value): _result(predictions, uncertain, values == value) for value in np.unique(values)}
        for name, values in ((name, np.array(found.groups[name])) for name in columns.by)
    }
    total = _result(predictions, uncertain, np.full(len(predictions), True))
    return BatchScore(found.label, total, groups, unknown, found.unlabelled, report["failures"])


class _Predictions:
    """The labelled predictions of some tables, with as little else as a score needs.

    Args:
        emotions: classes of the model.
        columns: of the manifest.
        dialect: of the tables, if they are CSV.
    """

    def __init__(self, emotions: tuple[str, ...], columns: ScoreColumns, dialect: Dialect = PLAIN) -> None:
        self._dialect = dialect
        self._emotions = emotions
        self._columns = columns
        self._classes: dict[str, str | None] = {}  # label -> class of the model
        self._values: dict[str, str] = {}  # each distinct value once, however many rows have it
        self._probabilities = array("d")
        self._uncertain = array("b")
        self._speakers: list[str] = []
        self.label = ""
        self.truth: list[str] = []
        self.groups: dict[str, list[str]] = {name: [] for name in columns.by}
        self.unknown_labels: Counter[str] = Counter()
        self.unlabelled = 0

    def read(self, table: Table) -> None:
        """Add the rows of a table."""
        place = {self._dialect.read_text(name): index for index, name in enumerate(table.columns)}
        self.label = self._kept_name(self._columns.label, place)
        label, uncertain = place[self.label], place["uncertain"]
        speaker = place[self._kept_name(self._columns.speaker, place)] if self._columns.speaker else None
        groups = {name: place[self._kept_name(name, place)] for name in self._columns.by}
        for row in table.rows:
            truth = self._class_of(" ".join(self._text(row, label).split()))
            if truth is None:
                continue
            self.truth.append(truth)
            self._probabilities.extend(self._probabilities_of(row, place))
            self._uncertain.append(cell_text(row.cells[uncertain]) == "true")
            self._speakers.append("" if speaker is None else self._shared(self._text(row, speaker)))
            for name, index in groups.items():
                self.groups[name].append(self._shared(self._text(row, index)))

    def _text(self, row: Row, index: int) -> str:
        return self._dialect.read_text(cell_text(row.cells[index]))

    def _kept_name(self, name: str, place: Mapping[str, int]) -> str:
        """Return the name in the output of a column of the manifest."""
        kept = GIVEN_PREFIX + name
        return kept if kept in place and kept not in self._columns.manifest else name

    def _class_of(self, label: str) -> str | None:
        """Return the class of the model that a label names; count the label if there is none."""
        if label not in self._classes:
            self._classes[label] = find_class(label, self._emotions)
        if not label:
            self.unlabelled += 1
        elif self._classes[label] is None:
            self.unknown_labels[label] += 1
        return self._classes[label] if label else None

    def _probabilities_of(self, row: Row, place: Mapping[str, int]) -> list[float]:
        if "probabilities" in place:  # of JSON Lines
            by_class: Mapping[str, Any] = json.loads(str(row.cells[place["probabilities"]]))
            return [float(by_class[emotion]) for emotion in self._emotions]
        cells = (row.cells[place[f"p_{emotion}"]] for emotion in self._emotions)
        return [self._dialect.read_number(cell) if isinstance(cell, str) else float(cell or 0) for cell in cells]

    def _shared(self, value: str) -> str:
        return self._values.setdefault(value, value)

    def to_arrays(self) -> tuple[OofPredictions, BoolArray]:
        """Return the predictions, and whether each is uncertain."""
        n = len(self.truth)
        unknown = np.full(n, "")
        table = OofPredictions(
            self._emotions,
            path=np.arange(n).astype(str),
            corpus=unknown,
            speaker=np.array(self._speakers),
            sentence=unknown,
            fold=unknown,
            seed=np.zeros(n, dtype=int),
            truth=np.array(self.truth),
            probabilities=np.frombuffer(self._probabilities).reshape(n, len(self._emotions)),
        )
        return table, np.frombuffer(self._uncertain, dtype=np.int8) == 1


def _tables(output: str) -> Iterator[Table]:
    """Yield the tables of predictions in an output folder."""
    if not object_storage.is_url(output):
        yield from map(_readable, read_tables(output, EXPECTED))
        return
    folder = object_storage.join(output, PREDICTIONS_FOLDER)
    try:
        for name in object_storage.list_names(folder):
            url = object_storage.join(folder, name)
            yield _readable(read_file(url, EXPECTED, content=object_storage.read_bytes(url)))
    except OSError as error:
        raise InputError(f"{folder}: the predictions cannot be read: {error}; run the command again") from error


def _readable(table: Table) -> Table:
    """Return a table whose first invalid row raises an error: a batch does not write such rows."""

    def rows() -> Iterator[Row]:
        for row in table.rows:
            if row.error:
                raise InputError(f"{table.name}, {row.position}: {row.error}; run the batch again")
            yield row

    return replace(table, rows=rows())


def _result(predictions: OofPredictions, uncertain: BoolArray, rows: BoolArray) -> ModelResult:
    """Return the result for some rows; a prediction is sure if the output does not call it uncertain."""
    thresholds = np.where(uncertain[rows], NEVER_SURE, 0.0)
    return model_result(ModelPredictions("", select(predictions, rows), thresholds))
