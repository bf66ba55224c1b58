"""The registry of branches: one row defines everything specific to a branch.

Recipe keys (`[branches]`), ONNX outputs (`<branch>_probabilities`), `Prediction.branches`, table columns, card rows,
result files and cached features follow from the name of the row. To add a branch, write one file with an `nn.Module`
that has

- `embedding`: the width of its embedding;
- `fit(training)`: sets its normalisers from a list of `Features` of the training set;
- `inputs(features)`: a tuple of tensors, batch first, without gradient; bool tensors are masks (training augments and
  mixes the others);
- `forward(*inputs)`: embedding `(batch, embedding)` and logits `(batch, emotions)`;
- optionally, to adapt to a speaker or a recording: `reference_values`, the width of its first input, and
  `refer(inputs, mean, clips)`, the inputs relative to the mean of that input over reference clips;
- optionally, `own_normaliser = True`: each network of an ensemble fits it on its own training clips, since it is
  applied in `forward`, not in `inputs`, which all networks share;

then add one row to `BRANCHES`, and name the branch and its network in a recipe.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from torch import Tensor, nn

from overtone.errors import OptionError, suggest
from overtone.features.front_end import ExtraFeature
from overtone.models.encoder_mlp import DEFAULT_ENCODER, EncoderMlp
from overtone.models.encoder_statistics import statistics_feature
from overtone.models.extra_contours import contour_features, split_name
from overtone.models.mel_cnn import SMALL, MelCnn, augment_spectrogram
from overtone.models.paper_baseline import PaperDenseMelCnn, PaperMelCnn, PaperProsodyMlp
from overtone.models.pooling import StatisticsPooling
from overtone.models.prosody_cnn import ProsodyCnn
from overtone.models.prosody_mlp import ProsodyMlp
from overtone.recipe import Recipe

BuildNetwork = Callable[..., nn.Module]
"""Number of emotions and dropout -> a branch network, as specified in the docstring of this module."""

BuildNamedNetwork = Callable[[str, int, float], nn.Module]
"""Name of a network, number of emotions and dropout -> the network."""

AugmentInputs = Callable[[tuple[Tensor, ...], Recipe, np.random.Generator], tuple[Tensor, ...]]
"""Inputs of a batch, recipe and random generator -> augmented inputs of the same shapes."""


@dataclass(frozen=True)
class Branch:
    """One row of the registry.

    Attributes:
        networks: name that a recipe gives -> how to build the network.
        other_network: how to build a network that `networks` does not list, such as one on another pretrained encoder;
            None if there are no others.
        augment: augmentation of the inputs in training; None for none.
        features: name of the network -> the features that the front end computes for this branch alone, by name, as
            `Features.extra[name]`.
        reduced_precision: whether the network may compute in bfloat16 in training.
        take_contours: those of `networks` whose name may list contours, as in "contour-cnn+spectral-centroid", and
            which are built with their names as the argument `contours`.
    """

    networks: Mapping[str, BuildNetwork]
    other_network: BuildNamedNetwork | None = None
    augment: AugmentInputs | None = None
    features: Callable[[str], Mapping[str, ExtraFeature]] = lambda network: {}
    reduced_precision: bool = False
    take_contours: frozenset[str] = frozenset()


BRANCHES: dict[str, Branch] = {
    "mel": Branch(
        networks={
            "residual-cnn": MelCnn,
            "small-residual-cnn": partial(MelCnn, widths=SMALL),
            "residual-cnn-mean-pooling": partial(MelCnn, pooling=StatisticsPooling),
            "paper-cnn": PaperMelCnn,
            "paper-cnn-dense": PaperDenseMelCnn,
        },
        augment=augment_spectrogram,
        reduced_precision=True,
    ),
    "prosody": Branch(
        networks={"contour-cnn": ProsodyCnn, "statistics-mlp": ProsodyMlp, "paper-mlp": PaperProsodyMlp},
        features=contour_features,
        take_contours=frozenset({"contour-cnn", "statistics-mlp"}),
    ),
    "encoder": Branch(
        networks={DEFAULT_ENCODER: partial(EncoderMlp, DEFAULT_ENCODER)},
        other_network=EncoderMlp,
        features=statistics_feature,
    ),
}


def build_branch(name: str, recipe: Recipe, emotions: int) -> nn.Module:
    """The network of one branch of a recipe, with random weights.

    Args:
        name: name of the branch.
        recipe: specifies the network and the dropout.
        emotions: number of classes.

    Raises:
        OptionError: no such branch, or no such network.
    """
    if name not in BRANCHES:
        raise OptionError(f"recipe {recipe.name}: no branch '{name}'{suggest(name, BRANCHES)}")
    row, network = BRANCHES[name], recipe.branches[name]
    if network in row.networks:
        return row.networks[network](emotions, recipe.dropout)
    base, contours = split_name(network) if row.take_contours else (network, ())
    if base in row.take_contours:
        return row.networks[base](emotions, recipe.dropout, contours=contours)
    if contours and base in row.networks:
        raise OptionError(
            f"recipe {recipe.name}: {base} takes no contours, unlike {', '.join(sorted(row.take_contours))}"
        )
    if row.other_network is not None:
        return row.other_network(network, emotions, recipe.dropout)
    raise OptionError(f"recipe {recipe.name}: no {name} network '{base}'{suggest(base, row.networks)}")


def extra_features(recipe: Recipe) -> dict[str, ExtraFeature]:
    """The extra features that the branches of a recipe need, by name.

    Raises:
        OptionError: a network needs a file that cannot be found, such as those of a pretrained encoder.
        ModelError: such a file is damaged.
    """
    features: dict[str, ExtraFeature] = {}
    for branch, network in recipe.branches.items():
        features |= BRANCHES[branch].features(network)
    return features
