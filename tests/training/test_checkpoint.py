"""A checkpoint brings back weights, averages, optimiser and history; a damaged one is named."""

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


def test_an_ensemble_is_no_beginning() -> None:
    network = build(read_recipe("overtone"), 3)
    weights = {f"members.0.{name}": value for name, value in network.state_dict().items()}
    with pytest.raises(TrainingError, match="several networks; name a run of a recipe with one"):
        init_branches(network, weights)


def stepped(seed: int, steps: int = 2) -> tuple[nn.Module, torch.optim.Optimizer]:
    """A small network that has taken some steps, and its optimiser."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.1)
    for _ in range(steps):
        optimiser.zero_grad()
        network(torch.randn(8, 4)).square().sum().backward()
        optimiser.step()
    return network, optimiser


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A whole checkpoint."""
    network, optimiser = stepped(1)
    at = TrainingPosition(
        phase=1, epoch=2, step=14, best_score=0.5, best_epoch=1, history=[{"part": "mel", "epoch": 0}]
    )
    save(tmp_path / "checkpoint.safetensors", network, copy.deepcopy(network), network.state_dict(), optimiser, at)
    return tmp_path / "checkpoint.safetensors"


def test_all_comes_back_into_place(path: Path) -> None:
    network, optimiser = stepped(1)
    other, other_optimiser = stepped(2, steps=0)
    average = copy.deepcopy(other)
    groups, at = load(path)
    best = restore(groups, other, average, other_optimiser)
    assert at == TrainingPosition(1, 2, 14, 0.5, 1, [{"part": "mel", "epoch": 0}])
    assert same(other.state_dict(), network.state_dict())
    assert same(average.state_dict(), network.state_dict())
    assert same(best, network.state_dict())
    batch = torch.randn(8, 4)
    for net, opt in ((network, optimiser), (other, other_optimiser)):
        opt.zero_grad()
        net(batch).square().sum().backward()
        opt.step()
    assert same(other.state_dict(), network.state_dict()), "the next step is the same: the optimiser is, too"


def test_network_and_average_may_be_one(tmp_path: Path) -> None:
    network, optimiser = stepped(1)
    save(tmp_path / "c", network, network, {}, optimiser, TrainingPosition())
    groups, _ = load(tmp_path / "c")
    assert same(groups["average"], network.state_dict()) and not groups["best"]


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_damaged_checkpoints_are_named(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(TrainingError, match=r"checkpoint\.safetensors: cannot be resumed from .*delete it"):
        load(path)


@pytest.mark.parametrize("metadata", [None, {}, {"progress": "{"}, {"progress": '{"lap": 3}'}, {"progress": "3"}])
def test_files_that_are_no_checkpoint_are_named(path: Path, metadata: dict[str, str] | None) -> None:
    safetensors.torch.save_file({"network:a": torch.zeros(1)}, path, metadata)
    with pytest.raises(TrainingError, match=r"checkpoint\.safetensors: cannot be resumed from"):
        load(path)
    safetensors.torch.save_file({"foreign": torch.zeros(1)}, path, {"progress": "{}"})
    with pytest.raises(TrainingError, match=r"checkpoint\.safetensors: cannot be resumed from"):
        load(path)


def test_a_checkpoint_of_another_network(path: Path) -> None:
    other = nn.Linear(9, 9)
    groups, _ = load(path)
    with pytest.raises(TrainingError, match="of another network"):
        restore(groups, other, copy.deepcopy(other), torch.optim.AdamW(other.parameters()))


def test_what_cannot_be_written_leaves_the_one_before(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()
    network, optimiser = stepped(3)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OvertoneError, match=r"cannot write .*checkpoint\.safetensors: No space left"):
        save(path, network, network, {}, optimiser, TrainingPosition())
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_weights_come_back(tmp_path: Path) -> None:
    network, _ = stepped(1)
    other, _ = stepped(2)
    save_weights(tmp_path / "w.safetensors", network)
    load_weights(tmp_path / "w.safetensors", other)
    assert same(other.state_dict(), network.state_dict())
    assert [file.name for file in tmp_path.iterdir()] == ["w.safetensors"]
    assert (tmp_path / "w.safetensors").stat().st_mode & 0o777 == 0o644, (
        "others may read it, as any other file of a run"
    )


def test_branches_are_taken_over_and_answers_are_not() -> None:
    torch.manual_seed(0)
    small, large = build(read_recipe("overtone"), 3), build(read_recipe("overtone"), 5)
    before = {name: value.clone() for name, value in large.state_dict().items()}
    init_branches(large, small.state_dict())
    for name, value in large.state_dict().items():
        answers = ".answer." in name or name.startswith("fusion.")
        assert torch.equal(value, before[name] if answers else small.state_dict()[name]), name
    init_branches(large, {})
    with pytest.raises(TrainingError, match="other branches"):
        init_branches(large, build(read_recipe("paper"), 5).state_dict())


def test_weights_that_are_none_are_named(tmp_path: Path) -> None:
    network, _ = stepped(1)
    path = tmp_path / "w.safetensors"
    with pytest.raises(TrainingError, match=r"w\.safetensors: no weights of this network"):
        load_weights(path, network)
    path.write_bytes(b"no weights at all")
    with pytest.raises(TrainingError, match=r"w\.safetensors: no weights of this network"):
        load_weights(path, network)
    save_weights(path, nn.Linear(2, 2))
    with pytest.raises(TrainingError, match=r"w\.safetensors: no weights of this network"):
        load_weights(path, network)
