"""Checkpoints: weights, averages, optimiser state and history are restored; damaged files are named."""

import copy
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from overtone.errors import OvertoneError, TrainingError
from overtone.models import build
from overtone.recipe import read_recipe
from overtone.training.checkpoint import (
    TrainingPosition,
    init_branches,
    load,
    load_weights,
    restore,
    save,
    save_weights,
)


def test_weights_of_an_ensemble_initialise_no_network() -> None:
    network = build(read_recipe("base"), 3)
    weights = {f"members.0.{name}": value for name, value in network.state_dict().items()}
    with pytest.raises(TrainingError, match=r"^--init-from: .*several networks; name a run of a recipe with one"):
        init_branches(network, weights)


def trained_network(seed: int, steps: int = 2) -> tuple[nn.Module, torch.optim.Optimizer]:
    """Return a small network after some optimiser steps, and its optimiser."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.1)
    for _ in range(steps):
        optimiser.zero_grad()
        network(torch.randn(8, 4)).square().sum().backward()
        optimiser.step()
    return network, optimiser


def equal_states(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Return whether two state dicts are bitwise equal."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a complete checkpoint."""
    network, optimiser = trained_network(1)
    at = TrainingPosition(
        phase=1, epoch=2, step=14, best_score=0.5, best_epoch=1, history=[{"part": "mel", "epoch": 0}]
    )
    save(tmp_path / "checkpoint.safetensors", network, copy.deepcopy(network), network.state_dict(), optimiser, at)
    return tmp_path / "checkpoint.safetensors"


def test_everything_is_restored(path: Path) -> None:
    network, optimiser = trained_network(1)
    other, other_optimiser = trained_network(2, steps=0)
    average = copy.deepcopy(other)
    groups, at = load(path)
    best = restore(groups, other, average, other_optimiser)
    assert at == TrainingPosition(1, 2, 14, 0.5, 1, [{"part": "mel", "epoch": 0}])
    assert equal_states(other.state_dict(), network.state_dict())
    assert equal_states(average.state_dict(), network.state_dict())
    assert equal_states(best, network.state_dict())
    batch = torch.randn(8, 4)
    for net, opt in ((network, optimiser), (other, other_optimiser)):
        opt.zero_grad()
        net(batch).square().sum().backward()
        opt.step()
    assert equal_states(other.state_dict(), network.state_dict()), (
        "the next step is equal, so the optimiser state is restored too"
    )


def test_network_and_average_may_be_the_same_object(tmp_path: Path) -> None:
    network, optimiser = trained_network(1)
    save(tmp_path / "c", network, network, {}, optimiser, TrainingPosition())
    groups, _ = load(tmp_path / "c")
    assert equal_states(groups["average"], network.state_dict()) and not groups["best"]


@pytest.mark.parametrize("length", [0, 5, 100, -1])
def test_damaged_checkpoints_are_named(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(TrainingError, match=r"checkpoint\.safetensors: damaged checkpoint .*delete it"):
        load(path)


@pytest.mark.parametrize("metadata", [None, {}, {"progress": "{"}, {"progress": '{"lap": 3}'}, {"progress": "3"}])
def test_other_files_are_refused_and_named(path: Path, metadata: dict[str, str] | None) -> None:
    safetensors.torch.save_file({"network:a": torch.zeros(1)}, path, metadata)
    with pytest.raises(TrainingError, match=r"checkpoint\.safetensors: damaged checkpoint"):
        load(path)
    safetensors.torch.save_file({"foreign": torch.zeros(1)}, path, {"progress": "{}"})
    with pytest.raises(TrainingError, match=r"checkpoint\.safetensors: damaged checkpoint"):
        load(path)


def test_a_checkpoint_of_another_network_is_refused(path: Path) -> None:
    other = nn.Linear(9, 9)
    groups, _ = load(path)
    with pytest.raises(TrainingError, match="of another network"):
        restore(groups, other, copy.deepcopy(other), torch.optim.AdamW(other.parameters()))


def test_a_failed_write_leaves_the_previous_checkpoint(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()
    network, optimiser = trained_network(3)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OvertoneError, match=r"cannot write .*checkpoint\.safetensors: No space left"):
        save(path, network, network, {}, optimiser, TrainingPosition())
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_weights_are_restored(tmp_path: Path) -> None:
    network, _ = trained_network(1)
    other, _ = trained_network(2)
    save_weights(tmp_path / "w.safetensors", network)
    load_weights(tmp_path / "w.safetensors", other)
    assert equal_states(other.state_dict(), network.state_dict())
    assert [file.name for file in tmp_path.iterdir()] == ["w.safetensors"]
    assert (tmp_path / "w.safetensors").stat().st_mode & 0o777 == 0o644, (
        "readable for others, like any other file of a run"
    )


def test_init_copies_branches_without_classifiers_and_fusion() -> None:
    torch.manual_seed(0)
    small, large = build(read_recipe("base"), 3), build(read_recipe("base"), 5)
    before = {name: value.clone() for name, value in large.state_dict().items()}
    init_branches(large, small.state_dict())
    for name, value in large.state_dict().items():
        copied = name.startswith("branches.") and ".classifier." not in name
        assert torch.equal(value, small.state_dict()[name] if copied else before[name]), name
    initialised = {name: value.clone() for name, value in large.state_dict().items()}
    init_branches(large, {})
    assert equal_states(large.state_dict(), initialised)
    with pytest.raises(TrainingError, match=r"^--init-from: .*other branches"):
        init_branches(large, build(read_recipe("paper"), 5).state_dict())


def test_unreadable_weights_are_named(tmp_path: Path) -> None:
    network, _ = trained_network(1)
    path = tmp_path / "w.safetensors"
    with pytest.raises(TrainingError, match=r"w\.safetensors: cannot be loaded as weights of this network"):
        load_weights(path, network)
    path.write_bytes(b"not weights")
    with pytest.raises(TrainingError, match=r"w\.safetensors: cannot be loaded as weights of this network"):
        load_weights(path, network)
    save_weights(path, nn.Linear(2, 2))
    with pytest.raises(TrainingError, match=r"w\.safetensors: cannot be loaded as weights of this network"):
        load_weights(path, network)
