"""`overtone reproduce`: train the models of the reference paper and report their scores. Needs the train extra."""

import argparse

from overtone import recipe
from overtone.cli.launcher import training_launcher
from overtone.cli.output import output_folder
from overtone.cli.progress import ProgressBar
from overtone.cli.training_options import (
    check_tensorboard,
    data_arguments,
    print_scores,
    processes_argument,
    read_clips,
    recipe_argument,
    seeds_argument,
    tensorboard_argument,
)
from overtone.cli.training_time import print_estimate


def reproduce_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the data, the training and the output folder."""
    data_arguments(parser)
    parser.add_argument(
        "--output", type=output_folder, required=True, metavar="DIR",
        help="the folder for the runs, the predictions and the report; an interrupted command resumes from it",
    )  # fmt: skip
    recipe_argument(parser, "paper", "a bundled recipe by name, or a TOML file (default: paper)")
    seeds_argument(parser, default=(0,))
    processes_argument(parser)
    tensorboard_argument(parser)


def reproduce(args: argparse.Namespace) -> int:
    """Reproduce the paper under its own protocol and under protocols without leaks, and print the scores of all."""
    from overtone.training.reproduce import pending_jobs, score_rows
    from overtone.training.reproduce import reproduce as reproduce_paper

    training_recipe = recipe.read_recipe(args.recipe)
    check_tensorboard(args)
    utterances = read_clips(args)
    print_estimate(pending_jobs(utterances, training_recipe, args.output, args.seeds), args)
    with ProgressBar("steps", lines=True) as bar:
        reports = reproduce_paper(
            utterances, training_recipe, args.output,
            seeds=args.seeds, cache=args.cache, progress=bar,
            launcher=training_launcher(args), processes=args.processes, tensorboard=args.tensorboard,
        )  # fmt: skip
    print_scores(score_rows(args.output, training_recipe.name))
    for path in reports:
        print(path)
    return 0
