"""The training loop: it learns, it repeats itself, and a killed training goes on as if nothing had been."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tiny_training
import torch
from tiny_training import SPLIT, fit, labels, made_store, recipe

from overtone.errors import TrainingError
from overtone.models.network import Network
from overtone.recipe import PARTS, Recipe
from overtone.training import checkpoint, loop
from overtone.training.feature_cache import FeatureStore
from overtone.training.loop import FIRST_RATE, LAST_RATE, WARM_UP, learning_rate, predict_logits

# Both structures: one phase with averaged weights, mixup and variants; three phases with plain weights.
STRUCTURES = {"overtone": recipe("overtone", epochs=3), "paper": recipe("paper")}
COLUMNS = {"part", "epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "val_uar"}


def weights(network: Network) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


class Trained(NamedTuple):
    """A training without a break: how, its checkpoint, and the weights and history it ended with."""

    how: Recipe
    path: Path
    weights: dict[str, torch.Tensor]
    history: list[dict[str, Any]]


@pytest.fixture(scope="module", params=STRUCTURES)
def unbroken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Each of the structures, trained without a break."""
    how, path = STRUCTURES[request.param], tmp_path_factory.mktemp("unbroken") / "checkpoint.safetensors"
    network, history = fit(path, how)
    return Trained(how, path, weights(network), history)


def test_learning_rate_goes_up_and_down() -> None:
    rates = np.array([learning_rate(step, 1000, 0.002) for step in range(1000)])
    assert rates[0] == pytest.approx(0.002 * FIRST_RATE)
    assert rates[int(WARM_UP * 1000)] == pytest.approx(0.002) == rates.max()
    assert rates[int(WARM_UP * 1000) // 2] == pytest.approx(0.002 * (1 + FIRST_RATE) / 2)
    assert rates[600] == pytest.approx(0.002 * (1 + LAST_RATE) / 2)
    assert 0 < rates[-1] < 0.002 * 1e-3
    assert (np.diff(rates[:200]) > 0).all() and (np.diff(rates[200:]) < 0).all()
    assert learning_rate(5000, 1000, 0.002) == pytest.approx(0.002 * LAST_RATE)


def test_same_seed_same_weights_other_seed_others(unbroken: Trained, tmp_path: Path) -> None:
    how, _, expected, history = unbroken
    network, again = fit(tmp_path / "a", how)
    assert same(weights(network), expected) and again == history
    other, _ = fit(tmp_path / "b", how, seed=4)
    assert not same(weights(other), expected)


def test_history_has_a_row_per_part_and_epoch(unbroken: Trained) -> None:
    how, history = unbroken.how, unbroken.history
    expected = [(part, epoch) for phase in how.phases for epoch in range(how.epochs) for part in phase]
    assert [(row["part"], row["epoch"]) for row in history] == expected
    assert all(row.keys() == COLUMNS for row in history)
    assert all(0 <= row[key] <= 1 for row in history for key in ("train_accuracy", "val_accuracy", "val_uar"))
    json.dumps(history)


@pytest.mark.slow
@pytest.mark.parametrize(("when", "epoch"), [("after", 2), ("after", 3), ("while", 3)])
def test_a_killed_training_goes_on_to_the_very_same_end(
    unbroken: Trained, tmp_path: Path, when: str, epoch: int
) -> None:
    """Killed within a phase, at the end of one, at the end of all, and while the checkpoint is being written."""
    how, _, expected, history = unbroken
    path = tmp_path / "checkpoint.safetensors"
    command = [sys.executable, tiny_training.__file__, str(path), json.dumps(how.as_dict()), when, str(epoch)]
    threads = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}  # other sums, other bits
    killed = subprocess.run(command, capture_output=True, text=True, timeout=240, env=threads)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert path.is_file()
    told: list[int] = []
    network, resumed = fit(path, how, progress=lambda done, total, text: told.append(done))
    first_again = epoch + 1 if when == "after" else epoch
    assert told == list(range(first_again, how.epochs * len(how.phases) + 1)), "what was done is not done again"
    assert resumed == history
    assert same(weights(network), expected)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_finished_training_is_not_done_again(unbroken: Trained) -> None:
    told: list[int] = []
    network, again = fit(unbroken.path, unbroken.how, progress=lambda done, total, text: told.append(done))
    assert not told and again == unbroken.history
    assert same(weights(network), unbroken.weights)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(b"what was left")
    with pytest.raises(TrainingError, match=r"checkpoint\.safetensors: cannot be resumed from"):
        fit(path, STRUCTURES["paper"])


@pytest.mark.parametrize("name", STRUCTURES)
def test_clips_that_anyone_can_tell_apart_are_learned(tmp_path: Path, name: str) -> None:
    network, history = fit(tmp_path / "c", recipe(name, epochs=6 if name == "overtone" else 3))
    rows = {part: [row for row in history if row["part"] == part] for part in PARTS}
    for part in PARTS:
        assert rows[part][-1]["train_loss"] < rows[part][0]["train_loss"]
    logits = predict_logits(network, made_store(), SPLIT.validation)
    truth = torch.from_numpy(labels())[list(SPLIT.validation)]
    assert {part: (logits[part].argmax(-1) == truth).float().mean().item() for part in PARTS} == dict.fromkeys(PARTS, 1)


def test_the_best_epoch_is_kept_not_the_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the answers of the second of three epochs are right and all others wrong, its weights are kept."""
    epochs: list[int] = []

    def scripted(network: Network, store: FeatureStore, indices: Sequence[int], device: str) -> dict[str, torch.Tensor]:
        epochs.append(len(epochs))
        right = torch.eye(2)[labels()[list(indices)]]
        return dict.fromkeys(PARTS, right if epochs[-1] == 1 else 1 - right)

    monkeypatch.setattr(loop, "answer", scripted)
    averages = []

    def look(done: int, total: int, text: str) -> None:
        averages.append(checkpoint.load(tmp_path / "c")[0]["average"])

    network, history = fit(tmp_path / "c", STRUCTURES["overtone"], progress=look)
    assert [row["val_uar"] for row in history if row["part"] == "mel"] == [0, 1, 0]
    assert same(weights(network), averages[1])
    assert not same(averages[1], averages[2])


def test_patience_ends_a_phase(tmp_path: Path) -> None:
    how = recipe("overtone", epochs=9, patience=2)
    _, history = fit(tmp_path / "c", how)
    rows = [row for row in history if row["part"] == "fusion"]
    scores = [np.mean([r["val_uar"] for r in history if r["epoch"] == epoch]) for epoch in range(len(rows))]
    assert len(rows) == min(9, int(np.argmax(scores)) + 1 + how.patience)
    assert len(rows) < 9


def test_earlier_phases_are_frozen(tmp_path: Path) -> None:
    """Each branch stays, bit for bit, what it was at the end of its own phase, running statistics included."""
    how = recipe("overtone", phases=(("mel",), ("prosody",), ("fusion",)))
    after_two = {}

    def stop(done: int, total: int, text: str) -> None:
        if done == 2 * how.epochs + 1:
            groups, at = checkpoint.load(tmp_path / "c")
            assert at.phase == 2
            after_two.update(groups["network"])

    network, _ = fit(tmp_path / "c", how, progress=stop)
    found = weights(network)
    branches = [name for name in found if not name.startswith("fusion")]
    assert branches and all(torch.equal(found[name], after_two[name]) for name in branches)


def test_answers_come_in_the_order_asked(unbroken: Trained) -> None:
    network, _ = fit(unbroken.path, unbroken.how)
    forward, backward = (predict_logits(network, made_store(), order) for order in (range(9), range(8, -1, -1)))
    for part in PARTS:
        assert forward[part].shape == (9, 2)
        torch.testing.assert_close(forward[part], backward[part].flip(0), atol=1e-5, rtol=1e-5)
