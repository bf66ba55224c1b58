"""The parts of a batch that all engines share: the job, its partition, and the conversion of inputs and results."""

import codecs
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO, cast

import numpy as np

from overtone._internal.column_names import column_key
from overtone._internal.prediction_codec import decode_prediction
from overtone.batch.checkpoint import BatchFingerprint
from overtone.batch.input_tasks import MAX_TASK_S, Task
from overtone.batch.inputs import Input, Inputs
from overtone.batch.object_storage import is_url
from overtone.batch.process_pool import WorkerDied
from overtone.batch.recogniser_config import RecogniserConfig
from overtone.channels import MIX
from overtone.corpora.tables.columns import GIVEN_PREFIX
from overtone.corpora.tables.rows import Value
from overtone.datatypes import Prediction
from overtone.errors import InputError
from overtone.formats import DEFAULT_DIALECT
from overtone.formats.csv import to_row
from overtone.formats.csv_dialect import DIALECTS, TableWriter
from overtone.formats.json import to_object
from overtone.inference.recogniser import Recogniser

Groups = tuple[int | None, ...]  # of each input, the number of the group that it is adapted to
Failure = list[Value]  # a row of `failures.csv`


class ResultSchema(NamedTuple):
    """The properties that all predictions of a batch share; all of them can be sent to another machine.

    Attributes:
        columns: names in the output of the columns of the manifest, without `path` and `channel`.
        types: pyarrow or Python types of the columns that are not text.
        emotions: emotions of the model, in order.
        branches: branches of the model.
        model: id of the model.
        uncertain_below: confidence below which a prediction is uncertain.
        relative_to: absolute path or URL of the folder to which the names of the inputs are relative.
        channel: the channel of inputs whose row names none; "" if predictions do not name their channel.
    """

    columns: tuple[str, ...]
    types: Mapping[str, Any]
    emotions: tuple[str, ...]
    branches: tuple[str, ...]
    model: str
    uncertain_below: float
    relative_to: str = ""
    channel: str = ""

    def sort_results(
        self, rows: Iterable[Input], results: Iterable[Any], failures: list[Failure]
    ) -> Iterator[Prediction]:
        """Yield the predictions of inputs in order, one per channel if each is a speaker; append the failures.

        Args:
            rows: the inputs.
            results: of the task of each input.
            failures: receives a row for each input, or each of its channels, without a prediction.
        """
        for row, result in zip(rows, results, strict=True):
            for part in result.get("channels", [result]):
                if "error" not in part:
                    yield self.to_prediction(row, part)
                    continue
                channel = [part.get("channel") or row.channel or self.channel] if self.channel else []
                error = part["error"].replace(row.path, row.origin) if row.origin else part["error"]
                failures.append([*row.values, row.name, *channel, error])

    def to_prediction(self, row: Input, result: Mapping[str, Any]) -> Prediction:
        """Return the prediction for an input from the result of a worker."""
        prediction = decode_prediction(
            result,
            self.emotions,
            model=self.model,
            source=row.name,
            uncertain_below=self.uncertain_below,
            columns=dict(zip(self.columns, row.values, strict=True)),
        )
        return prediction if self.channel else replace(prediction, channel="")

    def placeholder(self) -> Prediction:
        """Return a prediction with the columns of all predictions and no meaningful values."""
        uniform = np.full(len(self.emotions), 1 / len(self.emotions))
        return Prediction(
            self.emotions,
            uniform,
            dict.fromkeys(self.branches, uniform),
            columns=dict.fromkeys(self.columns),
            model=self.model,
            channel=self.channel,
        )

    def write_failures(
        self, failures: Sequence[Sequence[Value]], stream: BinaryIO, csv_dialect: str = DEFAULT_DIALECT
    ) -> None:
        """Write failures as CSV: the columns of the manifest, then `path,error`, or `path,channel,error`."""
        dialect = DIALECTS[csv_dialect]
        writer = TableWriter(text_stream(stream), dialect)
        writer.write_header([*self.columns, "path", *(["channel"] if self.channel else []), "error"])
        for row in failures:
            writer.write_cells(map(dialect.given_cell, row))


class BatchJob(NamedTuple):
    """One batch.

    Attributes:
        inputs: inputs of all shards.
        config: how they are recognised.
        schema: the properties that all predictions share.
        fingerprint: identifies the batch, to resume this one and refuse any other.
        format: format of the predictions.
        shard: number of this shard, from 1, and number of shards.
        groups: group of each input; empty if inputs do not refer to each other.
        csv_dialect: of CSV files, a key of `DIALECTS`.
    """

    inputs: Inputs
    config: RecogniserConfig
    schema: ResultSchema
    fingerprint: BatchFingerprint
    format: str
    shard: tuple[int, int]
    groups: Groups = ()
    csv_dialect: str = DEFAULT_DIALECT


class Partitioner:
    """The inputs of one shard, divided into parts; part numbers are unique across shards.

    Args:
        inputs: inputs of all shards.
        size: number of inputs per part.
        shard: number of this shard, from 1, and number of shards.
    """

    def __init__(self, inputs: Sequence[Input], size: int, shard: tuple[int, int]) -> None:
        self._inputs = inputs
        self._size = size
        number, shards = shard
        self.parts = range(number - 1, -(-len(inputs) // size), shards)

    def __len__(self) -> int:
        return sum(len(self.rows(part)) for part in self.parts)

    def rows(self, part: int) -> Sequence[Input]:
        """Return the inputs of a part."""
        return self._inputs[part * self._size : (part + 1) * self._size]


def make_schema(inputs: Inputs, recogniser: Recogniser, channel: str = MIX) -> ResultSchema:
    """Return the schema of the predictions of these inputs.

    A column of the manifest with the name of an output column is kept as `given_emotion`, for example.

    Args:
        inputs: all inputs.
        recogniser: makes the predictions.
        channel: of inputs whose row names none. Predictions name their channels unless all are the mean.

    Raises:
        InputError: two columns of the manifest would get the same name.
    """
    schema = ResultSchema(
        columns=(),
        types={},
        emotions=recogniser.emotions,
        branches=recogniser.branches,
        model=recogniser.card["id"],
        uncertain_below=recogniser.uncertain_below,
        relative_to=inputs.folder if is_url(inputs.folder) else str(Path.cwd() / inputs.folder),
        channel=channel if inputs.has_channels else channel.removeprefix(MIX),
    )
    prediction = schema.placeholder()
    taken = {column_key(name) for name in (*to_row(prediction), *to_object(prediction))}
    names = [f"{GIVEN_PREFIX}{name}" if column_key(name) in taken else name for name in inputs.columns]
    for old, new in zip(inputs.columns, names, strict=True):
        if old != new and names.count(new) > 1:
            raise InputError(f"{inputs.manifest}: both '{old}' and '{new}' would be '{new}' in the output; rename one")
    types = {new: inputs.types[old] for old, new in zip(inputs.columns, names, strict=True) if old in inputs.types}
    return schema._replace(columns=tuple(names), types=types)


def to_task(row: Input) -> Task:
    """Return the task that a worker runs for an input."""
    return row.path, row.start_s, row.end_s, row.channel, row.error


def check_result(row: Input, result: Any) -> Any:
    """Return the result of a task, a JSON value; an "error" if its workers died."""
    if not isinstance(result, WorkerDied):
        return result
    cause = f"it needs too much memory or more than {MAX_TASK_S:.0f} s, or crashes the decoder"
    return {
        "error": f"{row.path}: two worker processes died on this file ({result.reason}): {cause}; "
        "try: ffmpeg -i INPUT OUTPUT.wav"
    }


def text_stream(stream: BinaryIO) -> TextIO:
    """Return a UTF-8 text stream that keeps the bytes of file names that are not UTF-8."""
    return cast(TextIO, codecs.getwriter("utf-8")(stream, "surrogateescape"))
