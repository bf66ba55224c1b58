"""Waveform -> probabilities: front end, branches and their fusion as one network."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from overtone._internal import tensor_names
from overtone.features.front_end import ExtraFeature, Features, FrontEnd
from overtone.models.branches import BRANCHES, extra_features
from overtone.models.fusion import FUSIONS
from overtone.models.reference_adapter import ReferenceAdapter
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
        adapter: adapts predictions to a speaker or a recording; None if there is none.
    """

    temperature: Tensor
    adapter: SpeakerAdapter | ReferenceAdapter | None

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

    @property
    def reference_size(self) -> int:
        """Number of values that `refer` takes; 0 if no branch refers to other clips."""
        raise NotImplementedError

    def refer(self, inputs: Inputs, mean: Tensor, clips: Tensor) -> Inputs:
        """The inputs; those of branches that can refer are relative to reference clips.

        Args:
            inputs: as `inputs` returns them.
            mean: of the `reference_values` of the reference clips, `(batch or 1, values)`.
            clips: number of reference clips `(batch or 1,)`; 0 for none.
        """
        raise NotImplementedError

    def reference_values(self, inputs: Inputs) -> Tensor:
        """The values whose mean over reference clips `refer` takes, `(batch, reference_size)`."""
        raise NotImplementedError

    def speaker_features(self, features: Features, inputs: Inputs, probabilities: Tensor, embedding: Tensor) -> Tensor:
        """The values whose statistics over clips of a speaker the adapter takes, `(batch, values)`.

        Args:
            features: of the clips.
            inputs: of the branches.
            probabilities: of the fusion, without a reference.
            embedding: of the clips.
        """
        if isinstance(self.adapter, ReferenceAdapter):
            return torch.cat([self.reference_values(inputs), probabilities], dim=-1)
        return torch.cat([embedding, clip_statistics(features)], dim=-1)

    def adapted_logits(
        self, inputs: Inputs, probabilities: Tensor, speaker_features: Tensor, statistics: Tensor, clips: Tensor
    ) -> Tensor:
        """Adapted logits, `(batch, emotions)`.

        Args:
            inputs: of the branches.
            probabilities: of the fusion, without a reference.
            speaker_features: of the clips.
            statistics: mean and standard deviation of the speaker features over the reference clips, `(2, values)`.
            clips: number of reference clips `(1,)`.
        """
        assert self.adapter is not None
        if isinstance(self.adapter, SpeakerAdapter):
            return self.adapter(speaker_features, statistics, clips)
        mean = statistics[:1]
        referring = self.probabilities(self.logits(self.refer(inputs, mean[:, : self.adapter.values], clips)))[FUSION]
        return self.adapter(probabilities, referring, mean[:, self.adapter.values :], clips)

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
        inputs = self.inputs(features)
        logits, embedding = self.logits_and_embedding(inputs)
        probabilities = self.probabilities(logits)
        outputs = (
            probabilities[FUSION],
            *(probabilities[branch] for branch in self.branch_names),
            *(getattr(features, name) for name in (*tensor_names.TRACKS, *tensor_names.RATES)),
        )
        if self.adapter is None or statistics is None or reference_clips is None:
            return outputs
        speaker_features = self.speaker_features(features, inputs, probabilities[FUSION], embedding)
        adapted = self.adapted_logits(inputs, probabilities[FUSION], speaker_features, statistics, reference_clips)
        return (*outputs, speaker_features, adapted.softmax(-1))


class Network(Model):
    """The branches and their fusion.

    Args:
        branches: name -> network, as `overtone.models.branches` describes it; in the order of the recipe.
        emotions: number of classes.
        recipe: specifies the fusion and its dropout, the precision and the features of the branches.
        extra: the features of the branches by name; None for those that the recipe specifies.
    """

    def __init__(
        self,
        branches: Mapping[str, nn.Module],
        emotions: int,
        recipe: Recipe,
        extra: Mapping[str, ExtraFeature] | None = None,
    ) -> None:
        super().__init__((*branches, FUSION), extra_features(recipe) if extra is None else extra)
        self.branches = nn.ModuleDict(branches)
        widths = [self.branch(name).embedding for name in branches]
        self.fusion = FUSIONS[recipe.fusion](widths, emotions, recipe.dropout)
        self.precision = torch.bfloat16 if recipe.precision == "bfloat16" else torch.float32

    def branch(self, name: str) -> Any:
        """The network of a branch."""
        return self.branches[name]

    def has_own_normaliser(self, name: str) -> bool:
        """Whether each network of an ensemble fits the normaliser of a branch on its own training clips."""
        return bool(getattr(self.branch(name), "own_normaliser", False))

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

    @property
    def referring_branches(self) -> dict[str, int]:
        """Branch that can refer to other clips -> number of its reference values, in the order of the recipe."""
        sizes = {name: getattr(self.branch(name), "reference_values", 0) for name in self.branch_names}
        return {name: size for name, size in sizes.items() if size}

    @property
    def reference_size(self) -> int:
        """Number of values that `refer` takes."""
        return sum(self.referring_branches.values())

    def refer(self, inputs: Inputs, mean: Tensor, clips: Tensor) -> Inputs:
        """The inputs; those of branches that can refer are relative to reference clips; see `Model.refer`."""
        sizes = self.referring_branches
        means = mean.split(list(sizes.values()), dim=-1) if sizes else ()
        referring = {
            name: self.branch(name).refer(inputs[name], own, clips) for name, own in zip(sizes, means, strict=True)
        }
        return {**inputs, **referring}

    def reference_values(self, inputs: Inputs) -> Tensor:
        """The first input of each branch that can refer to other clips, `(batch, reference_size)`."""
        return torch.cat([inputs[name][0] for name in self.referring_branches], dim=-1)

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
