"""Many sounds -> answers, by all cores of one machine or of many; killed at any moment it goes on where it stood.

    run(gather(["recordings/"]), Path("answers"), Setting())    # answers/answers.csv, answers/failures.csv

Who works is an engine, a function `answer(job, out, jobs, progress)` of a module of `ENGINES`. All of them answer the
same inputs by the same `Setting`; they differ in where the processes run, and in how the answers are laid out.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from overtone._internal.progress import Progress, silent_progress
from overtone.batch import local_engine, ray_engine
from overtone.batch.checkpoint import Report
from overtone.batch.inputs import Inputs
from overtone.batch.job import BatchJob, ResultSchema, make_schema
from overtone.batch.recogniser_config import OnError, RecogniserConfig, fingerprints
from overtone.errors import InputError, OptionError, suggest
from overtone.formats import parquet
from overtone.formats.csv import to_row
from overtone.formats.json import to_object


class Engine(NamedTuple):
    """Who works on a batch.

    Attributes:
        answer: answers a job, or what is left of it.
        forms: of the answers that it writes, the usual one first.
    """

    answer: Callable[[BatchJob, str, int | None, Progress], Report]
    forms: tuple[str, ...]


ENGINES = {
    "local": Engine(local_engine.run, local_engine.FORMS),
    "ray": Engine(ray_engine.run, ray_engine.FORMS),
}
FORMS = local_engine.FORMS


def run(
    inputs: Inputs,
    out: Path | str,
    setting: RecogniserConfig,
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
    form = _check_options(engine, form, jobs, shard)
    recogniser = setting.recogniser(on_error)
    rows = make_schema(inputs, recogniser)
    _check_no_clash(rows, inputs.manifest)
    plan = {
        **fingerprints(setting),
        "uncertain_below": recogniser.uncertain_below,
        "inputs": inputs.digest(),
        "shard": "/".join(map(str, shard)),
        "form": form,
        "engine": engine,
    }
    job = BatchJob(inputs, setting, rows, plan, form, shard)
    return ENGINES[engine].answer(job, str(out), jobs, progress)


def _check_options(engine: str, form: str | None, jobs: int | None, shard: tuple[int, int]) -> str:
    """The form, where all options can be followed."""
    if engine not in ENGINES:
        raise OptionError(f"no engine is called '{engine}'{suggest(engine, ENGINES)}")
    forms = ENGINES[engine].forms
    form = form or forms[0]
    if form not in FORMS:
        raise OptionError(f"no form of a batch is called '{form}'{suggest(form, FORMS)}")
    if form not in forms:
        raise OptionError(f"engine {engine} writes {' or '.join(forms)} alone, and no {form}")
    if form == "parquet":
        parquet.import_pyarrow()
    if jobs is not None and jobs < 1:
        raise OptionError(f"jobs: expected at least 1, got {jobs}")
    if not 1 <= shard[0] <= shard[1]:
        raise OptionError(f"shard: expected K/N with K from 1 to N, got {shard[0]}/{shard[1]}")
    return form


def _check_no_clash(rows: ResultSchema, manifest: str) -> None:
    """No column of the manifest is called as one of ours, whatever the form."""
    answer = rows._replace(columns=()).any_answer()
    for name in rows.columns:
        if name in {**to_row(answer), **to_object(answer)}:
            raise InputError(
                f"{manifest}: its column '{name}' is called as one of the answers; "
                f"rename it, for example to 'given_{name}'"
            )
