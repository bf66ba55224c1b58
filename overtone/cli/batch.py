"""`overtone batch SOURCE... --output DIR`: folders, patterns or a manifest -> a file of answers and one of failures.

Killed and started again, it goes on where it stood. A file that cannot be recognised stands in `failures.csv`, and the
exit code is then 1. With `--engine ray` a cluster does the work. `docs/scale.md` tells more.
"""

import argparse

from overtone.batch.inputs import collect_inputs
from overtone.batch.object_storage import join
from overtone.batch.recogniser_config import RecogniserConfig
from overtone.batch.run import ENGINES, FORMS, run
from overtone.cli.argtypes import at_least_one
from overtone.cli.errors import print_error
from overtone.cli.options import SkippedClips, clips_in, recogniser_arguments
from overtone.cli.progress import ProgressBar


def batch_arguments(parser: argparse.ArgumentParser) -> None:
    """SOURCE... --output --engine --format --processes --shard --model --adapt-from --uncertain-below."""
    parser.add_argument(
        "sources", nargs="+", metavar="SOURCE",
        help="a folder, a sound file, a pattern such as 'calls/**/*.flac', an address such as s3://bucket/calls, "
        "or one manifest (.csv or .parquet)",
    )  # fmt: skip
    parser.add_argument(
        "--output", metavar="DIR", required=True, help="folder of answers and failures, this batch's alone"
    )
    parser.add_argument(
        "--engine", choices=ENGINES, default="local",
        help="who works: the cores of this machine (local), or a running cluster of Ray (default: local)",
    )  # fmt: skip
    usual = ", ".join(f"{engine.forms[0]} with {name}" for name, engine in ENGINES.items())
    parser.add_argument("--format", choices=FORMS, help=f"of the answers (default: {usual})")
    parser.add_argument(
        "--processes", metavar="N", type=at_least_one, help="processes at a time (default: one per core)"
    )
    parser.add_argument(
        "--shard",
        metavar="K/N",
        type=_shard,
        default=(1, 1),
        help="do the K-th of N shares alone, into a DIR of its own",
    )
    recogniser_arguments(parser)


def batch(args: argparse.Namespace) -> int:
    """Answers and failures of all sources; 1 where one could not be recognised."""
    leave_out = SkippedClips()
    clips = tuple(map(str, clips_in(args.adapt_from, leave_out))) if args.adapt_from else None
    setting = RecogniserConfig(str(args.model or ""), args.uncertain_below, clips)
    with ProgressBar("files") as bar:
        report = run(
            collect_inputs(args.sources),
            args.output,
            setting,
            engine=args.engine,
            form=args.format,
            jobs=args.processes,
            shard=args.shard,
            progress=bar,
            on_error=leave_out,
        )
    failures, total = report["failures"], report["failures"] + report["answers"]
    if failures:
        print_error(f"{failures} of {total} could not be recognised; {join(args.output, 'failures.csv')} says why")
    return 1 if failures or leave_out.count else 0


def _shard(text: str) -> tuple[int, int]:
    shard, slash, shards = text.partition("/")
    if not slash or not 1 <= at_least_one(shard) <= at_least_one(shards):
        raise argparse.ArgumentTypeError(f"expected K/N with K from 1 to N, such as 2/8, got {text!r}")
    return int(shard), int(shards)
