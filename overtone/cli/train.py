"""`overtone train`: train one model, report its scores and export it. Needs the train extra."""

import argparse
from pathlib import Path

from overtone import recipe
from overtone.cli.argtypes import int_at_least
from overtone.cli.output import output_folder
from overtone.cli.progress import ProgressBar
from overtone.cli.training_options import (
    check_tensorboard,
    data_arguments,
    init_from_argument,
    naming_data,
    print_scores,
    read_clips,
    recipe_argument,
    tensorboard_argument,
)
from overtone.cli.training_time import print_estimate
from overtone.errors import OptionError
from overtone.evaluation import protocols


def train_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the data, the training, the run folder and the exported model."""
    data_arguments(parser)
    recipe_argument(parser)
    parser.add_argument(
        "--protocol", default="all", choices=sorted(protocols.PROTOCOLS),
        help="the evaluation protocol, which splits the clips into training, validation and test sets (default: all, "
        "which trains on all clips and has no test set)",
    )  # fmt: skip
    parser.add_argument("--fold", metavar="F", help="the fold of the protocol (default: its first fold)")
    parser.add_argument(
        "--seed", type=int_at_least(0), default=0, metavar="N", help="the random seed of the training run (default: 0)"
    )
    parser.add_argument(
        "--output",
        type=output_folder,
        required=True,
        metavar="RUN",
        help="the run folder, created if it does not exist",
    )
    init_from_argument(parser)
    tensorboard_argument(parser)
    parser.add_argument("--resume", action="store_true", help="resume an interrupted training run in the run folder")
    parser.add_argument("--no-export", action="store_true", help="do not export the model to model.onnx")
    parser.add_argument(
        "--scores", type=Path, metavar="DIR",
        help="a folder of out-of-fold predictions of this recipe, whose scores are written into the model card "
        "(default: the scores of this run's own test set)",
    )  # fmt: skip
    parser.add_argument("--id", metavar="NAME", help="the id of the model (default: the name of the run folder)")


def train(args: argparse.Namespace) -> int:
    """Train one model, print its scores, and export it."""
    from overtone.training.card_builder import measured_protocols
    from overtone.training.export import export_run
    from overtone.training.run_config import RunConfig, fold_names
    from overtone.training.run_folder import is_finished, own_scores
    from overtone.training.time_estimate import Job
    from overtone.training.train import train as train_run

    training_recipe = recipe.read_recipe(args.recipe)
    if args.no_export and (args.scores or args.id):
        raise OptionError("--scores and --id describe the exported model; omit them, or omit --no-export")
    if args.scores:
        measured_protocols(args.scores, training_recipe.name)  # fails before the training, not after it
    check_tensorboard(args)
    utterances = read_clips(args)
    with naming_data(args):
        names = fold_names(args.protocol, utterances, args.seed)
    config = RunConfig(training_recipe, args.protocol, args.fold or names[0], args.seed, args.init_from)
    if not (args.output / "run.json").exists() or (args.resume and not is_finished(args.output)):
        print_estimate([Job(protocols.clips_of(args.protocol, utterances), [config])], args)
    with ProgressBar("steps", lines=True) as bar:
        train_run(
            utterances, config, args.output,
            resume=args.resume, cache=args.cache, progress=bar, tensorboard=args.tensorboard,
        )  # fmt: skip
    print_scores(list(own_scores(args.output).values()))
    print(args.output / "report.html")
    if not args.no_export:
        print(export_run(utterances, args.output, model_id=args.id or args.output.resolve().name, scores=args.scores))
    return 0
