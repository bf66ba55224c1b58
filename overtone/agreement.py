"""How often a person and a model agree on the emotions of the same segments."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from overtone.errors import InputError

MODEL, PERSON = "model", "person"  # who decided the emotion of a segment
DECIDERS = (MODEL, PERSON)


@dataclass(frozen=True)
class Agreement:
    """The agreement of two raters.

    Attributes:
        n: number of segments that both have labelled.
        agreed: number of segments to which both have given the same label.
        kappa: Cohen's kappa, from -1 to 1: 0 if they agree as often as by chance; NaN if it is undefined, since there
            is no segment, or since both have given all segments one and the same label.
    """

    n: int
    agreed: int
    kappa: float

    def __post_init__(self) -> None:
        if not 0 <= self.agreed <= self.n or not (math.isnan(self.kappa) or -1 - 1e-9 <= self.kappa <= 1 + 1e-9):
            raise InputError(f"Agreement: expected 0 <= agreed <= n and kappa in [-1, 1], got {self!r}")

    def __str__(self) -> str:
        kappa = "undefined" if math.isnan(self.kappa) else f"{self.kappa:.2f}"
        share = f" ({self.agreed / self.n:.0%})" if self.n else ""
        return f"person and model agree on {self.agreed} of {self.n} labelled segments{share}; Cohen's kappa {kappa}"


def measure_agreement(pairs: Iterable[tuple[str, str]]) -> Agreement:
    """Return the agreement of two raters.

    Source: Cohen (1960), "A Coefficient of Agreement for Nominal Scales".

    Args:
        pairs: the labels of both raters for each segment.
    """
    labels = list(pairs)
    n, agreed = len(labels), sum(first == second for first, second in labels)
    firsts, seconds = Counter(first for first, _ in labels), Counter(second for _, second in labels)
    by_chance = sum(count * seconds[label] for label, count in firsts.items())  # of n * n
    if n * n == by_chance:
        return Agreement(n, agreed, math.nan)
    return Agreement(n, agreed, (n * agreed - by_chance) / (n * n - by_chance))
