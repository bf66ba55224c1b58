"""Late fusion: all embeddings affect the logits, and dropout is off in inference."""

import torch

from overtone.models.fusion import LateFusion


def test_both_embeddings_affect_the_logits() -> None:
    torch.manual_seed(0)
    fusion = LateFusion([5, 3], emotions=4, dropout=0.5).eval()
    mel, prosody = torch.randn(6, 5), torch.randn(6, 3)
    logits = fusion(mel, prosody)
    assert logits.shape == (6, 4)
    assert not torch.equal(logits, fusion(mel + 1, prosody))
    assert not torch.equal(logits, fusion(mel, prosody + 1))


def test_dropout_is_active_in_training_only() -> None:
    torch.manual_seed(0)
    fusion = LateFusion([50, 30], emotions=4, dropout=0.5)
    mel, prosody = torch.randn(6, 50), torch.randn(6, 30)
    assert not torch.equal(fusion(mel, prosody), fusion(mel, prosody))
    fusion.eval()
    assert torch.equal(fusion(mel, prosody), fusion(mel, prosody))
