"""Run a batch on one machine or a cluster; a batch that was stopped resumes from its checkpoint.

    run(collect_inputs(["recordings/"]), Path("results"), RecogniserConfig())    # predictions.csv and failures.csv

An engine is a function `run(job, output, processes, progress)` with a row in `ENGINES`. All engines give the same
predictions; they differ in where the processes run and in the layout of the output.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from overtone._internal.progress import Progress, silent_progress
from overtone._internal.pyarrow_import import import_pyarrow
from overtone.batch import local_engine, ray_engine
from overtone.batch.checkpoint import Report
from overtone.batch.inputs import Inputs
from overtone.batch.job import BatchJob, make_schema
from overtone.batch.recogniser_config import OnError, RecogniserConfig, fingerprints
from overtone.batch.reference_groups import assign_groups
from overtone.each_channel import EACH, choose_channels, parse_channel_or_each
from overtone.errors import OptionError, suggest
from overtone.formats import DEFAULT_DIALECT, PREDICTION_FORMATS, check_dialect


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
    csv_dialect: str = DEFAULT_DIALECT,
    processes: int | None = None,
    shard: tuple[int, int] = (1, 1),
    reference_by: str = "",
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
        csv_dialect: of the predictions and failures, a key of `DIALECTS`; another one than the default needs "csv".
        processes: the maximum number of processes; None for one per core.
        shard: number of this shard, from 1, and number of shards.
        reference_by: column of the manifest, or "folder": inputs with the same value are reference clips of each other,
            at least three and at most 200 of them; "" for none.
        progress: called with the number of inputs done.
        on_error: called with the error of each reference clip that is skipped.

    Returns:
        The numbers of "predictions" and "failures", and the fingerprint of the batch.

    Raises:
        OptionError: unknown engine, format, dialect, shard, channel, class or branch, a dialect of another format than
            CSV, fewer than one process, channel names that are not needed, or reference clips or `reference_by` with
            an option that does not support them.
        InputError: two columns of the manifest would have one name in the output, or there is no column `reference_by`.
        ModelError: the model cannot be used.
        MissingExtraError: a package for the engine or the format is not installed.
        OvertoneError: the folder holds other files or cannot be written, or the model file changes during the batch.
    """
    format = _check_options(engine, format, csv_dialect, processes, shard)
    config = check_channels(config, inputs, reference_by)
    _check_reference_by(reference_by, config, engine, shard)
    groups = assign_groups(inputs, reference_by) if reference_by else ()
    recogniser = config.load(on_error)
    if reference_by:
        recogniser.check_can_adapt()
    schema = make_schema(inputs, recogniser, config.channel)
    fingerprint = {
        **fingerprints(config),
        "uncertain_below": recogniser.uncertain_below,
        "emotions": json.dumps(recogniser.emotions),  # a class may contain a comma
        "branches": ",".join(recogniser.branches),
        "channel": config.channel,
        "channel_names": json.dumps(config.channel_names),
        "reference_by": reference_by,
        "inputs": inputs.digest(),
        "shard": "/".join(map(str, shard)),
        "format": format,
        "csv_dialect": csv_dialect,
        "engine": engine,
    }
    job = BatchJob(inputs, config, schema, fingerprint, format, shard, groups, csv_dialect)
    return ENGINES[engine].run(job, str(output), processes, progress)


def _check_options(
    engine: str, format: str | None, csv_dialect: str, processes: int | None, shard: tuple[int, int]
) -> str:
    """Check all options and return the format."""
    if engine not in ENGINES:
        raise OptionError(f"unknown engine '{engine}'{suggest(engine, ENGINES)}")
    formats = ENGINES[engine].formats
    format = format or formats[0]
    if format not in FORMATS:
        raise OptionError(f"unknown batch format '{format}'{suggest(format, FORMATS)}")
    if format not in formats:
        raise OptionError(f"engine {engine} writes {' or '.join(formats)}, not {format}")
    check_dialect(format, csv_dialect, PREDICTION_FORMATS)
    if format == "parquet":
        import_pyarrow()
    if processes is not None and processes < 1:
        raise OptionError(f"processes: expected at least 1, got {processes}")
    if not 1 <= shard[0] <= shard[1]:
        raise OptionError(f"shard: expected K/N with K from 1 to N, got {shard[0]}/{shard[1]}")
    return format


def check_channels(config: RecogniserConfig, inputs: Inputs, reference_by: str = "") -> RecogniserConfig:
    """Check the channels against the other options and the manifest, and return the configuration with them.

    Raises:
        OptionError: not a channel, names that are not valid or not needed, or reference clips for channels that are
            speakers.
    """
    config = config._replace(channel=parse_channel_or_each(config.channel))
    names = choose_channels(EACH, config.channel_names).names
    if names and not has_speakers(config, inputs):
        raise OptionError(f"--channel-names: needs --channel {EACH}, or a row of the manifest with this channel")
    if has_speakers(config, inputs) and (reference_by or config.reference is not None):
        option = "--reference-by" if reference_by else "--reference"
        raise OptionError(f"{option}: cannot be combined with channel {EACH}, whose channels are different speakers")
    return config._replace(channel_names=names)


def has_speakers(config: RecogniserConfig, inputs: Inputs) -> bool:
    """Return whether each channel of some input is a speaker."""
    return config.channel == EACH or any(row.channel == EACH for row in inputs.rows)


def _check_reference_by(reference_by: str, config: RecogniserConfig, engine: str, shard: tuple[int, int]) -> None:
    """Check that the other options support groups of inputs."""
    if not reference_by:
        return
    if config.reference is not None:
        raise OptionError("--reference-by: cannot be combined with --reference; choose one of them")
    if engine != "local":
        raise OptionError(f"--reference-by: engine {engine} does not support it; use --engine local")
    if shard != (1, 1):
        raise OptionError("--reference-by: shards would divide groups; give each machine a manifest of its own")
