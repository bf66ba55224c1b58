"""Results -> which of two is better: a whole model and its parts, another one, or itself before it was adapted."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from overtone.errors import InputError
from overtone.evaluation.document import Block, Heading, Paragraph, Table
from overtone.evaluation.metrics import SEED, Comparison, paired_test
from tools.report.oof_results import Result

CLEAR = 0.05  # p below which a difference is called one
HEADER = ("Protocol", "Comparison", "UAR difference", "p", "Pairs", "Verdict")
NUMBERS = frozenset({"UAR difference", "p"})
HOW_TESTED = (
    "Differences in points of UAR, first minus second, means over seeds, with the 95 % interval by bootstrap over "
    "speakers; p by sign-flip permutation over speakers, two-sided, not corrected for the number of tests. 'Not told "
    f"apart' means a p of {CLEAR} or more: these clips cannot say which is better."
)


def blocks(results: Sequence[Result]) -> list[Block]:
    """A table per group of results, and which pairs were tested on different clips; nothing where there is no pair."""
    tables: dict[str, list[tuple[str, ...]]] = {}
    apart = []
    for one, other in _pairs(results):
        try:
            cells = comparison_cells(compared(one, other))
        except InputError:
            apart.append(f"{one.row.protocol}: {one.row.name} and {other.row.name}")
            continue
        line = (one.row.protocol, f"{one.row.name} − {other.row.name}", *cells)
        tables.setdefault(one.setting.group, []).append(line)
    document: list[Block] = []
    for title, lines in tables.items():
        document += [*([Heading(title, level=3)] if title else []), Table(HEADER, tuple(lines), NUMBERS)]
    document += [Paragraph(HOW_TESTED)] if tables else []
    different = f"Not to be paired, because they were tested on different clips: {'; '.join(apart)}."
    return [*document, Paragraph(different)] if apart else document


def compared(one: Result, other: Result) -> Comparison:
    """The UAR of one beside that of another.

    Raises:
        InputError: they were tested on different clips.
    """
    return paired_test(one.predictions, other.predictions, np.random.default_rng(SEED))


def comparison_cells(found: Comparison) -> tuple[str, str, str, str]:
    """Difference, p, number of pairs and verdict, for a table."""
    low, high = 100 * found.difference.low, 100 * found.difference.high
    difference = f"{100 * found.difference.value:+.1f} [{low:+.1f}, {high:+.1f}]"
    p = "< 0.001" if found.p < 0.001 else f"{found.p:.3f}"
    verdict = ("better" if found.difference.value > 0 else "worse") if found.p < CLEAR else "not told apart"
    return difference, p, f"{found.units} {found.over}", verdict


def _pairs(results: Sequence[Result]) -> list[tuple[Result, Result]]:
    found = []
    for one, other in combinations(results, 2):  # whole models come before their parts, ours before baselines
        alike = one.recipe == other.recipe
        if one.setting == other.setting and one.whole and (alike or (other.whole and not one.baseline)):
            found.append((one, other))
        elif one.setting.tested == other.setting.tested and alike and one.whole and other.whole:
            found.append((other, one))  # adapted ones come last
    return found
