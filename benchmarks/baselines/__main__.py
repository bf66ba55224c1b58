"""Support vector machines on openSMILE functionals, evaluated with the protocols of `overtone evaluate`.

    python -m benchmarks.baselines --data ravdess=DIR --protocol luna5 --features compare

Writes out-of-fold predictions and leak audits as `overtone evaluate` does; see `benchmarks/README.md`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from benchmarks.baselines import BASELINES
from benchmarks.baselines.evaluation import PARTS, PROTOCOLS, evaluate, recipe_name
from benchmarks.baselines.functionals import extract_functionals, import_opensmile
from overtone.cli.argtypes import int_at_least
from overtone.cli.errors import print_error
from overtone.cli.progress import ProgressBar
from overtone.cli.training_options import read_clips
from overtone.emotions import LABEL_MAPS
from overtone.errors import OvertoneError
from overtone.evaluation import oof_files, protocols
from overtone.evaluation.metrics import SEED, score


def main(arguments: list[str] | None = None) -> int:
    """Evaluate one baseline with one protocol, write its predictions, print its scores and return the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        import_opensmile()  # fails now if it is not installed, before any clip is read
        utterances = read_clips(options)
        with ProgressBar("clips") as bar:
            features = extract_functionals(utterances, BASELINES[options.features].feature_set, options.cache, bar)
        with ProgressBar("folds") as bar:
            evaluate(
                utterances, features, options.features, options.protocol, options.seeds,
                options.oof, options.fold, bar,
            )  # fmt: skip
        print_scores(options.oof, options.protocol, recipe_name(options.features))
    except OvertoneError as error:
        print_error(str(error))
        return 1
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line; options of `overtone evaluate` have the same meaning."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.baselines", description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--data", required=True, action="append", metavar="[CORPUS=]PATH",
        help="the folder of a corpus (default corpus: ravdess), or a manifest; give it once per corpus",
    )  # fmt: skip
    parser.add_argument(
        "--labels", choices=sorted(LABEL_MAPS), metavar="MAP",
        help=f"the label map (default: none): {', '.join(sorted(LABEL_MAPS))}",
    )  # fmt: skip
    parser.add_argument("--protocol", default="luna5", choices=PROTOCOLS, help="the protocol (default: luna5)")
    parser.add_argument("--fold", metavar="F", help="the only fold to evaluate (default: all)")
    parser.add_argument(
        "--seeds", type=int_at_least(0), nargs="+", default=[0], metavar="N",
        help="random seeds of the splits (default: 0)",
    )  # fmt: skip
    parser.add_argument("--features", required=True, choices=BASELINES, help="the feature set")
    parser.add_argument(
        "--oof", type=Path, default=Path("results/oof"), metavar="DIR",
        help="the folder for out-of-fold predictions (default: results/oof)",
    )  # fmt: skip
    parser.add_argument(
        "--cache", type=Path, default=Path("runs/functionals"), metavar="DIR",
        help="the folder for cached features (default: runs/functionals)",
    )  # fmt: skip
    # The corpus of a --data without CORPUS, and options that this program lacks.
    parser.set_defaults(corpus="ravdess", train_data=[], only_known_labels=False)
    return parser


def print_scores(oof: Path, protocol: str, recipe: str) -> None:
    """Print a line per part: its scores, always with the leak audit."""
    audits = oof_files.read_record(oof_files.record_path(oof, protocol, recipe)).parts
    for part in PARTS:
        predictions = oof_files.read(oof_files.csv_path(oof, protocol, recipe, part))
        s = score(predictions, np.random.default_rng(SEED), mean_of_folds=protocols.PROTOCOLS[protocol].mean_of_folds)
        print(f"{recipe}, {part}, {protocol}: UAR {s.uar}, WA {s.wa}, macro-F1 {s.macro_f1}; {audits[part]}")


if __name__ == "__main__":
    sys.exit(main())
