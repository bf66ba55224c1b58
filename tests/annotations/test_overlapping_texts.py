"""The texts of a tier for intervals at other times, compared with a search of all pairs."""

import numpy as np
import pytest

from overtone.annotations.overlapping_texts import joined_texts, overlapping_texts
from overtone.annotations.textgrid_file import Interval, IntervalTier
from overtone.annotations.tier_names import TierName

NAME = TierName("text", "", "anna")


def random_intervals(rng: np.random.Generator, count: int) -> list[Interval]:
    """Intervals of any duration, in any order, which may overlap each other; half a second is the unit."""
    starts, durations = rng.integers(0, 30, count) / 2, rng.integers(1, 12, count) / 2
    return [Interval(str(s), str(s + d), f"t{k}") for k, (s, d) in enumerate(zip(starts, durations, strict=True))]


def best(interval: Interval, others: list[Interval]) -> int | None:
    """The one that overlaps most, the first of equals; one at the same times counts most."""
    same = [k for k, other in enumerate(others) if interval[:2] == other[:2]]
    overlaps = [min(float(interval.end), float(o.end)) - max(float(interval.start), float(o.start)) for o in others]
    most = max(overlaps)
    return same[0] if same else overlaps.index(most) if most > 0 else None


@pytest.mark.parametrize("seed", range(20))
def test_texts_are_those_that_overlap_most(seed: int) -> None:
    rng = np.random.default_rng(seed)
    intervals, texts = random_intervals(rng, 12), random_intervals(rng, 9)
    tiers = [IntervalTier("text@anna", texts), IntervalTier("text@ben", random_intervals(rng, 5))]
    found = [best(interval, texts) for interval in intervals]
    assert overlapping_texts(tiers, NAME, intervals) == ["" if k is None else texts[k].text for k in found]
    words: list[list[str]] = [[] for _ in intervals]
    for text in texts:
        index = best(text, intervals)
        if index is not None:
            words[index].append(text.text)
    assert joined_texts(tiers, NAME, intervals) == [" ".join(each) for each in words]


def test_times_that_are_no_numbers_overlap_nothing() -> None:
    tiers = [
        IntervalTier("text@anna", [Interval("50%", "60%", "a"), Interval("nan", "inf", "b"), Interval("1", "2", "c")])
    ]
    intervals = [Interval("0", "9", "x"), Interval("50%", "60%", "y"), Interval("x", "9", "z")]
    assert overlapping_texts(tiers, NAME, intervals) == ["c", "a", ""]
    assert joined_texts(tiers, NAME, intervals) == ["c", "a", ""]
