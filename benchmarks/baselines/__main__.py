"""Support vector machines on openSMILE functionals, measured by the protocols of `overtone evaluate`.

    python -m benchmarks.baselines --data ravdess=DIR --protocol luna5 --features compare

Keeps out-of-fold predictions and leak audits as `overtone evaluate` does; `benchmarks/README.md` tells more.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from benchmarks.baselines import BASELINES
from benchmarks.baselines.evaluation import PARTS, PROTOCOLS, evaluate, recipe_of
from benchmarks.baselines.functionals import functionals, opensmile
from overtone.cli.errors import print_error
from overtone.cli.progress import ProgressBar
from overtone.cli.training import read_clips, whole_number
from overtone.emotions import LABEL_MAPS
from overtone.errors import OvertoneError
from overtone.evaluation import oof_files
from overtone.evaluation.metrics import SEED, score


def main(arguments: list[str] | None = None) -> int:
    """Measures one baseline under one protocol, keeps its answers and prints its scores; returns the exit status."""
    options = parser().parse_args(arguments)
    try:
        opensmile()  # missed now, before any clip is read
        utterances = read_clips(options)
        with ProgressBar("clips") as bar:
            found = functionals(utterances, BASELINES[options.features].feature_set, options.cache, bar)
        with ProgressBar("folds") as bar:
            evaluate(
                utterances, found, options.features, options.protocol, options.seeds,
                options.oof, options.fold, bar,
            )  # fmt: skip
        print_scores(options.oof, options.protocol, recipe_of(options.features))
    except OvertoneError as error:
        print_error(str(error))
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of the command line; those of `overtone evaluate` mean the same."""
    made = argparse.ArgumentParser(prog="python -m benchmarks.baselines", description=__doc__.partition("\n")[0])
    made.add_argument("--data", required=True, action="append", metavar="CORPUS=PATH", help="once per corpus")
    made.add_argument("--labels", choices=sorted(LABEL_MAPS), metavar="MAP", help="such as 4-classes; default: none")
    made.add_argument("--protocol", default="luna5", choices=PROTOCOLS, help="default: luna5")
    made.add_argument("--fold", metavar="F", help="this one alone; default: all")
    made.add_argument("--seeds", type=whole_number(0), nargs="+", default=[0], metavar="N", help="default: 0")
    made.add_argument("--features", required=True, choices=BASELINES)
    made.add_argument("--oof", type=Path, default=Path("results/oof"), metavar="DIR", help="default: results/oof")
    made.add_argument(
        "--cache", type=Path, default=Path("runs/functionals"), metavar="DIR",
        help="where features are kept; default: runs/functionals",
    )  # fmt: skip
    made.set_defaults(corpus="ravdess")  # of a PATH alone
    return made


def print_scores(oof: Path, protocol: str, recipe: str) -> None:
    """A line per part: its scores, never without the leak audit."""
    audits = oof_files.read_record(oof_files.record_path(oof, protocol, recipe)).parts
    for part in PARTS:
        found = oof_files.read(oof_files.csv_path(oof, protocol, recipe, part))
        s = score(found, np.random.default_rng(SEED))
        print(f"{recipe}, {part}, {protocol}: UAR {s.uar}, WA {s.wa}, macro-F1 {s.macro_f1}; {audits[part]}")


if __name__ == "__main__":
    sys.exit(main())
