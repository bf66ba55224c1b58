"""The Ray task of a batch: one node runs one part, from its inputs to its file in the Parquet dataset.

An input may kill the process of the task. The engine then runs the part again with `isolated`, which runs the inputs in
a separate process: only the input at fault is lost.
"""

import platform
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

from overtone.batch.inputs import Input
from overtone.batch.job import Failure, ResultSchema, check_result, to_task
from overtone.batch.parquet_sink import ParquetSink
from overtone.batch.process_pool import TaskFunction, run_tasks
from overtone.batch.recogniser_config import RecogniserConfig, fingerprints, make_task_function
from overtone.errors import OvertoneError


class RayTask(NamedTuple):
    """The properties of a batch that a node needs to run a part.

    Attributes:
        output: path or URL of the output folder.
        config: how inputs are recognised; its paths are valid on every node.
        expected: the names and values that `overtone.batch.recogniser_config.fingerprints` must return on the node.
        schema: the properties that all predictions share.
    """

    output: str
    config: RecogniserConfig
    expected: tuple[tuple[str, str], ...]
    schema: ResultSchema


def run_part(task: RayTask, part: int, inputs: Sequence[Input], isolated: bool) -> dict[str, Any]:
    """Run a part and store it.

    Args:
        task: the batch.
        part: number of the part.
        inputs: inputs of the part.
        isolated: whether to run the inputs in a separate process, so that none of them can kill this one.

    Returns:
        The numbers of "predictions" and "failures"; or an error message as "failed".
    """
    try:
        run_task = _cached_task_function(task.config, task.expected)
        tasks = [to_task(row) for row in inputs]
        results = _run_isolated(task, tasks) if isolated else list(map(run_task, tasks))
        failures: list[Failure] = []
        predictions = list(task.schema.sort_results(inputs, map(check_result, inputs, results), failures))
        return dict(ParquetSink(task.output).write_part(part, task.schema, predictions, failures))
    except OvertoneError as error:
        return {"failed": f"{platform.node()}: {error}"}


def _run_isolated(task: RayTask, tasks: Sequence[Any]) -> list[Any]:
    """Return the results of the tasks, from a process that is replaced when it dies."""
    make_function = partial(make_task_function, task.config, dict(task.expected)["model"])
    results = dict(run_tasks(make_function, enumerate(tasks), processes=1))
    return [results[number] for number in range(len(tasks))]


@lru_cache(maxsize=1)
def _cached_task_function(config: RecogniserConfig, expected: tuple[tuple[str, str], ...]) -> TaskFunction:
    """Return the function that recognises an input, built once per process for all its parts.

    Raises:
        OvertoneError: this node has another model, other reference clips or other code.
    """
    found = fingerprints(config)
    different = [name for name, value in expected if found[name] != value]
    if different:
        raise OvertoneError(
            f"differs from the machine that runs the command in {', '.join(different)}; install the same version "
            "of Overtone on all nodes, and put --model and --reference where all nodes see them under the same path"
        )
    return make_task_function(config, found["model"])
