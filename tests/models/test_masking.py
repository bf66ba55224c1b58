"""Frame weights of padded batches, and single clips without weights."""

import torch

from overtone.models.masking import apply_mask, frame_weights, stride_weights

MASK = torch.tensor([[True, True, True, True, True], [True, True, True, False, False]])


def test_frames_behind_the_end_are_zero_after_every_stride() -> None:
    weights = frame_weights(MASK, torch.ones(1), training=False)
    assert weights is not None and weights.shape == (2, 1, 5)
    assert apply_mask(torch.ones(2, 3, 5), weights).sum(-1).tolist() == [[5.0] * 3, [3.0] * 3]
    assert apply_mask(torch.ones(2, 3, 5, 4), weights).sum((-1, -2)).tolist() == [[20.0] * 3, [12.0] * 3]
    halved = stride_weights(weights, 2)
    assert halved is not None and halved[:, 0].tolist() == [[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]]


def test_a_single_clip_has_weights_in_training_only() -> None:
    values = torch.randn(1, 2, 5)
    assert frame_weights(MASK[1:], values, training=False) is None
    assert stride_weights(None, 2) is None and apply_mask(values, None) is values
    weights = frame_weights(MASK[1:], values, training=True)
    assert weights is not None and weights.sum() == 3
