"""Weights of frames, and the clip that needs none."""

import torch

from overtone.models.counted import counted, strided, weights_of

MASK = torch.tensor([[True, True, True, True, True], [True, True, True, False, False]])


def test_frames_behind_the_end_are_zero_after_every_stride() -> None:
    weights = weights_of(MASK, torch.ones(1), training=False)
    assert weights is not None and weights.shape == (2, 1, 5)
    assert counted(torch.ones(2, 3, 5), weights).sum(-1).tolist() == [[5.0] * 3, [3.0] * 3]
    assert counted(torch.ones(2, 3, 5, 4), weights).sum((-1, -2)).tolist() == [[20.0] * 3, [12.0] * 3]
    halved = strided(weights, 2)
    assert halved is not None and halved[:, 0].tolist() == [[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]]


def test_a_clip_alone_counts_as_a_whole_but_in_training() -> None:
    values = torch.randn(1, 2, 5)
    assert weights_of(MASK[1:], values, training=False) is None
    assert strided(None, 2) is None and counted(values, None) is values
    weights = weights_of(MASK[1:], values, training=True)
    assert weights is not None and weights.sum() == 3
