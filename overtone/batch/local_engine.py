"""The engine for one machine: worker processes fill the parts of a checkpoint; the output is written from all parts.

The output is therefore byte-identical however often the batch was stopped. See `overtone.batch.checkpoint` for the
output folder.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from overtone._internal.cpu_count import cpu_count
from overtone._internal.progress import Progress
from overtone.batch.checkpoint import FAILURES_FILE, BatchCheckpoint, Report, open_checkpoint
from overtone.batch.job import BatchJob, Failure, Partitioner, check_result, text_stream, to_task
from overtone.batch.object_storage import is_url
from overtone.batch.process_pool import TaskFunction, run_tasks
from overtone.batch.recogniser_config import make_task_function
from overtone.batch.reference_groups import make_adapted_function, measure_groups
from overtone.datatypes import Prediction
from overtone.errors import OptionError
from overtone.formats import dialect_option, get_format, parquet

FORMATS = ("csv", "jsonl", "parquet")
PART_SIZE = 64  # inputs


def run(job: BatchJob, output: str, processes: int | None, progress: Progress) -> Report:
    """Run the remaining parts of a batch in processes of this machine, and return its report.

    Args:
        job: the batch.
        output: the output folder.
        processes: the maximum number of worker processes; None for one per core.
        progress: called with the number of inputs done.

    Raises:
        OptionError: `output` is a URL.
        OvertoneError: the folder holds other files or cannot be written, or the model file changes during the batch.
    """
    if is_url(output):
        raise OptionError(f"--output {output}: expected a folder of this machine; a URL requires --engine ray")
    batch = _Batch(job)
    with open_checkpoint(Path(output), job.fingerprint) as (checkpoint, report):
        if report is not None:
            return report
        batch.run_missing(checkpoint, processes or cpu_count(), progress)
        failures: list[Failure] = []
        counts = Counter[str]()
        checkpoint.write_output(
            f"predictions.{job.format}",
            lambda stream: batch.write(_count(batch.predictions(checkpoint, failures), counts), stream),
        )
        checkpoint.write_output(
            FAILURES_FILE, lambda stream: job.schema.write_failures(failures, stream, job.csv_dialect)
        )
        numbers = {"predictions": counts["predictions"], "failures": len(failures)}
        return checkpoint.finish(job.fingerprint, {"relative_to": job.schema.relative_to, **numbers})


class _Batch:
    """A batch and its parts."""

    def __init__(self, job: BatchJob) -> None:
        self._job = job
        self.partition = Partitioner(job.inputs.rows, PART_SIZE, job.shard)

    def run_missing(self, checkpoint: BatchCheckpoint, processes: int, progress: Progress) -> None:
        """Run the inputs of all parts missing from the checkpoint, and store each part once it is complete.

        Before, the reference clips of groups are run, whose results are stored likewise.
        """
        config, model_hash = self._job.config, self._job.fingerprint["model"]
        if self._job.groups:
            file, clips = measure_groups(self._job, checkpoint.folder, processes, progress)
            make_adapted = partial(make_adapted_function, config, model_hash, str(file))
            self._run_parts(checkpoint, processes, make_adapted, _with_offset(progress, clips))
        else:
            self._run_parts(checkpoint, processes, partial(make_task_function, config, model_hash), progress)

    def _run_parts(
        self,
        checkpoint: BatchCheckpoint,
        processes: int,
        make_function: Callable[[], TaskFunction],
        progress: Progress,
    ) -> None:
        partition = self.partition
        missing = [part for part in partition.parts if not checkpoint.has(part, len(partition.rows(part)))]
        done = len(partition) - sum(len(partition.rows(part)) for part in missing)
        incomplete: defaultdict[int, dict[int, Any]] = defaultdict(dict)  # part -> position in the part -> result
        for number, result in run_tasks(make_function, self._tasks(missing), processes):
            part, position = divmod(number, PART_SIZE)
            rows = partition.rows(part)
            incomplete[part][position] = result
            if len(incomplete[part]) == len(rows):
                in_order = sorted(incomplete.pop(part).items())
                checkpoint.write(part, [check_result(rows[position], result) for position, result in in_order])
            done += 1
            progress(done, len(partition), "")

    def _tasks(self, missing: Sequence[int]) -> Iterator[tuple[int, Any]]:
        """Yield the number and the task of each input."""
        for part in missing:
            for position, row in enumerate(self.partition.rows(part)):
                number = part * PART_SIZE + position
                yield number, (to_task(row), self._job.groups[number]) if self._job.groups else to_task(row)

    def predictions(self, checkpoint: BatchCheckpoint, failures: list[Failure]) -> Iterator[Prediction]:
        """Yield the predictions in the order of the inputs, and append the rows of failed inputs to `failures`."""
        for part in self.partition.parts:
            yield from self._job.schema.sort_results(self.partition.rows(part), checkpoint.read(part), failures)

    def write(self, predictions: Iterator[Prediction], stream: BinaryIO) -> None:
        """Write predictions in the format of the job."""
        if self._job.format == "parquet":
            parquet.write_table(predictions, stream, self._job.schema.types)
            return
        options = dialect_option(self._job.format, self._job.csv_dialect)
        get_format(self._job.format).write(predictions, text_stream(stream), **options)


def _count(predictions: Iterator[Prediction], counts: Counter[str]) -> Iterator[Prediction]:
    for prediction in predictions:
        counts["predictions"] += 1
        yield prediction


def _with_offset(progress: Progress, steps: int) -> Progress:
    """Return a progress function for the rest of a batch after so many steps."""
    return lambda done, total, text: progress(steps + done, steps + total, text)
