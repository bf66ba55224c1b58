"""What a batch is, whoever works on it: its inputs in parts, and what becomes of an input and its result."""

import codecs
import csv
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, NamedTuple, TextIO, cast

import numpy as np

from overtone._internal.prediction_codec import decode_prediction
from overtone.batch.checkpoint import BatchFingerprint
from overtone.batch.inputs import Input, Inputs, Value
from overtone.batch.process_pool import WorkerDied
from overtone.batch.recogniser_config import MAX_TASK_S, RecogniserConfig
from overtone.datatypes import Prediction
from overtone.inference.onnx_model import BRANCHES
from overtone.inference.recogniser import Recogniser

Task = tuple[str, float | None, float | None, str]  # what `overtone.batch.recogniser_config.make_work` works on


class ResultSchema(NamedTuple):
    """What all answers of a batch have in common, with nothing that cannot be sent to another machine.

    Attributes:
        columns: of the manifest, but for `path`.
        types: of those that are no text, as pyarrow calls them.
        emotions: of the model.
        model: its id.
        uncertain_below: confidence under which an answer is uncertain.
    """

    columns: tuple[str, ...]
    types: Mapping[str, Any]
    emotions: tuple[str, ...]
    model: str
    uncertain_below: float

    def answer(self, row: Input, result: Mapping[str, Any]) -> Prediction:
        """The answer that the numbers of a worker are."""
        return decode_prediction(
            result,
            self.emotions,
            model=self.model,
            source=row.name,
            uncertain_below=self.uncertain_below,
            columns=dict(zip(self.columns, row.values, strict=True)),
        )

    def any_answer(self) -> Prediction:
        """An answer that has the columns of all, and means nothing."""
        even = np.full(len(self.emotions), 1 / len(self.emotions))
        return Prediction(
            self.emotions, even, dict.fromkeys(BRANCHES, even), columns=dict.fromkeys(self.columns), model=self.model
        )

    def write_failures(self, failures: Sequence[Sequence[Value]], stream: BinaryIO) -> None:
        """Writes `path,error` as CSV, with the columns of the manifest in front."""
        rows = csv.writer(text_stream(stream), lineterminator="\n")
        rows.writerow([*self.columns, "path", "error"])
        rows.writerows(failures)


class BatchJob(NamedTuple):
    """One batch.

    Attributes:
        inputs: what to answer.
        setting: how they are recognised.
        rows: what all answers have in common.
        plan: fingerprints that say which batch it is.
        form: of the answers.
        shard: which shard this is, from 1, and of how many.
    """

    inputs: Inputs
    setting: RecogniserConfig
    rows: ResultSchema
    plan: BatchFingerprint
    form: str
    shard: tuple[int, int]


class Partitioner:
    """The inputs of one shard, cut into parts that are numbered over all shards.

    Args:
        inputs: of all shards.
        size: inputs of a part.
        shard: which shard this is, from 1, and of how many.
    """

    def __init__(self, inputs: Sequence[Input], size: int, shard: tuple[int, int]) -> None:
        self._inputs = inputs
        self._size = size
        first, step = shard
        self.parts = range(first - 1, -(-len(inputs) // size), step)

    def __len__(self) -> int:
        return sum(len(self.rows(part)) for part in self.parts)

    def rows(self, part: int) -> Sequence[Input]:
        """The inputs of a part."""
        return self._inputs[part * self._size : (part + 1) * self._size]


def make_schema(inputs: Inputs, recogniser: Recogniser) -> ResultSchema:
    """What the answers will have in common."""
    card = recogniser.card
    return ResultSchema(inputs.columns, inputs.types, recogniser.emotions, card["id"], recogniser.uncertain_below)


def to_task(row: Input) -> Task:
    """What a worker is told of an input."""
    return row.path, row.start_s, row.end_s, row.error


def compact_result(row: Input, result: Any) -> Any:
    """A result as it is kept: an "error" where workers died."""
    if not isinstance(result, WorkerDied):
        return result
    why = f"it takes too much memory or over {MAX_TASK_S:.0f} s, or crashes the decoder"
    return {"error": f"{row.path}: two processes died of it ({result.how}): {why}; try: ffmpeg -i INPUT OUTPUT.wav"}


def text_stream(stream: BinaryIO) -> TextIO:
    """File names that are no UTF-8 keep their bytes."""
    return cast(TextIO, codecs.getwriter("utf-8")(stream, "surrogateescape"))
