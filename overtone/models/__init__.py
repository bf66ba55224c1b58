"""FEATURES -> LOGITS -> ONE ANSWER. The networks a recipe can name.

To add a branch: write one file with an `nn.Module` that has

- `embedding`: the width of its embedding;
- `fit(training)`: takes normalisers from a list of training `Features`;
- `inputs(features)`: a tuple of tensors, batch first, no gradient; bool tensors are masks (training varies and mixes
  these), for a mel branch the picture `(batch, frames, bands)` first;
- `forward(*inputs)`: embedding `(batch, embedding)` and logits `(batch, emotions)`;

then add one row to the table below and name it in a recipe.
"""

from collections.abc import Callable
from functools import partial

from torch import nn

from overtone.errors import OptionError, suggest
from overtone.models.mel_cnn import MelCnn
from overtone.models.network import Network
from overtone.models.paper_baseline import PaperDenseMelCnn, PaperMelCnn, PaperProsodyMlp
from overtone.models.pooling import StatisticsPooling
from overtone.models.prosody_cnn import ProsodyCnn
from overtone.recipe import Recipe

Branch = Callable[[int, float], nn.Module]
MEL: dict[str, Branch] = {
    "attentive": MelCnn,
    "averaging": partial(MelCnn, pooling=StatisticsPooling),
    "plain": PaperMelCnn,
    "plain-dense": PaperDenseMelCnn,
}
PROSODY: dict[str, Branch] = {"contour": ProsodyCnn, "plain": PaperProsodyMlp}


def _row(table: dict[str, Branch], name: str, key: str, recipe: Recipe) -> Branch:
    if name not in table:
        raise OptionError(f"recipe {recipe.name}: no {key} network '{name}'{suggest(name, table)}")
    return table[name]


def build(recipe: Recipe, emotions: int) -> Network:
    """A new network as the recipe wants it, with random weights from torch's current seed.

    Args:
        recipe: which branches, and their dropout.
        emotions: number of classes.

    Raises:
        OptionError: the recipe names a network that does not exist.
    """
    mel = _row(MEL, recipe.mel, "mel", recipe)(emotions, recipe.dropout)
    prosody = _row(PROSODY, recipe.prosody, "prosody", recipe)(emotions, recipe.dropout)
    return Network(mel, prosody, emotions, recipe)
