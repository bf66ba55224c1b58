"""Training checkpoints: weights, averages, optimiser state and history in one safetensors file, without pickle."""

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
    """The progress of a training run.

    Attributes:
        phase: index of the phase in the recipe.
        epoch: the next epoch of that phase, counted from 0.
        step: optimiser steps taken in that phase.
        best_score: validation UAR of the best epoch of that phase so far, averaged over its parts.
        best_epoch: index of that epoch.
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
    position: TrainingPosition,
) -> None:
    """Write everything that a training run needs to resume, atomically.

    Args:
        path: the checkpoint.
        network: the network in training.
        average: the network with the moving average of its weights.
        best: the weights of the best epoch of the phase so far.
        optimiser: that of the phase.
        position: what has been trained.

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
    _write(path, tensors, {"progress": json.dumps(asdict(position))})


def _write(path: Path, tensors: State, metadata: dict[str, str] | None = None) -> None:
    # Cloned, since a tensor may be in two groups, and the file format does not allow shared memory.
    copies = {name: tensor.detach().clone().contiguous() for name, tensor in tensors.items()}
    write_bytes(path, safetensors.torch.save(copies, metadata))
    for stale in path.parent.glob(f".{path.name}.*.part"):  # of a run that was killed while writing
        stale.unlink(missing_ok=True)


def load(path: Path) -> tuple[dict[str, State], TrainingPosition]:
    """The groups of tensors and the position of a checkpoint.

    Raises:
        TrainingError: the file is damaged.
    """
    groups: dict[str, State] = {"network": {}, "average": {}, "best": {}, "optimiser": {}}
    try:
        with safetensors.safe_open(path, "pt") as file:
            position = TrainingPosition(**json.loads(file.metadata()["progress"]))
            for key in file.keys():  # noqa: SIM118 (not a dict)
                group, name = key.split(":", 1)
                groups[group][name] = file.get_tensor(key)
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise TrainingError(f"{path}: damaged checkpoint ({error}); delete it to start again") from error
    return groups, position


def restore(
    groups: dict[str, State], network: nn.Module, average: nn.Module, optimiser: torch.optim.Optimizer
) -> State:
    """Restore a loaded checkpoint and return the best weights so far.

    Args:
        groups: the tensors, as `load` returns them.
        network: gets the weights of the network in training.
        average: gets the moving average of its weights.
        optimiser: gets the state of the optimiser.

    Raises:
        TrainingError: the checkpoint is of another network.
    """
    try:
        network.load_state_dict(groups["network"])
        average.load_state_dict(groups["average"])
        _restore_optimiser(network, optimiser, groups["optimiser"])
    except (RuntimeError, KeyError) as error:
        raise TrainingError(f"the checkpoint is of another network; use another run folder: {error}") from error
    return groups["best"]


def save_weights(path: Path, network: nn.Module) -> None:
    """Write the weights of a finished network, atomically.

    Raises:
        OvertoneError: the file cannot be written.
    """
    _write(path, network.state_dict())


def init_branches(network: nn.Module, weights: State) -> None:
    """Initialise the branches of a network with those of another one, without their classification layers.

    The other network may have other classes, so the classification layers and the fusion keep their random weights.

    Args:
        network: the one to train.
        weights: of a network with the same branches; empty for none.

    Raises:
        TrainingError: the branches have other shapes, or the weights are of an ensemble.
    """
    state = network.state_dict()
    branches = {k: v for k, v in weights.items() if k.startswith("branches.") and ".classifier." not in k}
    if weights and not branches:
        raise TrainingError("--init-from: the run has several networks; name a run of a recipe with one network")
    mismatched = [k for k in branches if k not in state or state[k].shape != branches[k].shape]
    if mismatched:
        raise TrainingError(f"--init-from: the run has other branches ({mismatched[0]}); name a run with the same ones")
    network.load_state_dict({**state, **branches})


def read_weights(path: Path) -> State:
    """The weights that `save_weights` wrote.

    Raises:
        TrainingError: missing or damaged.
    """
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError) as error:
        raise TrainingError(f"{path}: cannot be loaded as weights of this network: {error}") from error


def load_weights(path: Path, network: nn.Module) -> None:
    """Load the weights of a finished network into a new one.

    Raises:
        TrainingError: missing, damaged or of another network.
    """
    try:
        network.load_state_dict(read_weights(path))
    except RuntimeError as error:
        raise TrainingError(f"{path}: cannot be loaded as weights of this network: {error}") from error
