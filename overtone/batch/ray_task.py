"""What a machine of many does: one part of a batch, from its inputs to its answers in the dataset.

It does so in its own process. That one may die of an input; whoever gave out the part has it done again `alone`, with
each input in a process of its own kind, of which only the input is lost.
"""

import platform
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

from overtone.batch import process_pool
from overtone.batch.inputs import Input, Value
from overtone.batch.job import ResultSchema, compact_result, to_task
from overtone.batch.parquet_sink import ParquetSink
from overtone.batch.recogniser_config import RecogniserConfig, fingerprints, make_work
from overtone.datatypes import Prediction
from overtone.errors import OvertoneError


class RayTask(NamedTuple):
    """What there is to know of a batch to answer a part of it.

    Attributes:
        out: of the dataset.
        setting: how inputs are recognised; its paths mean the same on every machine.
        expected: what `overtone.batch.recogniser_config.fingerprints` must find here.
        rows: what all answers have in common.
    """

    out: str
    setting: RecogniserConfig
    expected: tuple[tuple[str, str], ...]
    rows: ResultSchema


def run_part(share: RayTask, part: int, inputs: Sequence[Input], alone: bool) -> dict[str, Any]:
    """Answers a part and keeps it.

    Args:
        share: which batch it is.
        part: its number.
        inputs: of the part.
        alone: each input in another process than this one, which then survives them all.

    Returns:
        How many "answers" and "failures" there are; or why it "failed".
    """
    try:
        work = _work(share.setting, share.expected)
        tasks = [to_task(row) for row in inputs]
        results = _apart(share, tasks) if alone else [work(task) for task in tasks]
        answers: list[Prediction] = []
        failures: list[list[Value]] = []
        for row, came in zip(inputs, results, strict=True):
            result = compact_result(row, came)
            if "error" in result:
                failures.append([*row.values, row.name, result["error"]])
            else:
                answers.append(share.rows.answer(row, result))
        return dict(ParquetSink(share.out).write(part, share.rows, answers, failures))
    except OvertoneError as error:
        return {"failed": f"{platform.node()}: {error}"}


def _apart(share: RayTask, tasks: Sequence[Any]) -> list[Any]:
    """The results, by a process that is replaced when it dies."""
    make = partial(make_work, share.setting, dict(share.expected)["model"])
    found = dict(process_pool.results(make, enumerate(tasks), jobs=1))
    return [found[number] for number in range(len(tasks))]


@lru_cache(maxsize=1)
def _work(setting: RecogniserConfig, expected: tuple[tuple[str, str], ...]) -> process_pool.Work:
    """Made once in a process, and used for all parts that it is given.

    Raises:
        OvertoneError: this machine has another model, other clips or other code.
    """
    here = fingerprints(setting)
    other = [name for name, mark in expected if here[name] != mark]
    if other:
        raise OvertoneError(
            f"has other {', other '.join(other)} than the machine that runs the batch; install the same Overtone on "
            "all machines, and put --model and --adapt-from where all see them under the same name"
        )
    return make_work(setting, here["model"])
