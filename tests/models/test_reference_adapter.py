"""The reference adapter: a product of experts whose weights depend on the reference set; nothing without one."""

import pytest
import torch

from overtone.models.reference_adapter import CONDITIONS, EXPERTS, MIN_CLIPS, ReferenceAdapter, conditions
from overtone.models.statistics_mlp import PRIOR_CLIPS

EMOTIONS = 4


def probabilities(seed: int, clips: int = 6) -> torch.Tensor:
    """Return probabilities `(clips, EMOTIONS)`."""
    return torch.randn(clips, EMOTIONS, generator=torch.Generator().manual_seed(seed)).softmax(-1)


@pytest.mark.parametrize("clips", range(MIN_CLIPS))
def test_with_too_few_reference_clips_the_answer_is_unchanged(clips: int) -> None:
    adapter = ReferenceAdapter(7, EMOTIONS)
    adapter.expert_weights.normal_()
    found = adapter(probabilities(0), probabilities(1), probabilities(2, 1), torch.tensor([float(clips)]))
    torch.testing.assert_close(found.softmax(-1), probabilities(0))


def test_the_answer_is_a_product_of_experts() -> None:
    adapter = ReferenceAdapter(7, EMOTIONS)
    adapter.expert_weights.copy_(torch.tensor([[0.5, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, -1.0]]))
    mean, clips = torch.tensor([[0.7, 0.1, 0.1, 0.1]]), torch.tensor([5.0])
    reliability = 5 / (5 + PRIOR_CLIPS)
    entropy = -(mean * mean.log()).sum() / torch.tensor(float(EMOTIONS)).log()
    expected = probabilities(0) ** 0.5 * probabilities(1) ** (2 * reliability) * mean ** (-reliability * entropy)
    found = adapter(probabilities(0), probabilities(1), mean, clips).softmax(-1)
    torch.testing.assert_close(found, expected / expected.sum(-1, keepdim=True))


def test_conditions_are_reliability_and_evenness() -> None:
    even, one_sided = torch.full((1, EMOTIONS), 1 / EMOTIONS), torch.tensor([[1.0, 0, 0, 0]])
    rows = conditions(torch.cat([even, one_sided, even]), torch.tensor([1e9, 1e9, 0.0]))
    torch.testing.assert_close(rows, torch.tensor([[1.0, 1, 1], [1, 1, 0], [1, 0, 0]]), atol=1e-4, rtol=0)
    assert rows.shape[1] == CONDITIONS


def test_each_clip_may_have_a_set_of_its_own() -> None:
    adapter = ReferenceAdapter(7, EMOTIONS)
    adapter.expert_weights.normal_()
    means, clips = probabilities(2), torch.arange(6.0)
    together = adapter(probabilities(0), probabilities(1), means, clips)
    for row in range(6):
        one = slice(row, row + 1)
        alone = adapter(probabilities(0)[one], probabilities(1)[one], means[one], clips[one])
        torch.testing.assert_close(together[one], alone)
    assert adapter.expert_weights.shape == (EXPERTS, CONDITIONS)
