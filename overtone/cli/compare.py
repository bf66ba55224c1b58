"""`overtone compare RUN|MODEL...`: paired comparison of runs, out-of-fold predictions and models on the same clips.

Runs and predictions are read from their folders; a model recognises the labelled clips of --data. Nothing of them is
changed.
"""

import argparse
import sys
from pathlib import Path

from overtone._internal.atomic_write import write_text
from overtone.cli.argtypes import fraction
from overtone.cli.comparison_formats import FORMATS, count_clips, notes
from overtone.cli.errors import print_error
from overtone.cli.options import threads_argument
from overtone.cli.output import check_output_suffix, choose_format, format_argument, is_device, open_device
from overtone.cli.training_options import labelled_clips_arguments


def compare_arguments(parser: argparse.ArgumentParser) -> None:
    """Add RUN|MODEL..., the options of the data, --part, --uncertain-below, --format, --output and --threads."""
    parser.add_argument(
        "models", nargs="+", metavar="RUN|MODEL",
        help="two or more of: the folder of a finished run; a folder or CSV file of out-of-fold predictions; a bundled "
        "model by name, or a model file, which recognises the clips of --data",
    )  # fmt: skip
    labelled_clips_arguments(parser, required=False, purpose=", whose clips the models recognise")
    parser.add_argument(
        "--part", metavar="NAME",
        help="the part whose predictions are read from folders, such as mel or adapted (default: fusion)",
    )  # fmt: skip
    parser.add_argument(
        "--uncertain-below", metavar="X", type=fraction,
        help="count predictions with a confidence from X, from 0 to 1, as sure (default: the threshold of each model)",
    )  # fmt: skip
    format_argument(parser, FORMATS)
    parser.add_argument(
        "--output", metavar="FILE", type=Path, help="write the comparison atomically to this file (default: stdout)"
    )
    threads_argument(parser)


def compare(args: argparse.Namespace) -> int:
    """Write the comparison; return 1 if a clip could not be recognised."""
    from overtone.cli.compared_models import load_models
    from overtone.evaluation.comparison import compare as compare_models

    format_name = choose_format(args.format, args.output, FORMATS)
    check_output_suffix(args.format, args.output, FORMATS)
    loaded = load_models(args)
    result = compare_models(loaded.alignment, mean_of_folds=loaded.mean_of_folds)
    if args.output is not None or format_name == "csv":  # otherwise, the output itself says so
        for warning in loaded.warnings:
            print_error(f"warning: {warning}")
        for note in notes(result):
            print(note, file=sys.stderr)
    _write(FORMATS[format_name].render(result, loaded.warnings), args.output)
    if loaded.failures:
        print_error(f"{count_clips(loaded.failures)} could not be recognised")
    return 1 if loaded.failures else 0


def _write(text: str, output: Path | None) -> None:
    """Write text atomically to a file, or to a device, or to stdout."""
    if output is None:
        sys.stdout.write(text)
    elif is_device(output):
        with open_device(output) as stream:
            stream.write(text)
    else:
        write_text(output, text)
