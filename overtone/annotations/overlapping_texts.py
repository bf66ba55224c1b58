"""The texts of one tier for the intervals of another, whose edges a person may have moved."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from overtone.annotations.textgrid_file import Interval, IntervalTier
from overtone.annotations.tier_names import TierName, split_tier_name


def joined_texts(tiers: Sequence[IntervalTier], name: TierName, intervals: Sequence[Interval]) -> list[str]:
    """Return the words of each of these intervals, in the tier with a name; "" where there are none.

    Words at other times, as a person has moved the intervals, belong to the interval that they overlap most.
    """
    words: list[list[str]] = [[] for _ in intervals]
    overlaps = _Overlaps(intervals)
    for given in _texts(tiers, name):
        index = overlaps.find(given)
        if index is not None:
            words[index].append(given.text.strip())
    return [" ".join(found) for found in words]


def overlapping_texts(tiers: Sequence[IntervalTier], name: TierName, intervals: Sequence[Interval]) -> list[str]:
    """Return the text that overlaps each of these intervals most, in the tier with a name; "" where none does."""
    texts = _texts(tiers, name)
    overlaps = _Overlaps(texts)
    found = map(overlaps.find, intervals)
    return ["" if index is None else texts[index].text.strip() for index in found]


def _texts(tiers: Sequence[IntervalTier], name: TierName) -> list[Interval]:
    named = (tier for tier in tiers if split_tier_name(tier.name) == name)
    return [interval for tier in named for interval in tier.intervals if interval.text.strip()]


class _Overlaps:
    """Finds the one of some intervals that another one has the times of, or else overlaps most.

    Args:
        intervals: in any order; those whose times are no numbers overlap nothing.
    """

    def __init__(self, intervals: Sequence[Interval]) -> None:
        self._same: dict[tuple[str | float, str | float], int] = {}
        for index, interval in enumerate(intervals):
            self._same.setdefault((interval.start, interval.end), index)
        spans = [(*_times(interval), index) for index, interval in enumerate(intervals)]
        self._spans = sorted(span for span in spans if math.isfinite(span[1] - span[0]))
        self._starts = [start for start, _, _ in self._spans]
        self._latest_ends = list(accumulate((end for _, end, _ in self._spans), max))

    def find(self, interval: Interval) -> int | None:
        """Return which of the intervals it is, from 0, the first of several; None if it overlaps none."""
        same = self._same.get((interval.start, interval.end))
        if same is not None:
            return same
        start, end = _times(interval)
        best, found = 0.0, None
        for place in reversed(range(bisect_left(self._starts, end))):
            if not self._latest_ends[place] > start:
                break
            first, last, index = self._spans[place]
            overlap = min(last, end) - max(first, start)
            if overlap > best or (overlap == best > 0 and index < (found or 0)):
                best, found = overlap, index
        return found


def _times(interval: Interval) -> tuple[float, float]:
    """Return the start and the end in seconds; NaN for both if one is no number, such as one in percent."""
    try:
        return float(interval.start), float(interval.end)
    except ValueError:
        return math.nan, math.nan
