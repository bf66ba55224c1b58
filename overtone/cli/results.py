"""`overtone results`: docs/results.md, its figures and the tables of the README, made from results/."""

import argparse
from pathlib import Path

from tools.report.results_page import build


def results_arguments(parser: argparse.ArgumentParser) -> None:
    """ROOT."""
    parser.add_argument("root", nargs="?", metavar="ROOT", type=Path, default=Path(), help="the project folder")


def results(args: argparse.Namespace) -> int:
    """Builds them and prints what was written."""
    for path in build(args.root):
        print(path)
    return 0
