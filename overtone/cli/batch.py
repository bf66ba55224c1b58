"""`overtone batch SOURCE... --output DIR`: folders, patterns or a manifest -> tables of predictions and failures.

A batch that was stopped resumes when the command is run again. Files that cannot be recognised are listed in
`failures.csv`, and the exit code is then 1. With `--engine ray` a cluster runs the batch. See `docs/scale.md`.
"""

import argparse
import sys

from overtone.batch.inputs import collect_inputs
from overtone.batch.object_storage import join
from overtone.batch.recogniser_config import RecogniserConfig
from overtone.batch.run import ENGINES, FORMATS, check_channels, has_speakers, run
from overtone.batch.scoring import labelled_parts, score_output, select_columns
from overtone.cli.argtypes import positive_int
from overtone.cli.batch_score import score_to_text, write_score
from overtone.cli.errors import print_error, usage_errors
from overtone.cli.options import SkippedClips, channel_arguments, collect_clips, recogniser_arguments
from overtone.cli.output import check_dialect, dialect_argument, folder_or_url
from overtone.cli.progress import ProgressBar
from overtone.formats import PREDICTION_FORMATS
from overtone.inference.recogniser import load
from overtone.inference.training_overlap import overlap_of_parts


def batch_arguments(parser: argparse.ArgumentParser) -> None:
    """Add SOURCE..., the options of the batch and those of the recogniser."""
    parser.add_argument(
        "sources", nargs="+", metavar="SOURCE",
        help="a folder, an audio file, a pattern such as 'calls/**/*.flac', a URL such as s3://bucket/calls, "
        "or a manifest as the only source: a table (.csv, .tsv, .jsonl, .parquet), or manifest=DIR for a folder that "
        "describes its recordings",
    )  # fmt: skip
    parser.add_argument(
        "--output", metavar="DIR", type=folder_or_url, required=True,
        help="output folder for predictions and failures, used by this batch alone",
    )  # fmt: skip
    parser.add_argument(
        "--engine", choices=ENGINES, default="local",
        help="where the batch runs: on this machine (local), or on a running Ray cluster (ray); default: local",
    )  # fmt: skip
    defaults = ", ".join(f"{engine.formats[0]} for {name}" for name, engine in ENGINES.items())
    parser.add_argument("--format", choices=FORMATS, help=f"format of the predictions (default: {defaults})")
    dialect_argument(parser)
    parser.add_argument(
        "--processes", metavar="N", type=positive_int,
        help="maximum number of parallel processes (default: one per core)",
    )  # fmt: skip
    parser.add_argument(
        "--shard", metavar="K/N", type=_parse_shard, default=(1, 1),
        help="run only the K-th of N shards; each shard needs a separate output folder",
    )  # fmt: skip
    parser.add_argument(
        "--reference-by", metavar="COLUMN", default="",
        help="a column of the manifest, such as the speaker or the device, or 'folder': inputs with the same value are "
        "reference clips of each other, to which the model adapts (default: no adaptation)",
    )  # fmt: skip
    parser.add_argument(
        "--score", action="store_true",
        help="at the end, say how right the predictions are by the column 'emotion' of the manifest, and write it to "
        "score.json in the output folder; a finished batch is not run again",
    )  # fmt: skip
    parser.add_argument(
        "--score-by", metavar="COLUMN", action="append", default=[],
        help="as --score, and for each value of a column of the manifest, such as gender; may be given several times",
    )  # fmt: skip
    recogniser_arguments(parser)
    channel_arguments(parser)


def batch(args: argparse.Namespace) -> int:
    """Run a batch; return exit code 1 if an input could not be recognised, else 0."""
    if args.emotions is not None or args.branches is not None:
        with usage_errors():
            load(args.model, emotions=args.emotions, branches=args.branches)
    skipped = SkippedClips()
    clips = tuple(map(str, collect_clips(args.reference, skipped))) if args.reference else None
    config = RecogniserConfig(
        str(args.model or ""),
        args.uncertain_below,
        clips,
        args.emotions,
        args.branches,
        args.channel,
        args.channel_names,
    )
    inputs = collect_inputs(args.sources)
    check_dialect(args.csv_dialect, args.format or ENGINES[args.engine].formats[0], PREDICTION_FORMATS)
    with usage_errors():
        check_channels(config, inputs, args.reference_by)
        columns = select_columns(inputs, args.score_by) if args.score or args.score_by else None
    with ProgressBar("files") as bar:
        report = run(
            inputs,
            args.output,
            config,
            engine=args.engine,
            format=args.format,
            csv_dialect=args.csv_dialect,
            processes=args.processes,
            shard=args.shard,
            reference_by=args.reference_by,
            progress=bar,
            on_error=skipped,
        )
    failures, total = report["failures"], report["failures"] + report["predictions"]
    if failures:
        what = "inputs or channels" if has_speakers(config, inputs) else "inputs"
        print_error(f"{failures} of {total} {what} could not be recognised; see {join(args.output, 'failures.csv')}")
    if columns is not None:
        score = score_output(args.output, report, columns)
        warning = overlap_of_parts(load(args.model), labelled_parts(inputs, columns))
        path = write_score(score, args.output, warning)
        if warning:
            print_error(f"warning: {warning}")
        sys.stdout.write(score_to_text(score, path))
    return 1 if failures or skipped.count else 0


def _parse_shard(text: str) -> tuple[int, int]:
    shard, slash, shards = text.partition("/")
    if not slash or not 1 <= positive_int(shard) <= positive_int(shards):
        raise argparse.ArgumentTypeError(f"expected K/N with K from 1 to N, such as 2/8, got {text!r}")
    return int(shard), int(shards)
