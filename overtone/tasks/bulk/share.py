"""What a machine of many does: one part of a batch, from its inputs to its answers in the dataset.

It does so in its own process. That one may die of an input; whoever gave out the part has it done again `alone`, with
each input in a process of its own kind, of which only the input is lost.
"""

import platform
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

from overtone.errors import OvertoneError
from overtone.tasks.bulk import workers
from overtone.tasks.bulk.dataset import Dataset
from overtone.tasks.bulk.inputs import Input, Value
from overtone.tasks.bulk.job import Rows, kept, task_of
from overtone.tasks.bulk.setting import Setting, marks, recognising
from overtone.values import Answer


class Share(NamedTuple):
    """What there is to know of a batch to answer a part of it.

    Attributes:
        out: of the dataset.
        setting: how inputs are recognised; its paths mean the same on every machine.
        expected: what `overtone.tasks.bulk.setting.marks` must find here.
        rows: what all answers have in common.
    """

    out: str
    setting: Setting
    expected: tuple[tuple[str, str], ...]
    rows: Rows


def answer_part(share: Share, part: int, inputs: Sequence[Input], alone: bool) -> dict[str, Any]:
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
        tasks = [task_of(row) for row in inputs]
        results = _apart(share, tasks) if alone else [work(task) for task in tasks]
        answers: list[Answer] = []
        failures: list[list[Value]] = []
        for row, came in zip(inputs, results, strict=True):
            result = kept(row, came)
            if "error" in result:
                failures.append([*row.values, row.name, result["error"]])
            else:
                answers.append(share.rows.answer(row, result))
        return dict(Dataset(share.out).write(part, share.rows, answers, failures))
    except OvertoneError as error:
        return {"failed": f"{platform.node()}: {error}"}


def _apart(share: Share, tasks: Sequence[Any]) -> list[Any]:
    """The results, by a process that is replaced when it dies."""
    make = partial(recognising, share.setting, dict(share.expected)["model"])
    found = dict(workers.results(make, enumerate(tasks), jobs=1))
    return [found[number] for number in range(len(tasks))]


@lru_cache(maxsize=1)
def _work(setting: Setting, expected: tuple[tuple[str, str], ...]) -> workers.Work:
    """Made once in a process, and used for all parts that it is given.

    Raises:
        OvertoneError: this machine has another model, other clips or other code.
    """
    here = marks(setting)
    other = [name for name, mark in expected if here[name] != mark]
    if other:
        raise OvertoneError(
            f"has other {', other '.join(other)} than the machine that runs the batch; install the same Overtone on "
            "all machines, and put --model and --adapt-from where all see them under the same name"
        )
    return recognising(setting, here["model"])
