"""Running statistics equal those of all clips together, in any order and in any partition."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from overtone.errors import OptionError
from overtone.inference.speaker_statistics import RunningStatistics, compute_speaker_statistics


@pytest.fixture
def rows(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(1_000, 0.5, (40, 6)).astype(np.float32)  # a large mean: naive sums of squares would lose digits


def running(rows: np.ndarray, weight: float = 1.0) -> RunningStatistics:
    statistics = RunningStatistics()
    for row in rows:
        statistics.add(row, weight)
    return statistics


def test_statistics_are_the_mean_and_the_standard_deviation(rows: np.ndarray) -> None:
    statistics = compute_speaker_statistics(rows)
    assert (statistics.clips, statistics.moments.dtype, statistics.moments.shape) == (40, np.float32, (2, 6))
    assert_allclose(statistics.moments, [rows.astype(float).mean(0), rows.astype(float).std(0)], rtol=1e-6)
    one = compute_speaker_statistics(rows[:1])
    assert_array_equal(one.moments, [rows[0], np.zeros(6)])


@pytest.mark.parametrize("first", [0, 1, 17, 40])
def test_merged_parts_give_the_statistics_of_all_clips(rows: np.ndarray, first: int) -> None:
    merged = running(rows[:first])
    merged.merge(running(rows[first:]))
    assert merged.clips == 40
    assert_allclose(merged.statistics().moments, running(rows).statistics().moments, rtol=1e-6)


def test_a_clip_counts_as_often_as_its_weight(rows: np.ndarray) -> None:
    weighted = running(rows[:5], weight=2.0)
    weighted.merge(running(rows[5:10]))
    repeated = running(np.concatenate([rows[:5], rows[:5], rows[5:10]]))
    assert weighted.clips == 10
    assert_allclose(weighted.statistics().moments, repeated.statistics().moments, rtol=1e-6)


def test_statistics_are_restored_exactly(rows: np.ndarray) -> None:
    original = running(rows)
    restored = RunningStatistics.from_array(original.to_array())
    for statistics in (original, restored):
        statistics.merge(running(rows[:3]))
    assert restored.clips == 43
    assert_array_equal(restored.to_array(), original.to_array())


def test_no_clips_have_no_statistics() -> None:
    with pytest.raises(OptionError, match="at least one reference clip"):
        compute_speaker_statistics([])
