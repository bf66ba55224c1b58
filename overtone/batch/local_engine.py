"""The engine of one machine: a part is kept as the numbers of its answers, and files are made of all parts in the end.

So they are the same, byte for byte, whatever happened on the way; see `overtone.batch.checkpoint` for the folder.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from overtone._internal.cpu_count import cpu_count
from overtone._internal.progress import Progress
from overtone.batch.checkpoint import BatchCheckpoint, Report, open_checkpoint
from overtone.batch.inputs import Value
from overtone.batch.job import BatchJob, Partitioner, compact_result, text_stream, to_task
from overtone.batch.object_storage import is_address
from overtone.batch.process_pool import results
from overtone.batch.recogniser_config import make_work
from overtone.datatypes import Prediction
from overtone.errors import OptionError
from overtone.formats import get_format, parquet

FORMS = ("csv", "jsonl", "parquet")
PART_INPUTS = 64


def run(job: BatchJob, out: str, jobs: int | None, progress: Progress) -> Report:
    """Answers what is left of a batch by processes of this machine.

    Args:
        job: the batch.
        out: folder of the answers.
        jobs: processes at a time; None for one per core.
        progress: told of inputs done.

    Raises:
        OptionError: `out` is no folder of this machine.
        OvertoneError: the folder belongs to something else or cannot be written; the model file changes meanwhile.
    """
    if is_address(out):
        raise OptionError(f"--output {out}: a folder of this machine is expected; an address takes --engine ray")
    batch = _Batch(job)
    with open_checkpoint(Path(out), job.plan) as (parts, report):
        if report is not None:
            return report
        batch.answer(parts, jobs or cpu_count(), progress)
        failures: list[list[Value]] = []
        name = f"answers.{job.form}"
        parts.put(name, lambda stream: batch.write(batch.answers(parts, failures), stream))
        parts.put("failures.csv", lambda stream: job.rows.write_failures(failures, stream))
        return parts.finish(job.plan, {"answers": len(batch.cut) - len(failures), "failures": len(failures)})


class _Batch:
    """A batch and its parts."""

    def __init__(self, job: BatchJob) -> None:
        self._job = job
        self.cut = Partitioner(job.inputs.rows, PART_INPUTS, job.shard)

    def answer(self, parts: BatchCheckpoint, jobs: int, progress: Progress) -> None:
        """Has the workers answer what is not yet in a part, and keeps each part once it is full."""
        cut = self.cut
        missing = [part for part in cut.parts if not parts.has(part, len(cut.rows(part)))]
        done = len(cut) - sum(len(cut.rows(part)) for part in missing)
        held: defaultdict[int, dict[int, Any]] = defaultdict(dict)
        make = partial(make_work, self._job.setting, self._job.plan["model"])
        for number, result in results(make, self._tasks(missing), jobs):
            part = number // PART_INPUTS
            rows = cut.rows(part)
            held[part][number % PART_INPUTS] = result
            if len(held[part]) == len(rows):
                in_order = sorted(held.pop(part).items())
                parts.write(part, [compact_result(rows[place], result) for place, result in in_order])
            done += 1
            progress(done, len(cut), "")

    def _tasks(self, missing: Sequence[int]) -> Iterator[tuple[int, Any]]:
        """Number and task of each input."""
        for part in missing:
            for place, row in enumerate(self.cut.rows(part)):
                yield part * PART_INPUTS + place, to_task(row)

    def answers(self, parts: BatchCheckpoint, failures: list[list[Value]]) -> Iterator[Prediction]:
        """The answers in order of the inputs; rows for those without one go to `failures`."""
        for part in self.cut.parts:
            for row, result in zip(self.cut.rows(part), parts.read(part), strict=True):
                if "error" in result:
                    failures.append([*row.values, row.name, result["error"]])
                else:
                    yield self._job.rows.answer(row, result)

    def write(self, answers: Iterator[Prediction], stream: BinaryIO) -> None:
        """Writes answers in one of `FORMATS`."""
        if self._job.form == "parquet":
            parquet.write(answers, stream, self._job.rows.types)
            return
        get_format(self._job.form).write(answers, text_stream(stream))
