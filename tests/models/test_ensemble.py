from collections.abc import Callable

import torch

from overtone.features.front_end import Features
from overtone.models import build
from overtone.models.ensemble import Ensemble
from overtone.models.network import Network
from overtone.recipe import PARTS, read_recipe


def several(batch: Features) -> list[Network]:
    """Three networks of one recipe and one training side, from other draws."""
    found = []
    for seed in range(3):
        torch.manual_seed(seed)
        found.append(build(read_recipe("overtone"), 5).eval())
        found[-1].fit_normalisers({"mel": [batch], "prosody": [batch]})
    return found


@torch.no_grad()
def test_probabilities_are_the_mean_of_those_of_its_networks(batch: Features) -> None:
    networks = several(batch)
    alone = [network.probabilities(network.logits(network.inputs(batch))) for network in networks]
    ensemble = Ensemble(networks)
    together = ensemble.probabilities(ensemble.logits(ensemble.inputs(batch)))
    for part in PARTS:
        expected = torch.stack([one[part] for one in alone]).mean(0)
        torch.testing.assert_close(together[part], expected)
        assert not torch.allclose(together[part], alone[0][part], atol=1e-3)


@torch.no_grad()
def test_a_temperature_softens_every_part(batch: Features) -> None:
    ensemble = Ensemble(several(batch))
    logits = ensemble.logits(ensemble.inputs(batch))
    before = ensemble.probabilities(logits)
    ensemble.temperature.fill_(3.0)
    after = ensemble.probabilities(logits)
    for part in PARTS:
        assert torch.equal(after[part].argmax(-1), before[part].argmax(-1))
        assert (after[part].max(-1).values < before[part].max(-1).values).all()


@torch.no_grad()
def test_embeddings_stand_side_by_side(batch: Features) -> None:
    networks = several(batch)
    ensemble = Ensemble(networks)
    embedding = ensemble.answers(ensemble.inputs(batch))[1]
    own = [network.answers(network.inputs(batch))[1] for network in networks]
    torch.testing.assert_close(embedding, torch.cat(own, dim=-1))


def test_rounded_weights_fit_into_half_precision_and_hardly_change_the_answer(
    network: Callable[[str], Network], batch: Features
) -> None:
    rounded = build(read_recipe("overtone"), 8).eval()
    rounded.load_state_dict(network("overtone").state_dict())
    rounded.round_to_float16()
    assert all(torch.equal(weight, weight.half().float()) for weight in rounded.parameters())
    with torch.no_grad():
        before, after = (one.probabilities(one.logits(one.inputs(batch))) for one in (network("overtone"), rounded))
    for part in PARTS:
        assert not torch.equal(after[part], before[part])
        torch.testing.assert_close(after[part], before[part], atol=5e-3, rtol=0)
