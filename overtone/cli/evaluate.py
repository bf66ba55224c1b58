"""`overtone evaluate`: train and test every fold of a protocol with every seed. Needs the train extra."""

import argparse
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from overtone import recipe
from overtone.cli.launcher import training_launcher
from overtone.cli.progress import ProgressBar
from overtone.cli.training_options import (
    check_tensorboard,
    data_arguments,
    evaluation_folders_arguments,
    init_from_argument,
    naming_data,
    print_scores,
    processes_argument,
    read_clips,
    recipe_argument,
    seeds_argument,
    tensorboard_argument,
)
from overtone.cli.training_time import print_estimate
from overtone.datatypes import Utterance
from overtone.errors import OvertoneError
from overtone.evaluation import protocols

if TYPE_CHECKING:
    from overtone.training.time_estimate import Job


def evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the data, the training, the protocol and the folders."""
    data_arguments(parser)
    recipe_argument(parser)
    parser.add_argument(
        "--protocol", default="luna5", choices=sorted(protocols.PROTOCOLS),
        help="the evaluation protocol, which splits the clips into folds (default: luna5)",
    )  # fmt: skip
    seeds_argument(parser, default=(0, 1, 2))
    parser.add_argument(
        "--folds", nargs="+", default=[], metavar="F", help="evaluate only these folds (default: all of the protocol)"
    )
    evaluation_folders_arguments(parser)
    init_from_argument(parser)
    processes_argument(parser)
    tensorboard_argument(parser)


def evaluate(args: argparse.Namespace) -> int:
    """Train every fold with every seed, write the out-of-fold predictions and print their scores."""
    import overtone.training.cross_validation  # noqa: F401 (reports a missing extra before any clip is read)

    training_recipe = recipe.read_recipe(args.recipe)
    check_tensorboard(args)
    utterances = read_clips(args)
    with suppress(OvertoneError):  # the evaluation itself reports what does not fit
        print_estimate([evaluation_job(utterances, training_recipe, args)], args)
    evaluate_clips(utterances, training_recipe, args)
    print(args.oof)
    return 0


def evaluation_job(utterances: Sequence[Utterance], training_recipe: recipe.Recipe, args: argparse.Namespace) -> "Job":
    """Return the training runs of an evaluation that are not finished; arguments as in `evaluate_clips`."""
    from overtone.training.cross_validation import pending_runs
    from overtone.training.time_estimate import Job

    pending = pending_runs(
        utterances, training_recipe, args.protocol, args.seeds, args.runs, args.init_from, args.folds
    )
    return Job(protocols.clips_of(args.protocol, utterances), pending)


def evaluate_clips(utterances: Sequence[Utterance], training_recipe: recipe.Recipe, args: argparse.Namespace) -> None:
    """Evaluate a recipe on these clips and print its scores.

    Args:
        utterances: the labelled clips.
        training_recipe: the recipe named by `args.recipe`.
        args: the parsed arguments of `overtone evaluate`.
    """
    from overtone.training.cross_validation import evaluate as cross_validate
    from overtone.training.cross_validation import score_oof

    with naming_data(args):
        for seed in args.seeds:
            protocols.make_folds(args.protocol, utterances, seed)
    with ProgressBar("steps", lines=True) as bar:
        cross_validate(
            utterances, training_recipe, args.protocol, args.seeds,
            runs=args.runs, oof=args.oof, cache=args.cache, progress=bar,
            launcher=training_launcher(args), processes=args.processes,
            init_from=args.init_from, folds=args.folds, tensorboard=args.tensorboard,
        )  # fmt: skip
    print_scores(score_oof(args.oof, args.protocol, training_recipe.name))
