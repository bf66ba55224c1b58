"""Paired tests of results: a full model and its branches, another model, or itself before speaker adaptation."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from overtone.errors import InputError
from overtone.evaluation.document import Block, Heading, Paragraph, Table
from overtone.evaluation.metrics import SEED, Comparison, paired_test
from overtone.evaluation.protocols import PROTOCOLS
from tools.report.oof_results import Result

SIGNIFICANCE_LEVEL = 0.05
HEADER = ("Protocol", "Comparison", "UAR difference", "p", "Pairs", "Verdict")
NUMBERS = frozenset({"UAR difference", "p"})
METHOD = (
    "Differences in points of UAR, first minus second, means over seeds, with the 95 % interval by bootstrap over "
    "speakers; p by sign-flip permutation over speakers, two-sided, not corrected for the number of tests. 'Not "
    f"significant' means a p of {SIGNIFICANCE_LEVEL} or more."
)


def blocks(results: Sequence[Result]) -> list[Block]:
    """Return a table per group of results and the pairs that have different test clips; an empty list without pairs."""
    tables: dict[str, list[tuple[str, ...]]] = {}
    unpaired = []
    for first, second in _pairs(results):
        try:
            cells = comparison_cells(compare(first, second))
        except InputError:
            unpaired.append(f"{first.row.protocol}: {first.row.name} and {second.row.name}")
            continue
        line = (first.row.protocol, f"{first.row.name} − {second.row.name}", *cells)
        tables.setdefault(first.condition.group_title, []).append(line)
    document: list[Block] = [Paragraph(METHOD)] if tables else []
    for title, lines in tables.items():
        document += [*([Heading(title, level=3)] if title else []), Table(HEADER, tuple(lines), NUMBERS)]
    different = f"Not compared, because their test clips differ: {'; '.join(unpaired)}."
    return [*document, Paragraph(different)] if unpaired else document


def compare(first: Result, second: Result) -> Comparison:
    """Return the paired test of the UAR of two results.

    Raises:
        InputError: their test clips differ.
    """
    mean_of_folds = PROTOCOLS[first.condition.protocol].mean_of_folds
    rng = np.random.default_rng(SEED)
    return paired_test(first.predictions, second.predictions, rng, mean_of_folds=mean_of_folds)


def comparison_cells(comparison: Comparison) -> tuple[str, str, str, str]:
    """Return difference, p, number of pairs and verdict as table cells."""
    low, high = 100 * comparison.difference.low, 100 * comparison.difference.high
    difference = f"{100 * comparison.difference.value:+.1f} [{low:+.1f}, {high:+.1f}]"
    p = "< 0.001" if comparison.p < 0.001 else f"{comparison.p:.3f}"
    direction = "better" if comparison.difference.value > 0 else "worse"
    verdict = direction if comparison.p < SIGNIFICANCE_LEVEL else "not significant"
    return difference, p, f"{comparison.units} {comparison.over}", verdict


def _pairs(results: Sequence[Result]) -> list[tuple[Result, Result]]:
    pairs = []
    # Full models come before their branches, own recipes before baselines, adapted models last.
    for first, second in combinations(results, 2):
        same_recipe = first.recipe == second.recipe
        both_full = first.is_full_model and second.is_full_model
        if first.condition == second.condition:
            if first.is_full_model and (same_recipe or (second.is_full_model and not first.baseline)):
                pairs.append((first, second))
        elif same_recipe and both_full and first.row.protocol == second.row.protocol:
            pairs.append((second, first))
    return pairs
