"""Several networks behind one front end -> one answer."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from overtone.features.front_end import Features
from overtone.models.network import Inputs, Model, Network
from overtone.recipe import PARTS


class Ensemble(Model):
    """Networks of one recipe, trained on the same clips from other draws; their probabilities are averaged.

    Source: Lakshminarayanan et al. (2017), "Simple and scalable predictive uncertainty estimation".

    Args:
        networks: at least one; all with the same normalisers, since one reads the features for all.
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        super().__init__()
        self.members = nn.ModuleList(networks)

    @property
    def networks(self) -> list[Network]:
        """The networks, in the order of their seeds."""
        return [network for network in self.members if isinstance(network, Network)]

    def inputs(self, features: Features) -> Inputs:
        """What each branch of each network hears, normalised once."""
        return self.networks[0].inputs(features)

    def answers(self, inputs: Inputs) -> tuple[dict[str, Tensor], Tensor]:
        """Logs of the averaged probabilities of each part, and the embeddings side by side."""
        several = [network.answers(inputs) for network in self.networks]
        shares = {part: torch.stack([logits[part] for logits, _ in several]).softmax(-1).mean(0) for part in PARTS}
        return {part: share.log() for part, share in shares.items()}, torch.cat([own for _, own in several], dim=-1)
