"""`overtone experiment`: a matrix of evaluations out of a TOML file; needs the train extra."""

import argparse
import sys
from pathlib import Path

from overtone import corpora, recipe
from overtone.errors import OvertoneError
from overtone.outputs.table import printable
from overtone.tasks.experiment import Evaluation, Experiment, read
from overtone.ui.progress import Bar
from overtone.ui.training import print_scores
from overtone.values import Utterance


def experiment_arguments(parser: argparse.ArgumentParser) -> None:
    """FILE --runs --oof --cache --jobs."""
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="TOML; see the docstring of overtone/tasks/experiment.py"
    )
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="run folders; default: runs")
    parser.add_argument("--oof", type=Path, default=Path("results/oof"), metavar="DIR", help="default: results/oof")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where features are kept; default: the user's cache")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="trainings at a time; default: 1")


def experiment(args: argparse.Namespace) -> int:
    """Evaluates cell after cell and prints its scores; a cell that fails is told, the others go on."""
    asked = read(args.file)
    utterances = [each for name, where in asked.data for each in corpora.read(name, where).utterances]
    failures = 0
    for place, cell in enumerate(asked.evaluations, start=1):
        print(f"{place} of {len(asked.evaluations)}: {cell.recipe}, {cell.protocol}", file=sys.stderr)
        try:
            _evaluate(cell, asked, utterances, args)
        except OvertoneError as error:
            failures += 1
            print(f"overtone: {printable(f'{cell.recipe}, {cell.protocol}: {error}')}", file=sys.stderr)
    return 1 if failures else 0


def _evaluate(cell: Evaluation, asked: Experiment, utterances: list[Utterance], args: argparse.Namespace) -> None:
    from overtone.tasks.evaluate import evaluate, scored

    how = recipe.read(cell.recipe)
    command = ["train", *(f"--data={name}={where}" for name, where in asked.data)]
    command += ["--recipe", cell.recipe, "--protocol", cell.protocol]
    command += [f"--start-from={cell.start_from}"] if cell.start_from else []
    command += ["--cache", str(args.cache)] if args.cache else []
    with Bar("steps") as bar:
        evaluate(
            utterances, how, cell.protocol, cell.seeds,
            runs=args.runs, oof=args.oof, cache=args.cache, progress=bar,
            command=command, jobs=args.jobs, start_from=cell.start_from,
        )  # fmt: skip
    print_scores(scored(args.oof, cell.protocol, how.name))
