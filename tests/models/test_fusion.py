import torch

from overtone.models.fusion import LateFusion


def test_both_embeddings_are_heard() -> None:
    torch.manual_seed(0)
    fusion = LateFusion(5, 3, emotions=4, dropout=0.5).eval()
    mel, prosody = torch.randn(6, 5), torch.randn(6, 3)
    found = fusion(mel, prosody)
    assert found.shape == (6, 4)
    assert not torch.equal(found, fusion(mel + 1, prosody))
    assert not torch.equal(found, fusion(mel, prosody + 1))


def test_units_are_dropped_in_training_only() -> None:
    torch.manual_seed(0)
    fusion = LateFusion(50, 30, emotions=4, dropout=0.5)
    mel, prosody = torch.randn(6, 50), torch.randn(6, 30)
    assert not torch.equal(fusion(mel, prosody), fusion(mel, prosody))
    fusion.eval()
    assert torch.equal(fusion(mel, prosody), fusion(mel, prosody))
