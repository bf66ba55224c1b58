"""`overtone finetune DATA... --output RUN`: train a model further on a few labelled clips. Needs the train extra."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from overtone.cli.argtypes import int_at_least
from overtone.cli.errors import print_error
from overtone.cli.output import output_folder
from overtone.cli.progress import ProgressBar
from overtone.cli.training_options import cache_argument, labels_arguments, naming_data, read_clips
from overtone.corpora import manifest
from overtone.errors import MAX_SHOWN_ERRORS
from overtone.formats.table import printable
from overtone.inference.bundled_models import DEFAULT, NAMES, model_path


def finetune_arguments(parser: argparse.ArgumentParser) -> None:
    """Add DATA..., --corpus, --labels, --only-known-labels, --output, --init-from, --seed, --id and --cache."""
    parser.add_argument(
        "data", nargs="+", metavar="DATA",
        help="a labelled manifest, a folder with a manifest.csv or with tables, TextGrids or ELAN files that a person "
        "corrected, or CORPUS=PATH for the folder of a corpus",
    )  # fmt: skip
    labels_arguments(parser, default_corpus=manifest.INFO.name)
    parser.add_argument(
        "--output",
        type=output_folder,
        required=True,
        metavar="RUN",
        help="the run folder; it must not exist, or be empty",
    )
    parser.add_argument(
        "--init-from", type=Path, metavar="NAME|FILE",
        help=f"the model to start from: a bundled one ({' or '.join(NAMES)}) by name, a model file, or a run "
        f"folder with one; its only branch must be a pretrained encoder (default: {DEFAULT})",
    )  # fmt: skip
    parser.add_argument("--seed", type=int_at_least(0), default=0, metavar="N", help="the random seed (default: 0)")
    parser.add_argument("--id", metavar="NAME", help="the id of the model (default: the name of the run folder)")
    cache_argument(parser)


def finetune(args: argparse.Namespace) -> int:
    """Fine-tune, write the run folder, and print what to expect of the model and what would improve it.

    Returns 1 if a few rows or clips could not be used and were left out.
    """
    from overtone.training.finetune import finetune as finetune_model
    from overtone.training.finetune_run import check_output, write_run

    check_output(args.output)
    left_out: list[str] = []
    utterances = read_clips(args, left_out)
    start = model_path(args.init_from)
    start = start / "model.onnx" if start.is_dir() else start
    with ProgressBar("steps", lines=True) as bar, naming_data(args):
        finetuned = finetune_model(utterances, start, seed=args.seed, cache=args.cache, progress=bar)
    left_out += finetuned.failures
    path = write_run(finetuned, args.output, args.id or args.output.resolve().name)
    copies = finetuned.copies
    more = f" ({len(copies)} such clips; they count twice, and may be left out and trained on at once)"
    for note in [*finetuned.notes, *(text + more for text in copies[:1])]:
        print(printable(f"hint: {note}"), file=sys.stderr)
    for line in finetuned.expectation.lines():
        print(printable(line))
    print(args.output / "report.html")
    print(path)
    if left_out:
        print_error(_left_out(left_out))
    return 1 if left_out else 0


def _left_out(faults: Sequence[str]) -> str:
    """Return the message about rows and clips that were left out."""
    more = [f"and {len(faults) - MAX_SHOWN_ERRORS} more"] if len(faults) > MAX_SHOWN_ERRORS else []
    listed = "\n".join([*faults[:MAX_SHOWN_ERRORS], *more])
    return f"left out {len(faults)} of the rows and clips, which cannot be used; correct or remove them:\n{listed}"
