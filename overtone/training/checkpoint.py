"""State of a training <-> one safetensors file: weights, averages, optimiser and history, no pickle."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from overtone._internal.atomic_write import write_bytes
from overtone.errors import TrainingError

State = dict[str, Tensor]


@dataclass
class TrainingPosition:
    """How far a training has come.

    Attributes:
        phase: position of the phase in the recipe.
        epoch: the next epoch of that phase; epochs are counted from 0.
        step: optimiser steps taken in that phase.
        best_score: validation UAR of the best epoch of that phase so far, mean over its parts.
        best_epoch: that epoch.
        history: a row per part and epoch.
    """

    phase: int = 0
    epoch: int = 0
    step: int = 0
    best_score: float = -1.0
    best_epoch: int = -1
    history: list[dict[str, Any]] = field(default_factory=list)


def _optimiser_state(network: nn.Module, optimiser: torch.optim.Optimizer) -> State:
    names = {parameter: name for name, parameter in network.named_parameters()}
    return {
        f"{name}/{key}": torch.as_tensor(value)
        for parameter, name in names.items()
        for key, value in optimiser.state.get(parameter, {}).items()
    }


def _restore_optimiser(network: nn.Module, optimiser: torch.optim.Optimizer, state: State) -> None:
    parameters = dict(network.named_parameters())
    for name, value in state.items():
        parameter, key = name.rsplit("/", 1)
        optimiser.state[parameters[parameter]][key] = value.to("cpu" if key == "step" else parameters[parameter].device)


def save(
    path: Path,
    network: nn.Module,
    average: nn.Module,
    best: State,
    optimiser: torch.optim.Optimizer,
    at: TrainingPosition,
) -> None:
    """Writes everything that a training needs to go on, whole or not at all.

    Raises:
        OvertoneError: the file cannot be written.
    """
    groups = {
        "network": network.state_dict(),
        "average": average.state_dict(),
        "best": best,
        "optimiser": _optimiser_state(network, optimiser),
    }
    tensors = {f"{group}:{name}": tensor for group, state in groups.items() for name, tensor in state.items()}
    _write(path, tensors, {"progress": json.dumps(asdict(at))})


def _write(path: Path, tensors: State, metadata: dict[str, str] | None = None) -> None:
    # Cloned, as one tensor may stand in two groups, and the file format knows no shared memory.
    apart = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    write_bytes(path, safetensors.torch.save(apart, metadata))
    for left in path.parent.glob(f".{path.name}.*.part"):  # by a training that was killed while it wrote
        left.unlink(missing_ok=True)


def load(path: Path) -> tuple[dict[str, State], TrainingPosition]:
    """The groups of tensors and the position of a checkpoint.

    Raises:
        TrainingError: the file is damaged.
    """
    groups: dict[str, State] = {"network": {}, "average": {}, "best": {}, "optimiser": {}}
    try:
        with safetensors.safe_open(path, "pt") as file:
            at = TrainingPosition(**json.loads(file.metadata()["progress"]))
            for key in file.keys():  # noqa: SIM118 (not a dict)
                group, name = key.split(":", 1)
                groups[group][name] = file.get_tensor(key)
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise TrainingError(f"{path}: cannot be resumed from ({error}); delete it to start again") from error
    return groups, at


def restore(
    groups: dict[str, State], network: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer
) -> State:
    """Puts a loaded checkpoint back into place and returns the best weights so far.

    Raises:
        TrainingError: it is of another network.
    """
    try:
        network.load_state_dict(groups["network"])
        average.load_state_dict(groups["average"])
        _restore_optimiser(network, optimiser, groups["optimiser"])
    except (RuntimeError, KeyError) as error:
        raise TrainingError(f"the checkpoint is of another network; take another folder: {error}") from error
    return groups["best"]


def save_weights(path: Path, network: nn.Module) -> None:
    """Writes the weights of a finished network, whole or not at all.

    Raises:
        OvertoneError: the file cannot be written.
    """
    _write(path, network.state_dict())


def init_branches(network: nn.Module, weights: State) -> None:
    """Puts the branches of another network in place, without what tells the emotions apart.

    Its classes may be others; so the answering layers and the fusion begin anew.

    Args:
        network: the one to train.
        weights: of a network with the same branches; nothing for none.

    Raises:
        TrainingError: its branches have other shapes, or it is an ensemble.
    """
    own = network.state_dict()
    taken = {k: v for k, v in weights.items() if k.startswith(("mel.", "prosody.")) and ".answer." not in k}
    if weights and not taken:
        raise TrainingError("the run to start from has several networks; name a run of a recipe with one")
    unlike = [k for k in taken if k not in own or own[k].shape != taken[k].shape]
    if unlike:
        raise TrainingError(f"the run to start from has other branches ({unlike[0]}); name one of the same networks")
    network.load_state_dict({**own, **taken})


def read_weights(path: Path) -> State:
    """The weights that `save_weights` wrote.

    Raises:
        TrainingError: missing or damaged.
    """
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError) as error:
        raise TrainingError(f"{path}: no weights of this network: {error}") from error


def load_weights(path: Path, network: nn.Module) -> None:
    """Reads the weights of a finished network into a new one.

    Raises:
        TrainingError: missing, damaged or of another network.
    """
    try:
        network.load_state_dict(read_weights(path))
    except RuntimeError as error:
        raise TrainingError(f"{path}: no weights of this network: {error}") from error
