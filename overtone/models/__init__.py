"""Models: features -> logits. Branches, their late fusion, ensembles of networks, and the speaker adapter."""

from overtone.models.branches import build_branch
from overtone.models.network import Network
from overtone.recipe import Recipe


def build(recipe: Recipe, emotions: int) -> Network:
    """A new network as specified by a recipe, with random weights from torch's global generator.

    Args:
        recipe: names the branches and their networks, and the dropout.
        emotions: number of classes.

    Raises:
        OptionError: the recipe names a branch or a network that does not exist.
    """
    branches = {name: build_branch(name, recipe, emotions) for name in recipe.branches}
    return Network(branches, emotions, recipe)
