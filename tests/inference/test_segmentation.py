"""Segmentation of a track of probabilities into silence and spans of one emotion."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from overtone.inference.segmentation import CHANGE_COST, emotion_spans, split_segments, viterbi_path


def track(*parts: tuple[int, int], confidence: float = 0.8, classes: int = 3) -> np.ndarray:
    """Return probabilities `(steps, classes)` of consecutive parts `(steps, class)`; class -1 is no speech."""
    rows = []
    for steps, label in parts:
        row = np.full(classes, (1 - confidence) / (classes - 1))
        row[label] = confidence
        rows += [np.full(classes, np.nan) if label < 0 else row] * steps
    return np.array(rows)


def test_segments_are_silence_or_one_emotion() -> None:
    assert split_segments(track((5, -1), (20, 0), (30, 2), (4, -1), (10, 2))) == [
        (0, 5), (5, 25), (25, 55), (55, 59), (59, 69),
    ]  # fmt: skip
    assert split_segments(track((7, -1))) == [(0, 7)]
    assert split_segments(track((1, 1))) == [(0, 1)]


def test_a_short_deviation_is_no_change() -> None:
    assert emotion_spans(track((20, 0), (2, 1), (20, 0))) == [(0, 42)]
    assert emotion_spans(track((20, 0), (12, 1), (20, 0))) == [(0, 20), (20, 32), (32, 52)]


@pytest.mark.parametrize(("seconds", "changes"), [(0.9, False), (1.1, True)])
def test_a_change_needs_twice_the_probability_for_one_second(seconds: float, changes: bool) -> None:
    after = np.tile([0.3, 0.6, 0.1], (round(seconds * 10), 1))
    path = viterbi_path(np.log(np.concatenate([track((30, 0)), after])), CHANGE_COST)
    assert (path[-1] == 1) == changes


@given(st.integers(1, 6), st.floats(0, 3), st.integers(0, 2**32 - 1))
def test_the_path_has_the_highest_score(steps: int, cost: float, seed: int) -> None:
    logs = np.log(np.random.default_rng(seed).dirichlet(np.ones(3), steps))

    def path_score(path: tuple[int, ...]) -> float:
        return float(sum(logs[step, label] for step, label in enumerate(path))) - cost * sum(
            before != after for before, after in pairwise(path)
        )

    best = max(path_score(path) for path in product(range(3), repeat=steps))
    assert path_score(tuple(viterbi_path(logs, cost).tolist())) == pytest.approx(best)


@given(st.integers(1, 300), st.integers(0, 2**32 - 1))
def test_segments_cover_the_recording_and_neighbours_differ(steps: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.full(4, 0.3), steps)
    probabilities[np.repeat(rng.random(steps) < 0.2, 6)[:steps]] = np.nan
    found = split_segments(probabilities)
    assert [first for first, _ in found] == [0, *(end for _, end in found[:-1])] and found[-1][1] == steps
    labels = [
        -1 if np.isnan(probabilities[first:end]).any() else int(probabilities[first:end].mean(0).argmax())
        for first, end in found
    ]
    assert all(before != after for before, after in pairwise(labels))
