"""Ensemble: several networks on one front end, whose probabilities are averaged."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from overtone.features.front_end import Features
from overtone.models.network import Inputs, Model, Network


class Ensemble(Model):
    """Networks of one recipe, trained on the same clips with different seeds; their probabilities are averaged.

    Source: Lakshminarayanan et al. (2017), "Simple and scalable predictive uncertainty estimation".

    Args:
        networks: at least one; all with the same normalisers, since the first one prepares the inputs of all.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        super().__init__(networks[0].parts, networks[0].front_end.extra)
        self.members = nn.ModuleList(networks)

    @property
    def networks(self) -> list[Network]:
        """The networks, in the order of their seeds."""
        return [network for network in self.members if isinstance(network, Network)]

    def inputs(self, features: Features) -> Inputs:
        """The inputs of each branch, normalised once for all networks."""
        return self.networks[0].inputs(features)

    @property
    def reference_size(self) -> int:
        """Number of values that `refer` takes."""
        return self.networks[0].reference_size

    def refer(self, inputs: Inputs, mean: Tensor, clips: Tensor) -> Inputs:
        """The inputs of each branch, relative to reference clips, once for all networks; see `Model.refer`."""
        return self.networks[0].refer(inputs, mean, clips)

    def reference_values(self, inputs: Inputs) -> Tensor:
        """The values whose mean over reference clips `refer` takes; the same for all networks."""
        return self.networks[0].reference_values(inputs)

    def logits_and_embedding(self, inputs: Inputs) -> tuple[dict[str, Tensor], Tensor]:
        """Logarithms of the averaged probabilities of each part, and the concatenated embeddings."""
        members = [network.logits_and_embedding(inputs) for network in self.networks]
        probabilities = {
            part: torch.stack([logits[part] for logits, _ in members]).softmax(-1).mean(0) for part in self.parts
        }
        embedding = torch.cat([embedding for _, embedding in members], dim=-1)
        return {part: values.log() for part, values in probabilities.items()}, embedding


def networks_of(model: Model) -> list[Network]:
    """The networks of an ensemble, or a model that is a single network."""
    if isinstance(model, Ensemble):
        return model.networks
    return [model] if isinstance(model, Network) else []
