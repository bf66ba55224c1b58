"""Many sounds -> answers, by all cores of one machine or of many; killed at any moment it goes on where it stood.

    run(gather(["recordings/"]), Path("answers"), Setting())    # answers/answers.csv, answers/failures.csv

Who works is an engine, a function `answer(job, out, jobs, progress)` of a module of `ENGINES`. All of them answer the
same inputs by the same `Setting`; they differ in where the processes run, and in how the answers are laid out.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from overtone.errors import InputError, OptionError, nearest
from overtone.outputs import parquet
from overtone.outputs.csv import as_row
from overtone.outputs.json import as_object
from overtone.tasks.bulk import cluster, local
from overtone.tasks.bulk.inputs import Inputs
from overtone.tasks.bulk.job import Job, Rows, rows_of
from overtone.tasks.bulk.parts import Report
from overtone.tasks.bulk.setting import OnError, Setting, marks
from overtone.tasks.progress import Progress, silent_progress


class Engine(NamedTuple):
    """Who works on a batch.

    Attributes:
        answer: answers a job, or what is left of it.
        forms: of the answers that it writes, the usual one first.
    """

    answer: Callable[[Job, str, int | None, Progress], Report]
    forms: tuple[str, ...]


ENGINES = {
    "local": Engine(local.answer, local.FORMS),
    "ray": Engine(cluster.answer, cluster.FORMS),
}
FORMS = local.FORMS


def run(
    inputs: Inputs,
    out: Path | str,
    setting: Setting,
    *,
    engine: str = "local",
    form: str | None = None,
    jobs: int | None = None,
    shard: tuple[int, int] = (1, 1),
    progress: Progress = silent_progress,
    on_error: OnError = lambda error: None,
) -> Report:
    """Answers all inputs, or what is left of them.

    Args:
        inputs: what to answer.
        out: folder of the answers, this batch's alone; with engine "ray" an address such as `s3://bucket/answers`, too.
        setting: how they are recognised.
        engine: who works, out of `ENGINES`.
        form: of the answers, one that the engine writes; None for its usual one.
        jobs: processes at a time; None for one per core.
        shard: which shard this is, from 1, and of how many.
        progress: told of inputs done.
        on_error: told of clips that are not adapted to.

    Returns:
        How many "answers" and "failures" there are, beside the plan.

    Raises:
        OptionError: no such engine, form or shard, or less than one job.
        InputError: the manifest has a column with the name of one of ours.
        ModelError: the model cannot be used.
        MissingExtraError: what the engine or the form needs is not installed.
        OvertoneError: the folder belongs to something else or cannot be written; the model file changes meanwhile.
    """
    form = _expect_options(engine, form, jobs, shard)
    recogniser = setting.recogniser(on_error)
    rows = rows_of(inputs, recogniser)
    _expect_no_clash(rows, inputs.manifest)
    plan = {
        **marks(setting),
        "uncertain_below": recogniser.uncertain_below,
        "inputs": inputs.digest(),
        "shard": "/".join(map(str, shard)),
        "form": form,
        "engine": engine,
    }
    job = Job(inputs, setting, rows, plan, form, shard)
    return ENGINES[engine].answer(job, str(out), jobs, progress)


def _expect_options(engine: str, form: str | None, jobs: int | None, shard: tuple[int, int]) -> str:
    """The form, where all options can be followed."""
    if engine not in ENGINES:
        raise OptionError(f"no engine is called '{engine}'{nearest(engine, ENGINES)}")
    forms = ENGINES[engine].forms
    form = form or forms[0]
    if form not in FORMS:
        raise OptionError(f"no form of a batch is called '{form}'{nearest(form, FORMS)}")
    if form not in forms:
        raise OptionError(f"engine {engine} writes {' or '.join(forms)} alone, and no {form}")
    if form == "parquet":
        parquet.arrow()
    if jobs is not None and jobs < 1:
        raise OptionError(f"jobs: expected at least 1, got {jobs}")
    if not 1 <= shard[0] <= shard[1]:
        raise OptionError(f"shard: expected K/N with K from 1 to N, got {shard[0]}/{shard[1]}")
    return form


def _expect_no_clash(rows: Rows, manifest: str) -> None:
    """No column of the manifest is called as one of ours, whatever the form."""
    answer = rows._replace(columns=()).any_answer()
    for name in rows.columns:
        if name in {**as_row(answer), **as_object(answer)}:
            raise InputError(
                f"{manifest}: its column '{name}' is called as one of the answers; "
                f"rename it, for example to 'given_{name}'"
            )
