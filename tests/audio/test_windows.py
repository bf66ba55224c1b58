"""Windows cover a recording, and `overlap_add` inverts `split_windows`."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from overtone.audio.windows import HOP_STEPS, STEP_SAMPLES, WINDOW_STEPS, count_steps, overlap_add, split_windows

LENGTHS = st.integers(1, 40 * WINDOW_STEPS)


@given(LENGTHS, st.integers(0, 500), st.integers(0, 2**32 - 1))
def test_overlap_add_inverts_split_windows(steps: int, first: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=(first + steps, 2))
    windows = list(split_windows(first, first + steps))
    curve, weights = overlap_add(windows, [values[start:end] for start, end in windows], first + steps)
    assert_allclose(curve[first:], values[first:], rtol=1e-12, atol=1e-12)
    assert np.isnan(curve[:first]).all()
    assert (weights[first:] > 0).all() and not weights[:first].any()


@given(LENGTHS)
def test_windows_cover_every_step_twice_except_at_the_ends(steps: int) -> None:
    windows = list(split_windows(0, steps))
    counts = np.zeros(steps, int)
    for start, end in windows:
        assert end - start == min(WINDOW_STEPS, steps)
        counts[start:end] += 1
    assert (counts >= 1).all()
    assert (counts[HOP_STEPS : steps - HOP_STEPS] >= 2).all()
    assert windows == sorted(set(windows))


@given(LENGTHS, LENGTHS)
def test_only_the_last_window_depends_on_the_end(steps: int, more: int) -> None:
    short, long = list(split_windows(0, steps)), list(split_windows(0, steps + more))
    assert long[: len(short) - 1] == short[:-1]


def test_overlapping_windows_are_weighted() -> None:
    windows = [(0, WINDOW_STEPS), (HOP_STEPS, HOP_STEPS + WINDOW_STEPS)]
    values = [np.array([0.0]), np.array([1.0])]
    steps = HOP_STEPS + WINDOW_STEPS
    curve, _ = overlap_add(windows, values, steps)
    assert (np.diff(curve[:, 0]) >= 0).all()
    assert curve[0, 0] == 0 and curve[-1, 0] == 1
    favoured, _ = overlap_add(windows, values, steps, importance=[1.0, 3.0])
    middle = HOP_STEPS + HOP_STEPS // 2
    assert favoured[middle, 0] > curve[middle, 0]
    alone, _ = overlap_add(windows, values, steps, importance=[0.0, 1.0])
    assert np.isnan(alone[:HOP_STEPS]).all() and (alone[HOP_STEPS:] == 1).all()


def test_steps_cover_all_samples() -> None:
    assert [count_steps(samples) for samples in (1, STEP_SAMPLES, STEP_SAMPLES + 1)] == [1, 1, 2]
