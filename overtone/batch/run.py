"""Run a batch on one machine or a cluster; a batch that was stopped resumes from its checkpoint.

    run(collect_inputs(["recordings/"]), Path("results"), RecogniserConfig())    # predictions.csv and failures.csv

An engine is a function `run(job, output, processes, progress)` with a row in `ENGINES`. All engines give the same
predictions; they differ in where the processes run and in the layout of the output.
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
    """An engine that runs batches.

    Attributes:
        run: runs the remaining parts of a job.
        formats: formats of the predictions it can write, the default first.
    """

    run: Callable[[BatchJob, str, int | None, Progress], Report]
    formats: tuple[str, ...]


ENGINES = {
    "local": Engine(local_engine.run, local_engine.FORMATS),
    "ray": Engine(ray_engine.run, ray_engine.FORMATS),
}
FORMATS = local_engine.FORMATS


def run(
    inputs: Inputs,
    output: Path | str,
    config: RecogniserConfig,
    *,
    engine: str = "local",
    format: str | None = None,
    processes: int | None = None,
    shard: tuple[int, int] = (1, 1),
    progress: Progress = silent_progress,
    on_error: OnError = lambda error: None,
) -> Report:
    """Run a batch, or what remains of it.

    Args:
        inputs: the inputs to recognise.
        output: output folder, used by this batch alone; with engine "ray" also a URL such as `s3://bucket/results`.
        config: how the inputs are recognised.
        engine: a name in `ENGINES`.
        format: format of the predictions, one that the engine writes; None for its default.
        processes: the maximum number of processes; None for one per core.
        shard: number of this shard, from 1, and number of shards.
        progress: called with the number of inputs done.
        on_error: called with the error of each adaptation clip that is skipped.

    Returns:
        The numbers of "predictions" and "failures", and the fingerprint of the batch.

    Raises:
        OptionError: unknown engine, format, shard, class or branch, or fewer than one process.
        InputError: a column of the manifest has the name of an output column.
        ModelError: the model cannot be used.
        MissingExtraError: a package for the engine or the format is not installed.
        OvertoneError: the folder holds other files or cannot be written, or the model file changes during the batch.
    """
    format = _check_options(engine, format, processes, shard)
    recogniser = config.load(on_error)
    schema = make_schema(inputs, recogniser)
    _check_columns(schema, inputs.manifest)
    fingerprint = {
        **fingerprints(config),
        "uncertain_below": recogniser.uncertain_below,
        "emotions": ",".join(recogniser.emotions),
        "branches": ",".join(recogniser.branches),
        "inputs": inputs.digest(),
        "shard": "/".join(map(str, shard)),
        "format": format,
        "engine": engine,
    }
    job = BatchJob(inputs, config, schema, fingerprint, format, shard)
    return ENGINES[engine].run(job, str(output), processes, progress)


def _check_options(engine: str, format: str | None, processes: int | None, shard: tuple[int, int]) -> str:
    """Check all options and return the format."""
    if engine not in ENGINES:
        raise OptionError(f"unknown engine '{engine}'{suggest(engine, ENGINES)}")
    formats = ENGINES[engine].formats
    format = format or formats[0]
    if format not in FORMATS:
        raise OptionError(f"unknown batch format '{format}'{suggest(format, FORMATS)}")
    if format not in formats:
        raise OptionError(f"engine {engine} writes {' or '.join(formats)}, not {format}")
    if format == "parquet":
        parquet.import_pyarrow()
    if processes is not None and processes < 1:
        raise OptionError(f"processes: expected at least 1, got {processes}")
    if not 1 <= shard[0] <= shard[1]:
        raise OptionError(f"shard: expected K/N with K from 1 to N, got {shard[0]}/{shard[1]}")
    return format


def _check_columns(schema: ResultSchema, manifest: str) -> None:
    """Check that no column of the manifest has the name of an output column, in any format."""
    prediction = schema._replace(columns=()).placeholder()
    for name in schema.columns:
        if name in {**to_row(prediction), **to_object(prediction)}:
            raise InputError(
                f"{manifest}: the column '{name}' has the name of an output column; "
                f"rename it, for example to 'given_{name}'"
            )
