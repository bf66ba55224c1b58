"""Waveform -> probabilities: front end, branches and their fusion as one network."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from overtone._internal import tensor_names
from overtone.features.front_end import ExtraFeature, Features, FrontEnd
from overtone.models.branches import BRANCHES, extra_features
from overtone.models.fusion import FUSIONS
from overtone.models.speaker_adapter import SpeakerAdapter, clip_statistics
from overtone.recipe import FUSION, Recipe

Inputs = dict[str, tuple[Tensor, ...]]
"""Branch -> its input tensors, batch first; bool tensors are masks."""


class Model(nn.Module):
    """A complete model from waveform to probabilities: the module that is exported.

    Subclasses implement `inputs` and `logits_and_embedding`.

    Args:
        parts: names of the parts that make predictions: the branches, then "fusion".
        extra: features that the front end computes beyond the shared ones; see `FrontEnd`.

    Attributes:
        parts: names of the parts.
        adapter: the speaker adapter; None if there is none.
    """

    temperature: Tensor
    adapter: SpeakerAdapter | None

    def __init__(self, parts: Sequence[str], extra: Mapping[str, ExtraFeature] | None = None) -> None:
        super().__init__()
        self.parts = tuple(parts)
        self.front_end = FrontEnd(extra)
        self.adapter = None
        # The logits of each part are divided by it, so that the probabilities are calibrated; set after training.
        self.register_buffer("temperature", torch.ones(len(self.parts)))

    @property
    def branch_names(self) -> tuple[str, ...]:
        """Names of the branches, in the order of the recipe."""
        return tuple(part for part in self.parts if part != FUSION)

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs of `forward` when it is given all inputs; see `overtone._internal.tensor_names`."""
        adapted = (tensor_names.SPEAKER_FEATURES, tensor_names.ADAPTED_PROBABILITIES)
        return (
            tensor_names.PROBABILITIES,
            *map(tensor_names.branch_output, self.branch_names),
            *tensor_names.TRACKS,
            *tensor_names.RATES,
            *(adapted if self.adapter is not None else ()),
        )

    def inputs(self, features: Features) -> Inputs:
        """The normalised inputs of each branch; training augments and mixes them."""
        raise NotImplementedError

    def logits_and_embedding(self, inputs: Inputs) -> tuple[dict[str, Tensor], Tensor]:
        """Logits of each part `(batch, emotions)`, and the embeddings of the clips `(batch, values)`."""
        raise NotImplementedError

    def logits(self, inputs: Inputs) -> dict[str, Tensor]:
        """Logits of each part `(batch, emotions)`."""
        return self.logits_and_embedding(inputs)[0]

    def probabilities(self, logits: dict[str, Tensor]) -> dict[str, Tensor]:
        """Calibrated probabilities of each part `(batch, emotions)`."""
        return {part: (logits[part] / self.temperature[k]).softmax(-1) for k, part in enumerate(self.parts)}

    def speaker_features(self, features: Features, embedding: Tensor) -> Tensor:
        """The values that the speaker adapter normalises by speaker, `(batch, values)`."""
        return torch.cat([embedding, clip_statistics(features)], dim=-1)

    def forward(
        self, waveform: Tensor, statistics: Tensor | None = None, reference_clips: Tensor | None = None
    ) -> tuple[Tensor, ...]:
        """The outputs named in `output_names`, in order; without statistics, those of the adapter are missing.

        Args:
            waveform: float32 `(batch, samples)` at 16 kHz.
            statistics: mean and standard deviation of the speaker's features `(2, values)`, for a model with an
                adapter.
            reference_clips: number of clips that the statistics were computed from `(1,)`; 0 to ignore the statistics.
        """
        features = self.front_end(waveform)
        logits, embedding = self.logits_and_embedding(self.inputs(features))
        probabilities = self.probabilities(logits)
        outputs = (
            probabilities[FUSION],
            *(probabilities[branch] for branch in self.branch_names),
            *(getattr(features, name) for name in (*tensor_names.TRACKS, *tensor_names.RATES)),
        )
        if self.adapter is None or statistics is None or reference_clips is None:
            return outputs
        speaker_features = self.speaker_features(features, embedding)
        adapted = self.adapter(speaker_features, statistics, reference_clips).softmax(-1)
        return (*outputs, speaker_features, adapted)


class Network(Model):
    """The branches and their fusion.

    Args:
        branches: name -> network, as `overtone.models.branches` describes it; in the order of the recipe.
        emotions: number of classes.
        recipe: specifies the fusion and its dropout, the precision and the features of the branches.
    """

    def __init__(self, branches: Mapping[str, nn.Module], emotions: int, recipe: Recipe) -> None:
        super().__init__((*branches, FUSION), extra_features(recipe))
        self.branches = nn.ModuleDict(branches)
        widths = [self.branch(name).embedding for name in branches]
        self.fusion = FUSIONS[recipe.fusion](widths, emotions, recipe.dropout)
        self.precision = torch.bfloat16 if recipe.precision == "bfloat16" else torch.float32

    def branch(self, name: str) -> Any:
        """The network of a branch."""
        return self.branches[name]

    def part(self, name: str) -> nn.Module:
        """The network of a branch, or the fusion."""
        return self.fusion if name == FUSION else self.branches[name]

    def set_memory_format(self, memory_format: torch.memory_format) -> None:
        """Convert the weights of the branches to a memory format, such as `torch.channels_last`."""
        branches: Any = self.branches  # the type stubs of `Module.to` lack this argument
        branches.to(memory_format=memory_format)

    def fit_normalisers(self, training: Mapping[str, list[Features]]) -> None:
        """Set the normalisers (mean and scale) of each branch, before the first step.

        Args:
            training: branch -> features of its training clips.
        """
        for name in self.branch_names:
            self.branch(name).fit(training[name])

    @torch.no_grad()
    def round_to_float16(self) -> None:
        """Round each weight to the nearest float16 number, so that it can be stored in half the space.

        Call this before any evaluation: the network that is tested, calibrated and exported is the same.
        """
        for weight in self.parameters():
            weight.copy_(weight.half().float())

    def inputs(self, features: Features) -> Inputs:
        """The normalised inputs of each branch."""
        return {name: self.branch(name).inputs(features) for name in self.branch_names}

    def logits_and_embedding(self, inputs: Inputs) -> tuple[dict[str, Tensor], Tensor]:
        """Logits of each part, and the embeddings of all branches, concatenated.

        The fusion sends no gradient into the branches, so that each branch remains an independent classifier.
        """
        embeddings, logits = [], {}
        for name in self.branch_names:
            reduced = self.training and self.precision is torch.bfloat16 and BRANCHES[name].reduced_precision
            with torch.autocast(inputs[name][0].device.type, torch.bfloat16, enabled=reduced):
                embedding, branch_logits = self.branches[name](*inputs[name])
            embeddings.append(embedding.float())
            logits[name] = branch_logits.float()
        detached = [logits[name].detach() for name in self.branch_names]
        logits[FUSION] = self.fusion([embedding.detach() for embedding in embeddings], detached)
        return logits, torch.cat(embeddings, dim=-1)
