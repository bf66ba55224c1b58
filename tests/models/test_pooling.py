"""Pooling: weighted moments compared with numpy, and attention restricted to the mask."""

import numpy as np
import torch

from overtone.models.pooling import AttentiveStatisticsPooling, StatisticsPooling, masked_moments


def test_moments_of_the_masked_frames_equal_those_of_numpy(rng: np.random.Generator) -> None:
    values = rng.standard_normal((2, 3, 20)).astype(np.float32)
    mask = rng.random((2, 1, 20)) < 0.5
    mean, deviation = masked_moments(torch.from_numpy(values), torch.from_numpy(mask).float())
    for row in range(2):
        inside = values[row][:, mask[row, 0]]
        np.testing.assert_allclose(mean[row], inside.mean(1), atol=1e-5)
        np.testing.assert_allclose(deviation[row], np.sqrt(inside.var(1) + 1e-5), atol=1e-5)


def test_moments_of_an_empty_mask_are_finite() -> None:
    mean, deviation = masked_moments(torch.ones(1, 2, 5), torch.zeros(1, 1, 5))
    assert torch.isfinite(mean).all() and torch.isfinite(deviation).all()


def test_attention_ignores_frames_outside_the_mask() -> None:
    torch.manual_seed(0)
    pool = AttentiveStatisticsPooling(6)
    values = torch.randn(2, 6, 30)
    weights = torch.zeros(2, 1, 30)
    weights[..., 5:20] = 1
    found = pool(values, weights)
    assert found.shape == (2, 12)
    changed_outside = torch.where(weights > 0, values, 1e3)
    torch.testing.assert_close(pool(changed_outside, weights), found, atol=1e-5, rtol=0)
    torch.testing.assert_close(pool(values[..., 5:20], None), found, atol=1e-5, rtol=0)
    assert not torch.allclose(pool(values + weights, weights), found, atol=1e-2)


def test_attention_of_an_empty_mask_is_finite() -> None:
    pool = AttentiveStatisticsPooling(6)
    assert torch.isfinite(pool(torch.randn(1, 6, 9), torch.zeros(1, 1, 9))).all()


def test_statistics_pooling_gives_the_moments_of_the_masked_frames() -> None:
    values, weights = torch.randn(2, 6, 30), torch.zeros(2, 1, 30)
    weights[..., 5:20] = 1
    inside = values[..., 5:20]
    expected = torch.cat([inside.mean(-1), inside.std(-1, correction=0)], dim=-1)
    torch.testing.assert_close(StatisticsPooling(6)(values, weights), expected, atol=1e-4, rtol=0)
    torch.testing.assert_close(StatisticsPooling(6)(inside, None), expected, atol=1e-4, rtol=0)
