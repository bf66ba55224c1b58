"""Options and output of the commands that train: `train`, `evaluate`, `reproduce` and `experiment`."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from overtone import corpora
from overtone.cli.argtypes import int_at_least, positive_int
from overtone.corpora.label_mapping import apply_label_map
from overtone.datatypes import Utterance
from overtone.emotions import LABEL_MAPS, get_label_map
from overtone.evaluation.report import ScoreRow
from overtone.formats.table import printable

DEFAULT_RECIPE = "overtone"
DEFAULT_RECIPE_HELP = (
    f"a bundled recipe by name, or a TOML file (default: {DEFAULT_RECIPE}; it reaches the "
    "published scores only with --init-from a run on other corpora; encoder-one-corpus is better, and needs a "
    "pretrained encoder)"
)
DEFAULT_RUNS, DEFAULT_OOF = Path("runs"), Path("results/oof")


def data_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --data, --train-data, --corpus, --labels and --cache."""
    parser.add_argument(
        "--data", required=True, action="append", metavar="[CORPUS=]PATH",
        help="the folder of a corpus, or a manifest; give it once per corpus",
    )  # fmt: skip
    parser.add_argument(
        "--train-data", default=[], action="append", metavar="[CORPUS=]PATH",
        help="the folder of a further corpus, which is in every training set and never tested; give it once per corpus",
    )  # fmt: skip
    parser.add_argument(
        "--corpus", default="ravdess", choices=sorted(corpora.CORPORA),
        help="the corpus of each --data and --train-data PATH without CORPUS= (default: ravdess)",
    )  # fmt: skip
    parser.add_argument(
        "--labels", choices=sorted(LABEL_MAPS), metavar="MAP",
        help=f"a label map that selects and merges classes, one of {', '.join(sorted(LABEL_MAPS))} (default: keep all "
        "classes)",
    )  # fmt: skip
    cache_argument(parser)


def cache_argument(parser: argparse.ArgumentParser) -> None:
    """Add --cache."""
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="the folder for cached features (default: the user's cache folder)"
    )


def recipe_argument(parser: argparse.ArgumentParser, default: str = DEFAULT_RECIPE, text: str = "") -> None:
    """Add --recipe."""
    parser.add_argument("--recipe", default=default, metavar="NAME|FILE", help=text or DEFAULT_RECIPE_HELP)


def init_from_argument(parser: argparse.ArgumentParser) -> None:
    """Add --init-from."""
    parser.add_argument(
        "--init-from", type=Path, metavar="RUN",
        help="the folder of a finished run on other corpora whose branch weights are the initial weights (default: "
        "random weights)",
    )  # fmt: skip


def seeds_argument(parser: argparse.ArgumentParser, default: Sequence[int]) -> None:
    """Add --seeds."""
    listed = " ".join(map(str, default))
    parser.add_argument(
        "--seeds", type=int_at_least(0), nargs="+", default=list(default), metavar="N",
        help=f"random seeds; every fold is trained once per seed (default: {listed})",
    )  # fmt: skip


def processes_argument(parser: argparse.ArgumentParser) -> None:
    """Add --processes."""
    parser.add_argument(
        "--processes", type=positive_int, default=1, metavar="N",
        help="the number of parallel training runs, each in a process with one thread (default: 1, "
        "without additional processes)",
    )  # fmt: skip


def evaluation_folders_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --runs and --oof."""
    parser.add_argument(
        "--runs", type=Path, default=DEFAULT_RUNS, metavar="DIR",
        help=f"the folder of all run folders (default: {DEFAULT_RUNS})",
    )  # fmt: skip
    parser.add_argument(
        "--oof", type=Path, default=DEFAULT_OOF, metavar="DIR",
        help=f"the folder for out-of-fold predictions (default: {DEFAULT_OOF})",
    )  # fmt: skip


def read_clips(args: argparse.Namespace) -> tuple[Utterance, ...]:
    """Return the clips of all corpora, in the order of --data; print on stderr which clips were left out."""
    utterances: list[Utterance] = []
    sources = [(data, False) for data in args.data] + [(data, True) for data in args.train_data]
    for data, training_only in sources:
        name, equals, path = data.partition("=")
        corpus, location = (name, path) if equals and name in corpora.CORPORA else (args.corpus, data)
        scan = corpora.read_corpus(corpus, location)
        left_out = ", ".join(f"{count} x {reason}" for reason, count in scan.ignored.items())
        summary = f"{corpus}: {len(scan.utterances)} clips" + (f"; left out: {left_out}" if left_out else "")
        print(printable(summary), file=sys.stderr)
        utterances += [replace(utterance, training_only=training_only) for utterance in scan.utterances]
    if args.labels is None:
        return tuple(utterances)
    mapped, dropped = apply_label_map(utterances, get_label_map(args.labels))
    if dropped:
        counts = ", ".join(f"{count} x {emotion}" for emotion, count in dropped.items())
        print(f"{args.labels}: {len(mapped)} clips; dropped: {counts}", file=sys.stderr)
    return mapped


def print_scores(rows: Iterable[ScoreRow]) -> None:
    """Print a line per model: its scores, always with the leak audit."""
    for row in rows:
        scores = row.scores
        folds = ", ".join(f"{fold} {100 * value:.1f}" for fold, value in scores.folds.items())
        uar = f"UAR {scores.uar}" + (f" (mean of {folds})" if folds else "")
        print(f"{row.name}, {row.protocol}: {uar}, WA {scores.wa}, macro-F1 {scores.macro_f1}; {row.audit}")
