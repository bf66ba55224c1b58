"""The registry of branches: every combination can be built, and unknown names are refused."""

import dataclasses
from itertools import product

import pytest
import torch

from overtone.errors import OptionError
from overtone.models import build
from overtone.models.branches import BRANCHES
from overtone.models.fusion import FUSIONS
from overtone.recipe import bundled_recipes, read_recipe

pytestmark = pytest.mark.usefixtures("small_encoder")


@pytest.mark.parametrize("name", bundled_recipes())
def test_every_bundled_recipe_can_be_built(name: str) -> None:
    recipe = read_recipe(name)
    network = build(recipe, 5)
    widths = [network.branch(branch).embedding for branch in network.branch_names]
    assert isinstance(network.fusion, FUSIONS[recipe.fusion])
    embeddings, logits = [torch.zeros(2, width) for width in widths], [torch.zeros(2, 5)] * len(widths)
    assert network.fusion(embeddings, logits).shape == (2, 5)


@pytest.mark.parametrize(
    ("branches", "message"),
    [
        ({"mel": "residual-cn", "prosody": "contour-cnn"}, "no mel network 'residual-cn'; did you mean 'residual-cnn'"),
        ({"mel": "residual-cnn", "prosody": "kontour-cnn"}, "no prosody network .* did you mean 'contour-cnn'"),
        ({"encoder": "whisper-tinny.en"}, "no encoder 'whisper-tinny.en'"),
        ({"mel": "residual-cnn", "prosodie": "contour-cnn"}, "no branch 'prosodie'; did you mean 'prosody'"),
    ],
)
def test_unknown_branches_and_networks_name_the_nearest(branches: dict[str, str], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        build(dataclasses.replace(read_recipe("base"), branches=branches, phases=()), 8)


@pytest.mark.parametrize("networks", list(product(*(row.networks for row in BRANCHES.values()))))
def test_all_networks_fit_together(networks: tuple[str, ...]) -> None:
    branches = dict(zip(BRANCHES, networks, strict=True))
    network = build(dataclasses.replace(read_recipe("base"), branches=branches, phases=()), 3).eval()
    with torch.inference_mode():
        outputs = dict(zip(network.output_names, network(torch.randn(2, 9000)), strict=True))
    assert outputs["probabilities"].shape == (2, 3)
    assert {f"{name}_probabilities" for name in branches} <= outputs.keys()


@pytest.mark.parametrize("branch", BRANCHES)
def test_a_single_branch_is_a_model(branch: str) -> None:
    recipe = read_recipe("base")
    network = build(
        dataclasses.replace(recipe, branches={branch: next(iter(BRANCHES[branch].networks))}, phases=()), 3
    ).eval()
    with torch.inference_mode():
        outputs = network(torch.randn(1, 9000))
    assert network.output_names[:2] == ("probabilities", f"{branch}_probabilities")
    assert outputs[0].shape == outputs[1].shape == (1, 3)
