"""`overtone train`, `overtone evaluate`, `overtone reproduce`: needs the train extra."""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from overtone import corpora, recipe
from overtone.cli.progress import ProgressBar
from overtone.corpora.label_mapping import apply_label_map
from overtone.datatypes import Utterance
from overtone.emotions import LABEL_MAPS, get_label_map
from overtone.errors import OptionError
from overtone.evaluation import protocols
from overtone.evaluation.report import ScoreRow
from overtone.formats.table import printable


def whole_number(least: int) -> Callable[[str], int]:
    """A reader of whole numbers that are no less than `least`."""

    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and int(text) >= least):
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, got {text!r}")
        return int(text)

    return number


def _data_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data", required=True, action="append", metavar="[CORPUS=]PATH",
        help="folder of the corpus, or a manifest; several times for several corpora",
    )  # fmt: skip
    parser.add_argument(
        "--corpus", default="ravdess", choices=sorted(corpora.CORPORA), help="of a PATH alone; default: ravdess"
    )
    parser.add_argument(
        "--labels",
        choices=sorted(LABEL_MAPS),
        metavar="MAP",
        help=f"one of {', '.join(sorted(LABEL_MAPS))}; default: none",
    )
    parser.add_argument("--cache", type=Path, metavar="DIR", help="where features are kept; default: the user's cache")


def read_clips(args: argparse.Namespace) -> tuple[Utterance, ...]:
    """The clips of all corpora, in the order they were named; what was left out is told on stderr."""
    utterances: list[Utterance] = []
    for data in args.data:
        name, equals, path = data.partition("=")
        corpus, where = (name, path) if equals and name in corpora.CORPORA else (args.corpus, data)
        reading = corpora.read_corpus(corpus, where)
        left_out = ", ".join(f"{count} x {reason}" for reason, count in reading.ignored.items())
        found = f"{corpus}: {len(reading.utterances)} clips" + (f"; left out: {left_out}" if left_out else "")
        print(printable(found), file=sys.stderr)
        utterances += reading.utterances
    if args.labels is None:
        return tuple(utterances)
    kept, dropped = apply_label_map(utterances, get_label_map(args.labels))
    if dropped:
        counted = ", ".join(f"{count} x {emotion}" for emotion, count in dropped.items())
        print(f"{args.labels}: {len(kept)} clips; dropped: {counted}", file=sys.stderr)
    return kept


def _print_scores(rows: Iterable[ScoreRow]) -> None:
    """A line per model: its scores, never without the leak audit."""
    for row in rows:
        s = row.scores
        print(f"{row.name}, {row.protocol}: UAR {s.uar}, WA {s.wa}, macro-F1 {s.macro_f1}; {row.audit}")


def train_arguments(parser: argparse.ArgumentParser) -> None:
    """--data --corpus --cache --recipe --protocol --fold --seed --output --resume --no-export --scores --id."""
    _data_arguments(parser)
    parser.add_argument("--recipe", default="overtone", metavar="NAME|FILE", help="default: overtone")
    parser.add_argument("--protocol", default="all", choices=sorted(protocols.PROTOCOLS), help="default: all (no test)")
    parser.add_argument("--fold", metavar="F", help="default: the first of the protocol")
    parser.add_argument("--seed", type=whole_number(0), default=0, metavar="N", help="of all draws; default: 0")
    parser.add_argument("--output", type=Path, required=True, metavar="RUN", help="run folder, made if need be")
    parser.add_argument("--init-from", type=Path, metavar="RUN", help="begin with a run's branches (other corpora)")
    parser.add_argument("--resume", action="store_true", help="go on where a killed training stood")
    parser.add_argument("--no-export", action="store_true", help="leave out model.onnx")
    parser.add_argument("--scores", type=Path, metavar="DIR", help="out-of-fold predictions for the model's card")
    parser.add_argument("--id", metavar="NAME", help="id of the model; default: name of the run folder")


def train(args: argparse.Namespace) -> int:
    """Trains one model, prints its scores, and exports it."""
    from overtone.training.export import export_run, measured_protocols
    from overtone.training.run_config import RunConfig, fold_names
    from overtone.training.train import own_scores
    from overtone.training.train import train as run

    how = recipe.read_recipe(args.recipe)
    if args.no_export and (args.scores or args.id):
        raise OptionError("--scores and --id are for the exported model; leave them out, or --no-export")
    if args.scores:
        measured_protocols(args.scores, how.name)  # missed now, not after the training
    utterances = read_clips(args)
    fold = args.fold or fold_names(args.protocol, utterances, args.seed)[0]
    with ProgressBar("steps") as bar:
        plan = RunConfig(how, args.protocol, fold, args.seed, args.init_from)
        run(utterances, plan, args.output, resume=args.resume, cache=args.cache, progress=bar)
    _print_scores(list(own_scores(args.output).values()))
    print(args.output / "report.html")
    if not args.no_export:
        print(export_run(utterances, args.output, model_id=args.id or args.output.resolve().name, scores=args.scores))
    return 0


def evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    """--data --corpus --cache --recipe --protocol --seeds --folds --runs --init-from --oof --processes."""
    _data_arguments(parser)
    parser.add_argument("--recipe", default="overtone", metavar="NAME|FILE", help="default: overtone")
    parser.add_argument("--protocol", default="luna5", choices=sorted(protocols.PROTOCOLS), help="default: luna5")
    parser.add_argument(
        "--seeds", type=whole_number(0), nargs="+", default=[0, 1, 2], metavar="N", help="default: 0 1 2"
    )
    parser.add_argument("--folds", nargs="+", default=[], metavar="F", help="only these; default: all of the protocol")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="run folders; default: runs")
    parser.add_argument("--init-from", type=Path, metavar="RUN", help="begin with a run's branches (other corpora)")
    parser.add_argument("--oof", type=Path, default=Path("results/oof"), metavar="DIR", help="default: results/oof")
    parser.add_argument(
        "--processes", type=whole_number(1), default=1, metavar="N", help="trainings at a time; default: 1"
    )


def evaluate(args: argparse.Namespace) -> int:
    """Trains every fold with every seed, keeps the out-of-fold predictions and prints their scores."""
    import overtone.training.cross_validation  # noqa: F401 (a missing extra is told before any clip is read)

    how = recipe.read_recipe(args.recipe)
    evaluate_clips(read_clips(args), how, args)
    print(args.oof)
    return 0


def evaluate_clips(utterances: Sequence[Utterance], how: recipe.Recipe, args: argparse.Namespace) -> None:
    """What `evaluate` does with clips that have been read."""
    from overtone.training.cross_validation import evaluate as run
    from overtone.training.cross_validation import score_oof

    with ProgressBar("steps") as bar:
        run(
            utterances, how, args.protocol, args.seeds,
            runs=args.runs, oof=args.oof, cache=args.cache,
            progress=bar, command=_training_command(args, args.protocol), jobs=args.processes,
            init_from=args.init_from, folds=args.folds,
        )  # fmt: skip
    _print_scores(score_oof(args.oof, args.protocol, how.name))


def _training_command(args: argparse.Namespace, protocol: str) -> list[str]:
    """The command line of one training of this evaluation, up to its fold and seed."""
    command = ["train", *(f"--data={data}" for data in args.data), "--corpus", args.corpus]
    command += ["--recipe", args.recipe, "--protocol", protocol]
    command += [f"--labels={args.labels}"] if args.labels else []
    command += [f"--init-from={args.init_from}"] if getattr(args, "init_from", None) else []
    return command + (["--cache", str(args.cache)] if args.cache else [])


def reproduce_arguments(parser: argparse.ArgumentParser) -> None:
    """--data --corpus --cache --output --recipe --seeds --processes."""
    _data_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="runs, predictions and the report")
    parser.add_argument("--recipe", default="paper", metavar="NAME|FILE", help="default: paper")
    parser.add_argument("--seeds", type=whole_number(0), nargs="+", default=[0], metavar="N", help="default: 0")
    parser.add_argument(
        "--processes", type=whole_number(1), default=1, metavar="N", help="trainings at a time; default: 1"
    )


def reproduce(args: argparse.Namespace) -> int:
    """Rebuilds the paper, and reports and prints it beside protocols that do not leak."""
    from overtone.training.reproduce import PROTOCOLS, score_rows
    from overtone.training.reproduce import reproduce as run

    how = recipe.read_recipe(args.recipe)
    utterances = read_clips(args)
    commands = {protocol: _training_command(args, protocol) for protocol in PROTOCOLS}
    with ProgressBar("steps") as bar:
        paths = run(
            utterances, how, args.output,
            seeds=args.seeds, cache=args.cache, progress=bar, commands=commands, jobs=args.processes,
        )  # fmt: skip
    _print_scores(score_rows(args.output, how.name))
    for path in paths:
        print(path)
    return 0
