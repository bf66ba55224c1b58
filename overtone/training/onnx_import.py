"""A model file -> the network that it was exported from, with its encoder: no other file is needed to train it further.

The inverse of `overtone.training.onnx_export`, for models whose only branch is an MLP on a pretrained encoder.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch

from overtone._internal.tensor_names import PROBABILITIES, branch_output
from overtone.errors import ModelError, first_line
from overtone.features.front_end import ExtraFeature, Pretrained
from overtone.inference.onnx_model import OnnxModel
from overtone.models.encoder_files import EncoderConfig
from overtone.models.encoder_mlp import EncoderMlp
from overtone.models.encoder_statistics import CODE, FEATURE, EncoderStatistics, longest_clip, statistics_size
from overtone.models.network import Model, Network
from overtone.models.reference_adapter import ReferenceAdapter
from overtone.models.statistics_mlp import StatisticsMlp
from overtone.models.whisper_encoder import WhisperEncoder
from overtone.recipe import Recipe, recipe_from_dict
from overtone.training.calibrate import weighted_fusions
from overtone.training.ensemble_members import combine
from overtone.training.exported_weights import BIAS, QUERY, ExportedGraph, State

BRANCH = "encoder"
ENCODER = f"front_end.extra_layers.{FEATURE}.encoder."  # start of the names of the encoder's weights


class Architecture(NamedTuple):
    """What networks of one kind have in common, whatever their classes and weights.

    Attributes:
        recipe: of the training.
        extra: the features that the front end computes beyond the shared ones, by name.
        values: number of statistics of the encoder per clip.
    """

    recipe: Recipe
    extra: dict[str, ExtraFeature]
    values: int

    @property
    def max_samples(self) -> int | None:
        """Length of the longest clip that an exported model takes at once; None for no limit."""
        return min((row.max_samples for row in self.extra.values() if row.max_samples), default=None)

    def build_mlp(self, emotions: int) -> EncoderMlp:
        """The MLP of a network, with random weights from torch's global generator.

        Args:
            emotions: number of classes.
        """
        return EncoderMlp(self.recipe.branches[BRANCH], emotions, self.recipe.dropout, self.values)

    def load_mlps(self, states: Sequence[State], emotions: int) -> list[EncoderMlp]:
        """An MLP with each of these weights.

        Args:
            states: of the MLPs.
            emotions: number of classes.
        """
        mlps = [self.build_mlp(emotions) for _ in states]
        for mlp, state in zip(mlps, states, strict=True):
            mlp.load_state_dict(state)
        return mlps

    def combine(self, mlps: Sequence[StatisticsMlp], emotions: int) -> Model:
        """A model of one network or several; it is not calibrated, and has no adapter.

        Args:
            mlps: of the networks.
            emotions: number of classes.
        """
        # The others share the front end of the first one.
        extras = [self.extra if k == 0 else {} for k in range(len(mlps))]
        networks = [Network({BRANCH: m}, emotions, self.recipe, e) for m, e in zip(mlps, extras, strict=True)]
        return combine(networks).eval()


class ImportedModel(NamedTuple):
    """A model that can be trained further.

    Attributes:
        content: of its file.
        card: its model card.
        architecture: of its networks.
        mlps: of the networks of the ensemble, on the CPU.
        model: of these networks, calibrated, with its adapter.
    """

    content: bytes
    card: dict[str, Any]
    architecture: Architecture
    mlps: tuple[EncoderMlp, ...]
    model: Model


def import_onnx(path: Path) -> ImportedModel:
    """The network in a model file.

    Raises:
        ModelError: missing, damaged, of another version, of another architecture than an MLP on a pretrained encoder,
            or with a graph that lacks a weight.
    """
    card = OnnxModel(path).card
    recipe = recipe_from_dict(card["recipe"], str(path))
    if tuple(recipe.branches) != (BRANCH,) or recipe.fusion != "weighted":
        raise ModelError(
            f"{path}: of another architecture, with the branches {', '.join(recipe.branches)} and fusion "
            f"'{recipe.fusion}'; start from a model whose only branch is a pretrained encoder, such as 'overtone'"
        )
    try:
        return _import(path.read_bytes(), card, recipe)
    except (KeyError, ValueError, TypeError, RuntimeError, ModelError) as error:
        reason = first_line(error)
        raise ModelError(f"{path}: its weights cannot be read back ({reason}); export the model again") from error


def _import(content: bytes, card: dict[str, Any], recipe: Recipe) -> ImportedModel:
    graph = ExportedGraph(content)
    weights, emotions = graph.weights(), len(card["emotions"])
    architecture = _architecture(graph, weights, card, recipe)
    mlps = architecture.load_mlps(_states_of_mlps(weights), emotions)
    model = architecture.combine(mlps, emotions)
    for fusion in weighted_fusions(model):
        fusion.weights.fill_(graph.fusion_weight())
    model.temperature.copy_(torch.tensor([graph.temperature(name) for name in (branch_output(BRANCH), PROBABILITIES)]))
    if card.get("min_reference_clips"):
        model.adapter = ReferenceAdapter(model.reference_size, emotions)
        model.adapter.expert_weights.copy_(graph.expert_weights())
    return ImportedModel(content, card, architecture, tuple(mlps), model)


def _architecture(graph: ExportedGraph, weights: State, card: dict[str, Any], recipe: Recipe) -> Architecture:
    encoder = {name.removeprefix(ENCODER): values for name, values in weights.items() if name.startswith(ENCODER)}
    layers = 1 + max(int(name.split(".")[1]) for name in encoder if name.startswith("layers."))
    query = f"layers.0.self_attn.{QUERY}{BIAS}"
    config = EncoderConfig(
        width=len(encoder["conv1.bias"]),
        layers=layers + 1,  # the last one, whose states are not used, is not exported
        heads=graph.heads(ENCODER + query),
        hidden=len(encoder[f"layers.0.fc1{BIAS}"]),
        bands=encoder["conv1.weight"].shape[1],
        positions=len(encoder["embed_positions.weight"]),
    )
    rows = [Pretrained(**row) for row in card.get("pretrained", [])]
    feature = ExtraFeature(
        partial(_encoder_statistics, config, encoder),
        code=CODE,
        pretrained=rows[0] if rows else None,
        max_samples=longest_clip(config),
    )
    return Architecture(recipe, {FEATURE: feature}, statistics_size(config))


def _encoder_statistics(config: EncoderConfig, weights: State) -> EncoderStatistics:
    """The layer of an encoder with these weights.

    Raises:
        ModelError: a layer that is in use lacks a weight.
    """
    encoder = WhisperEncoder(config)
    unused = (f"layers.{config.layers - 1}.", "layer_norm.")
    missing, unknown = encoder.load_state_dict(weights, strict=False)
    missing = [name for name in missing if not name.startswith(unused)]
    if missing or unknown:
        raise ModelError(f"the encoder lacks {missing or 'no weight'}, and has no {unknown or 'other one'}")
    return EncoderStatistics(encoder.eval())


def _states_of_mlps(weights: State) -> list[State]:
    """The weights of the MLP of each network, by their names in a network."""
    members: dict[int, State] = {}
    for name, values in weights.items():
        _, _, of_branch = name.partition(f"branches.{BRANCH}.")
        if of_branch:
            member = int(name.split(".")[1]) if name.startswith("members.") else 0
            members.setdefault(member, {})[of_branch] = values
    return [members[member] for member in sorted(members)]
