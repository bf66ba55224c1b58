"""`overtone train`, `overtone evaluate`, `overtone reproduce`: needs the train extra."""

import argparse
import sys
from pathlib import Path

from overtone import corpora, recipe, splits
from overtone.corpora.about import Reading
from overtone.ui.progress import Bar


def _data_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, metavar="PATH", help="folder of the corpus, or a manifest")
    parser.add_argument("--corpus", default="ravdess", choices=sorted(corpora.CORPORA), help="default: ravdess")
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where features are kept; default: the user's cache")


def _read(args: argparse.Namespace) -> Reading:
    reading = corpora.read(args.corpus, args.data)
    left_out = ", ".join(f"{count} {reason}" for reason, count in reading.ignored.items())
    found = f"{args.corpus}: {len(reading.utterances)} clips" + (f"; left out: {left_out}" if left_out else "")
    print(found, file=sys.stderr)
    return reading


def train_arguments(parser: argparse.ArgumentParser) -> None:
    """--data --corpus --recipe --protocol --fold --seed --out --resume --scores --id."""
    _data_arguments(parser)
    parser.add_argument("--recipe", default="overtone", metavar="NAME|FILE", help="default: overtone")
    parser.add_argument("--protocol", default="all", choices=sorted(splits.PROTOCOLS), help="default: all (no test)")
    parser.add_argument("--fold", metavar="F", help="default: the first of the protocol")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--out", type=Path, required=True, metavar="RUN", help="run folder, made if need be")
    parser.add_argument("--resume", action="store_true", help="go on where a killed training stood")
    parser.add_argument("--no-export", action="store_true", help="leave out model.onnx")
    parser.add_argument("--scores", type=Path, metavar="DIR", help="out-of-fold predictions for the model's card")
    parser.add_argument("--id", metavar="NAME", help="id of the model; default: name of the run folder")


def train(args: argparse.Namespace) -> int:
    """Trains one model and exports it."""
    from overtone.tasks.publish import publish
    from overtone.tasks.train import Plan, fold_names
    from overtone.tasks.train import train as run

    utterances = _read(args).utterances
    fold = args.fold or fold_names(args.protocol, utterances, args.seed)[0]
    plan = Plan(recipe.read(args.recipe), args.protocol, fold, args.seed)
    with Bar("epochs") as bar:
        run(utterances, plan, args.out, resume=args.resume, cache=args.cache, progress=bar)
    print(args.out / "report.html")
    if not args.no_export:
        print(publish(utterances, args.out, model_id=args.id or args.out.name, scores=args.scores))
    return 0


def evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    """--data --corpus --recipe --protocol --seeds --runs --oof --jobs."""
    _data_arguments(parser)
    parser.add_argument("--recipe", default="overtone", metavar="NAME|FILE", help="default: overtone")
    parser.add_argument("--protocol", default="luna5", choices=sorted(splits.PROTOCOLS), help="default: luna5")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], metavar="N", help="default: 0 1 2")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="run folders; default: runs")
    parser.add_argument("--oof", type=Path, default=Path("results/oof"), metavar="DIR", help="default: results/oof")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="trainings at a time; default: 1")


def evaluate(args: argparse.Namespace) -> int:
    """Trains every fold with every seed and keeps the out-of-fold predictions."""
    from overtone.tasks.evaluate import evaluate as run

    utterances = _read(args).utterances
    how = recipe.read(args.recipe)
    with Bar("runs") as bar:
        run(
            utterances, how, args.protocol, args.seeds,
            runs=args.runs, oof=args.oof, cache=args.cache,
            progress=bar, command=_training_command(args, args.protocol), jobs=args.jobs,
        )  # fmt: skip
    print(args.oof)
    return 0


def _training_command(args: argparse.Namespace, protocol: str) -> list[str]:
    """The command line of one training of this evaluation, up to its fold and seed."""
    command = ["train", "--data", str(args.data), "--corpus", args.corpus]
    command += ["--recipe", args.recipe, "--protocol", protocol]
    return command + (["--cache", str(args.cache)] if args.cache else [])


def reproduce_arguments(parser: argparse.ArgumentParser) -> None:
    """--data --out --seeds --jobs."""
    _data_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="runs, predictions and the report")
    parser.add_argument("--recipe", default="paper", metavar="NAME|FILE", help="default: paper")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], metavar="N", help="default: 0")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="trainings at a time; default: 1")


def reproduce(args: argparse.Namespace) -> int:
    """Rebuilds the paper and reports it beside protocols that do not leak."""
    from overtone.tasks.reproduce import PROTOCOLS
    from overtone.tasks.reproduce import reproduce as run

    utterances = _read(args).utterances
    commands = {protocol: _training_command(args, protocol) for protocol in PROTOCOLS}
    with Bar("runs") as bar:
        paths = run(
            utterances, recipe.read(args.recipe), args.out,
            seeds=args.seeds, cache=args.cache, progress=bar, commands=commands, jobs=args.jobs,
        )  # fmt: skip
    for path in paths:
        print(path)
    return 0
