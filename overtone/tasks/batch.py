"""Many sounds -> a folder of answers, by all cores; killed at any moment it goes on where it stood.

    run(gather(["recordings/"]), Path("answers"), Setting())    # answers/answers.csv, answers/failures.csv

The inputs are cut into parts of `PART_INPUTS`; see `overtone.tasks.parts` for the folder. A part holds the numbers of
the answers as they are, so that the files made of all parts in the end are the same, byte for byte, whatever happened
on the way. A machine may take every N-th part alone (`shard`).
"""

import codecs
import csv
import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

import numpy as np

from overtone.errors import InputError, OptionError, nearest
from overtone.outputs import form_named, parquet
from overtone.outputs.csv import as_row
from overtone.outputs.json import as_object
from overtone.tasks.fingerprint import fingerprint
from overtone.tasks.inputs import Input, Inputs, Value
from overtone.tasks.numbers import answer_of
from overtone.tasks.parts import Parts, Report, opened
from overtone.tasks.progress import Progress, silent_progress
from overtone.tasks.recognise import Recogniser
from overtone.tasks.session import BRANCHES
from overtone.tasks.setting import OnError, Setting, recognising, sha256
from overtone.tasks.workers import Died, Work, results
from overtone.values import Answer

FORMS = ("csv", "jsonl", "parquet")
PART_INPUTS = 64


def run(
    inputs: Inputs,
    out: Path,
    setting: Setting,
    *,
    form: str = "csv",
    jobs: int | None = None,
    shard: tuple[int, int] = (1, 1),
    progress: Progress = silent_progress,
    on_error: OnError = lambda error: None,
) -> Report:
    """Answers all inputs, or what is left of them.

    Args:
        inputs: what to answer.
        out: folder of the answers, this batch's alone.
        setting: how they are recognised.
        form: of the answers, out of `FORMS`.
        jobs: processes at a time; None for one per core.
        shard: which shard this is, from 1, and of how many.
        progress: told of inputs done.
        on_error: told of clips that are not adapted to.

    Returns:
        How many "answers" and "failures" there are, beside the plan.

    Raises:
        OptionError: no such form or shard, or less than one job.
        InputError: the manifest has a column with the name of one of ours.
        ModelError: the model cannot be used.
        OvertoneError: the folder belongs to something else or cannot be written; the model file changes meanwhile.
    """
    _expect_options(form, jobs, shard)
    recogniser = setting.recogniser(on_error)
    _expect_no_clash(inputs, recogniser)
    plan: dict[str, Any] = {
        "model": sha256(setting.model_path),
        "adaptation": sha256(*map(Path, setting.adapt_from or ())),
        "uncertain_below": recogniser.uncertain_below,
        "inputs": inputs.digest(),
        "shard": "/".join(map(str, shard)),
        "form": form,
        "code": fingerprint("audio", "tasks"),
    }
    batch = _Batch(inputs, recogniser, shard)
    with opened(out, plan) as (parts, report):
        if report is not None:
            return report
        make = partial(recognising, setting, plan["model"])
        batch.answer(parts, make, jobs or _cores(), progress)
        failures: list[list[Value]] = []
        parts.put(f"answers.{form}", lambda stream: batch.write(batch.answers(parts, failures), form, stream))
        parts.put("failures.csv", lambda stream: batch.write_failures(failures, stream))
        return parts.finish(plan, {"answers": len(batch) - len(failures), "failures": len(failures)})


class _Batch:
    """The inputs of one shard, cut into parts that are numbered over all shards."""

    def __init__(self, inputs: Inputs, recogniser: Recogniser, shard: tuple[int, int]) -> None:
        self._inputs = inputs
        self._recogniser = recogniser
        first, step = shard
        self._parts = range(first - 1, -(-len(inputs.rows) // PART_INPUTS), step)

    def __len__(self) -> int:
        return sum(len(self._rows(part)) for part in self._parts)

    def _rows(self, part: int) -> Sequence[Input]:
        return self._inputs.rows[part * PART_INPUTS : (part + 1) * PART_INPUTS]

    def answer(self, parts: Parts, make: Callable[[], Work], jobs: int, progress: Progress) -> None:
        """Has the workers answer what is not yet in a part, and keeps each part once it is full."""
        missing = [part for part in self._parts if not parts.has(part, len(self._rows(part)))]
        done = len(self) - sum(len(self._rows(part)) for part in missing)
        held: defaultdict[int, dict[int, Any]] = defaultdict(dict)
        for number, result in results(make, self._tasks(missing), jobs):
            part = number // PART_INPUTS
            rows = self._rows(part)
            held[part][number % PART_INPUTS] = result
            if len(held[part]) == len(rows):
                in_order = sorted(held.pop(part).items())
                parts.write(part, [_kept(rows[place], result) for place, result in in_order])
            done += 1
            progress(done, len(self), "")

    def _tasks(self, missing: Sequence[int]) -> Iterator[tuple[int, Any]]:
        """Number of each input, and what `_recognised` takes."""
        for part in missing:
            for place, row in enumerate(self._rows(part)):
                yield part * PART_INPUTS + place, [row.path, row.start_s, row.end_s, row.error]

    def answers(self, parts: Parts, failures: list[list[Value]]) -> Iterator[Answer]:
        """The answers in order of the inputs; rows for those without one go to `failures`."""
        for part in self._parts:
            for row, result in zip(self._rows(part), parts.read(part), strict=True):
                if "error" in result:
                    failures.append([*row.values, row.name, result["error"]])
                else:
                    yield self._answer(row, result)

    def _answer(self, row: Input, result: Mapping[str, Any]) -> Answer:
        return answer_of(
            result,
            self._recogniser.emotions,
            model=self._recogniser.card["id"],
            source=row.name,
            uncertain_below=self._recogniser.uncertain_below,
            columns=dict(zip(self._inputs.columns, row.values, strict=True)),
        )

    def write(self, answers: Iterator[Answer], form: str, stream: BinaryIO) -> None:
        """Writes answers in one of `FORMS`."""
        if form == "parquet":
            parquet.write(answers, stream, self._inputs.types)
            return
        form_named(form).write(answers, _as_text(stream))

    def write_failures(self, failures: Sequence[Sequence[Value]], stream: BinaryIO) -> None:
        """Writes `path,error` as CSV, with the columns of the manifest in front."""
        rows = csv.writer(_as_text(stream), lineterminator="\n")
        rows.writerow([*self._inputs.columns, "path", "error"])
        rows.writerows(failures)


def _kept(row: Input, result: Any) -> Any:
    if not isinstance(result, Died):
        return result
    why = "it takes too much memory, or crashes the decoder; try: ffmpeg -i INPUT OUTPUT.wav"
    return {"error": f"{row.path}: two processes died of it ({result.how}): {why}"}


def _as_text(stream: BinaryIO) -> TextIO:
    """File names that are no UTF-8 keep their bytes."""
    return cast(TextIO, codecs.getwriter("utf-8")(stream, "surrogateescape"))


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _expect_options(form: str, jobs: int | None, shard: tuple[int, int]) -> None:
    if form not in FORMS:
        raise OptionError(f"no form of a batch is called '{form}'{nearest(form, FORMS)}")
    if form == "parquet":
        parquet.arrow()
    if jobs is not None and jobs < 1:
        raise OptionError(f"jobs: expected at least 1, got {jobs}")
    if not 1 <= shard[0] <= shard[1]:
        raise OptionError(f"shard: expected K/N with K from 1 to N, got {shard[0]}/{shard[1]}")


def _expect_no_clash(inputs: Inputs, recogniser: Recogniser) -> None:
    """No column of the manifest is called as one of ours, whatever the form."""
    even = np.full(len(recogniser.emotions), 1 / len(recogniser.emotions))
    answer = Answer(recogniser.emotions, even, dict.fromkeys(BRANCHES, even))
    for name in inputs.columns:
        if name in {**as_row(answer), **as_object(answer)}:
            raise InputError(
                f"{inputs.manifest}: its column '{name}' is called as one of the answers; "
                f"rename it, for example to 'given_{name}'"
            )
