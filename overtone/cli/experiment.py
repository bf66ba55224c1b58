"""`overtone experiment`: a matrix of evaluations out of a TOML file; needs the train extra."""

import argparse
import sys
from pathlib import Path

from overtone import recipe
from overtone.cli.errors import print_error
from overtone.cli.training import evaluate_clips, read_clips, whole_number
from overtone.errors import OvertoneError
from overtone.training.experiment import read


def experiment_arguments(parser: argparse.ArgumentParser) -> None:
    """FILE --runs --oof --cache --processes."""
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="TOML; see the docstring of overtone/training/experiment.py"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="run folders; default: runs")
    parser.add_argument("--oof", type=Path, default=Path("results/oof"), metavar="DIR", help="default: results/oof")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where features are kept; default: the user's cache")
    parser.add_argument(
        "--processes", type=whole_number(1), default=1, metavar="N", help="trainings at a time; default: 1"
    )


def experiment(args: argparse.Namespace) -> int:
    """Evaluates cell after cell and prints its scores; a cell that fails is told, the others go on."""
    import overtone.training.cross_validation  # noqa: F401 (a missing extra is told before any clip is read)

    asked = read(args.file)
    args.data, args.corpus, args.labels = [f"{name}={where}" for name, where in asked.data], "ravdess", asked.labels
    utterances = read_clips(args)
    failures = 0
    for place, cell in enumerate(asked.evaluations, start=1):
        print(f"{place} of {len(asked.evaluations)}: {cell.recipe}, {cell.protocol}", file=sys.stderr)
        try:
            evaluate_clips(utterances, recipe.read_recipe(cell.recipe), argparse.Namespace(**vars(args), **vars(cell)))
        except OvertoneError as error:
            failures += 1
            print_error(f"{cell.recipe}, {cell.protocol}: {error}")
    return 1 if failures else 0
