"""The active span of tracks, on short hand-written tracks."""

import numpy as np
import pytest
import torch

from overtone.features.active_span import (
    batch_span,
    first_to_last,
    gather_frames,
    max_filter,
    per_clip_spans,
    shared_span,
)


def test_span_goes_from_the_first_to_the_last_active_frame() -> None:
    active = torch.tensor([[0, 1, 0, 1, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 1]], dtype=torch.bool)
    assert first_to_last(active).int().tolist() == [[0, 1, 1, 1, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]]


def test_running_maximum(rng: np.random.Generator) -> None:
    track = rng.standard_normal(30).astype(np.float32)
    result = max_filter(torch.from_numpy(track)[None], 2, 4)[0].numpy()
    np.testing.assert_array_equal(result, [track[max(0, t - 2) : t + 5].max() for t in range(30)])


@pytest.mark.parametrize(
    ("active", "expected"),
    [
        ([[0, 1, 0, 1, 0]], [1, 2, 3]),
        ([[0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0]], [1, 2, 3, 4]),
        ([[0, 0, 1]], [2]),
        ([[0, 0, 0], [0, 0, 0]], [0, 1, 2]),
    ],
)
def test_positions_of_the_span_of_all_clips(active: list[list[int]], expected: list[int]) -> None:
    assert batch_span(torch.tensor(active, dtype=torch.bool)).tolist() == expected


def test_each_clip_begins_at_its_own_span() -> None:
    active = torch.tensor([[0, 1, 0, 1, 0, 0], [0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0]], dtype=torch.bool)
    positions, inside = per_clip_spans(active)
    assert inside.tolist() == [[True, True, True], [True, True, False], [True, False, False]]
    assert positions[0].tolist() == [1, 2, 3] and positions[1, :2].tolist() == [4, 5]
    assert per_clip_spans(active[2:])[1].tolist() == [[True]]
    positions, inside = shared_span(active[:2])
    assert positions.tolist() == [[1, 2, 3, 4, 5]] * 2
    assert inside.tolist() == [[True, False, True, False, False], [False, False, False, True, True]]


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("clips", [1, 3])
def test_frames_are_gathered_at_the_positions_of_each_clip(rng: np.random.Generator, clips: int, axis: int) -> None:
    values = rng.standard_normal((clips, 6, 6)).astype(np.float32)
    positions = rng.integers(0, 6, (clips, 4))
    result = gather_frames(torch.from_numpy(values), torch.from_numpy(positions), axis).numpy()
    np.testing.assert_array_equal(
        result, [np.take(*of_clip, axis - 1) for of_clip in zip(values, positions, strict=True)]
    )
