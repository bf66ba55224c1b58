"""The tables of networks that a recipe can name."""

import dataclasses

import pytest
import torch

from overtone.errors import OptionError
from overtone.models import MEL, PROSODY, build
from overtone.recipe import bundled_recipes, read_recipe


@pytest.mark.parametrize("name", bundled_recipes())
def test_every_recipe_of_the_package_can_be_built(name: str) -> None:
    network = build(read_recipe(name), 5)
    assert network.fusion.layers[-1].out_features == 5
    assert network.mel.embedding + network.prosody.embedding == network.fusion.layers[1].in_features


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mel": "atentive"}, "no mel network 'atentive'; did you mean 'attentive'"),
        ({"prosody": "kontour"}, "no prosody network 'kontour'; did you mean 'contour'"),
    ],
)
def test_unknown_network_names_the_nearest(change: dict[str, str], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        build(dataclasses.replace(read_recipe("overtone"), **change), 8)


@pytest.mark.parametrize("mel", MEL)
@pytest.mark.parametrize("prosody", PROSODY)
def test_any_two_branches_fit_together(mel: str, prosody: str) -> None:
    recipe = dataclasses.replace(read_recipe("overtone"), mel=mel, prosody=prosody)
    with torch.inference_mode():
        found = build(recipe, 3).eval()(torch.randn(2, 9000))
    assert found.probabilities.shape == (2, 3)
