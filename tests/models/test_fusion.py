"""Late fusion: what each kind depends on, and how."""

import pytest
import torch

from overtone.models.fusion import FUSIONS, MlpFusion, WeightedFusion
from overtone.recipe import FUSION_KINDS


def test_recipes_know_every_kind() -> None:
    assert set(FUSION_KINDS) == set(FUSIONS)


def test_all_embeddings_affect_the_logits_of_an_mlp() -> None:
    torch.manual_seed(0)
    fusion = MlpFusion([5, 3], emotions=4, dropout=0.5).eval()
    mel, prosody = torch.randn(6, 5), torch.randn(6, 3)
    logits = fusion([mel, prosody], [])
    assert logits.shape == (6, 4)
    assert not torch.equal(logits, fusion([mel + 1, prosody], []))
    assert not torch.equal(logits, fusion([mel, prosody + 1], []))


def test_dropout_is_active_in_training_only() -> None:
    torch.manual_seed(0)
    fusion = MlpFusion([50, 30], emotions=4, dropout=0.5)
    embeddings = [torch.randn(6, 50), torch.randn(6, 30)]
    assert not torch.equal(fusion(embeddings, []), fusion(embeddings, []))
    fusion.eval()
    assert torch.equal(fusion(embeddings, []), fusion(embeddings, []))


def test_a_weighted_fusion_is_a_product_of_powers() -> None:
    fusion = WeightedFusion([5, 3], emotions=4, dropout=0.5)
    probabilities = torch.rand(2, 6, 4).softmax(-1)
    # Logits are defined up to a constant per clip.
    logits = [probabilities[0].log() + 3, probabilities[1].log() - torch.arange(6.0)[:, None]]
    fusion.weights.copy_(torch.tensor([0.5, 2.0]))
    expected = probabilities[0] ** 0.5 * probabilities[1] ** 2
    found = fusion([], logits).softmax(-1)
    torch.testing.assert_close(found, expected / expected.sum(-1, keepdim=True))


@pytest.mark.parametrize("kind", FUSIONS)
def test_logits_of_every_kind_have_a_row_per_clip(kind: str) -> None:
    fusion = FUSIONS[kind]([5, 3], 4, 0.1).eval()
    assert fusion([torch.randn(6, 5), torch.randn(6, 3)], [torch.randn(6, 4)] * 2).shape == (6, 4)
