"""Ensembles: averaged probabilities, concatenated embeddings, and weights rounded to float16."""

from collections.abc import Callable

import torch

from overtone.features.front_end import Features
from overtone.models import build
from overtone.models.ensemble import Ensemble
from overtone.models.network import Network
from overtone.recipe import read_recipe


def make_networks(batch: Features) -> list[Network]:
    """Return three networks of one recipe and one training set, with different seeds."""
    networks = []
    for seed in range(3):
        torch.manual_seed(seed)
        networks.append(build(read_recipe("base"), 5).eval())
        networks[-1].fit_normalisers({"mel": [batch], "prosody": [batch]})
    return networks


@torch.no_grad()
def test_probabilities_are_the_mean_of_those_of_the_networks(batch: Features) -> None:
    networks = make_networks(batch)
    single = [network.probabilities(network.logits(network.inputs(batch))) for network in networks]
    ensemble = Ensemble(networks)
    averaged = ensemble.probabilities(ensemble.logits(ensemble.inputs(batch)))
    for part in ensemble.parts:
        expected = torch.stack([probabilities[part] for probabilities in single]).mean(0)
        torch.testing.assert_close(averaged[part], expected)
        assert not torch.allclose(averaged[part], single[0][part], atol=1e-3)


@torch.no_grad()
def test_the_temperature_softens_every_part(batch: Features) -> None:
    ensemble = Ensemble(make_networks(batch))
    logits = ensemble.logits(ensemble.inputs(batch))
    before = ensemble.probabilities(logits)
    ensemble.temperature.fill_(3.0)
    after = ensemble.probabilities(logits)
    for part in ensemble.parts:
        assert torch.equal(after[part].argmax(-1), before[part].argmax(-1))
        assert (after[part].max(-1).values < before[part].max(-1).values).all()


@torch.no_grad()
def test_embeddings_are_concatenated(batch: Features) -> None:
    networks = make_networks(batch)
    ensemble = Ensemble(networks)
    embedding = ensemble.logits_and_embedding(ensemble.inputs(batch))[1]
    embeddings = [network.logits_and_embedding(network.inputs(batch))[1] for network in networks]
    torch.testing.assert_close(embedding, torch.cat(embeddings, dim=-1))


def test_weights_rounded_to_float16_hardly_change_the_probabilities(
    network: Callable[[str], Network], batch: Features
) -> None:
    rounded = build(read_recipe("base"), 8).eval()
    rounded.load_state_dict(network("base").state_dict())
    rounded.round_to_float16()
    assert all(torch.equal(weight, weight.half().float()) for weight in rounded.parameters())
    with torch.no_grad():
        before, after = (net.probabilities(net.logits(net.inputs(batch))) for net in (network("base"), rounded))
    for part in rounded.parts:
        assert not torch.equal(after[part], before[part])
        torch.testing.assert_close(after[part], before[part], atol=5e-3, rtol=0)
