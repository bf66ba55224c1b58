"""`overtone experiment FILE`: run a matrix of evaluations from a TOML file. Needs the train extra."""

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from overtone import recipe
from overtone.cli.errors import print_error
from overtone.cli.evaluate import evaluate_clips, evaluation_job
from overtone.cli.training_options import (
    cache_argument,
    check_tensorboard,
    evaluation_folders_arguments,
    processes_argument,
    read_clips,
    tensorboard_argument,
)
from overtone.cli.training_time import print_estimate
from overtone.datatypes import Utterance
from overtone.errors import OvertoneError
from overtone.training.experiment import Experiment, read

if TYPE_CHECKING:
    from overtone.training.time_estimate import Job


def experiment_arguments(parser: argparse.ArgumentParser) -> None:
    """Add FILE, --runs, --oof, --cache, --processes and --tensorboard."""
    parser.add_argument(
        "file", type=Path, metavar="FILE",
        help="a TOML file of corpora, recipes, protocols and seeds; its format is described in "
        "overtone/training/experiment.py",
    )  # fmt: skip
    evaluation_folders_arguments(parser)
    cache_argument(parser)
    processes_argument(parser)
    tensorboard_argument(parser)


def experiment(args: argparse.Namespace) -> int:
    """Run one evaluation after the other and print their scores; a failure is reported and the others still run."""
    import overtone.training.cross_validation  # noqa: F401 (reports a missing extra before any clip is read)

    matrix = read(args.file)
    check_tensorboard(args)
    args.data, args.train_data = (
        [f"{name}={path}" for name, path in rows] for rows in (matrix.data, matrix.train_data)
    )
    args.corpus, args.labels, args.only_known_labels = "ravdess", matrix.labels, False
    utterances = read_clips(args)
    print_estimate(_jobs(utterances, matrix, args), args)
    failures = 0
    for number, evaluation in enumerate(matrix.evaluations, start=1):
        name = f"{evaluation.recipe}, {evaluation.protocol}"
        print(f"{number} of {len(matrix.evaluations)}: {name}", file=sys.stderr)
        try:
            evaluate_clips(
                utterances,
                recipe.read_recipe(evaluation.recipe),
                argparse.Namespace(**vars(args), **vars(evaluation)),
            )
        except OvertoneError as error:
            failures += 1
            print_error(f"{name}: {error}")
    return 1 if failures else 0


def _jobs(utterances: Sequence[Utterance], matrix: Experiment, args: argparse.Namespace) -> list["Job"]:
    """Return the training runs that are not finished; without those of evaluations that will fail."""
    jobs = []
    for evaluation in matrix.evaluations:
        with suppress(OvertoneError):
            training_recipe = recipe.read_recipe(evaluation.recipe)
            options = argparse.Namespace(**vars(args), **vars(evaluation))
            jobs.append(evaluation_job(utterances, training_recipe, options))
    return jobs
