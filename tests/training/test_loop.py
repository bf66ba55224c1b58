"""The training loop: it converges, it is reproducible, and a killed training resumes with bitwise equal results."""

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
from small_corpus import PARTS
from tiny_training import SPLIT, fit, labels, recipe, tiny_store

from overtone.errors import TrainingError
from overtone.models.network import Network
from overtone.recipe import Recipe
from overtone.training import checkpoint, loop
from overtone.training.feature_cache import FeatureStore
from overtone.training.loop import FIRST_RATE, LAST_RATE, WARM_UP, learning_rate, predict_logits

# One phase with averaged weights, mixup and augmented versions; three phases without any of them.
RECIPES = {"base": recipe("base", epochs=3), "paper": recipe("paper")}
RECIPE_NAMES = ["base", pytest.param("paper", marks=pytest.mark.slow)]
COLUMNS = {"part", "epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy", "val_uar"}


def copy_weights(network: Network) -> dict[str, torch.Tensor]:
    """Return a copy of all weights and buffers."""
    return {name: value.clone() for name, value in network.state_dict().items()}


def equal_states(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Return whether two state dicts are bitwise equal."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


class Trained(NamedTuple):
    """An uninterrupted training: its recipe, checkpoint, final weights and history."""

    recipe: Recipe
    path: Path
    weights: dict[str, torch.Tensor]
    history: list[dict[str, Any]]


@pytest.fixture(scope="module", params=RECIPE_NAMES)
def uninterrupted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Return a training of each recipe."""
    settings, path = RECIPES[request.param], tmp_path_factory.mktemp("uninterrupted") / "checkpoint.safetensors"
    network, history = fit(path, settings)
    return Trained(settings, path, copy_weights(network), history)


def test_learning_rate_rises_and_falls() -> None:
    rates = np.array([learning_rate(step, 1000, 0.002) for step in range(1000)])
    assert rates[0] == pytest.approx(0.002 * FIRST_RATE)
    assert rates[int(WARM_UP * 1000)] == pytest.approx(0.002) == rates.max()
    assert rates[int(WARM_UP * 1000) // 2] == pytest.approx(0.002 * (1 + FIRST_RATE) / 2)
    assert rates[600] == pytest.approx(0.002 * (1 + LAST_RATE) / 2)
    assert 0 < rates[-1] < 0.002 * 1e-3
    assert (np.diff(rates[:200]) > 0).all() and (np.diff(rates[200:]) < 0).all()
    assert learning_rate(5000, 1000, 0.002) == pytest.approx(0.002 * LAST_RATE)


def test_weights_depend_on_the_seed_alone(uninterrupted: Trained, tmp_path: Path) -> None:
    settings, _, expected, history = uninterrupted
    network, again = fit(tmp_path / "a", settings)
    assert equal_states(copy_weights(network), expected) and again == history
    other, _ = fit(tmp_path / "b", settings, seed=4)
    assert not equal_states(copy_weights(other), expected)


def test_history_has_a_row_per_part_and_epoch(uninterrupted: Trained) -> None:
    settings, history = uninterrupted.recipe, uninterrupted.history
    expected = [(part, epoch) for phase in settings.phases for epoch in range(settings.epochs) for part in phase]
    assert [(row["part"], row["epoch"]) for row in history] == expected
    assert all(row.keys() == COLUMNS for row in history)
    assert all(0 <= row[key] <= 1 for row in history for key in ("train_accuracy", "val_accuracy", "val_uar"))
    json.dumps(history)


@pytest.mark.slow
@pytest.mark.parametrize(("when", "epoch"), [("after", 2), ("after", 3), ("while", 3)])
def test_a_killed_training_resumes_with_equal_results(
    uninterrupted: Trained, tmp_path: Path, when: str, epoch: int
) -> None:
    """Killed within a phase, at its end, and while the checkpoint is being written."""
    settings, _, expected, history = uninterrupted
    path = tmp_path / "checkpoint.safetensors"
    command = [sys.executable, tiny_training.__file__, str(path), json.dumps(settings.as_dict()), when, str(epoch)]
    threads = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}  # the order of sums depends on it
    killed = subprocess.run(command, capture_output=True, text=True, timeout=240, env=threads)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert path.is_file()
    epochs: list[int] = []
    network, resumed = fit(path, settings, progress=lambda done, total, text: epochs.append(done))
    next_epoch = epoch + 1 if when == "after" else epoch
    assert epochs == list(range(next_epoch, settings.epochs * len(settings.phases) + 1)), "no epoch is repeated"
    assert resumed == history
    assert equal_states(copy_weights(network), expected)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_finished_training_is_not_repeated(uninterrupted: Trained) -> None:
    epochs: list[int] = []
    network, again = fit(
        uninterrupted.path, uninterrupted.recipe, progress=lambda done, total, text: epochs.append(done)
    )
    assert not epochs and again == uninterrupted.history
    assert equal_states(copy_weights(network), uninterrupted.weights)


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    path.write_bytes(b"damaged")
    with pytest.raises(TrainingError, match=r"checkpoint\.safetensors: damaged checkpoint"):
        fit(path, RECIPES["paper"])


@pytest.mark.parametrize("name", RECIPE_NAMES)
def test_separable_classes_are_learned(tmp_path: Path, name: str) -> None:
    network, history = fit(tmp_path / "c", recipe(name, epochs=6 if name == "base" else 3, wave_variants=0))
    rows = {part: [row for row in history if row["part"] == part] for part in PARTS}
    for part in PARTS:
        assert rows[part][-1]["train_loss"] < rows[part][0]["train_loss"]
    logits = predict_logits(network, tiny_store(), SPLIT.validation)
    truth = torch.from_numpy(labels())[list(SPLIT.validation)]
    assert {part: (logits[part].argmax(-1) == truth).float().mean().item() for part in PARTS} == dict.fromkeys(PARTS, 1)


def test_the_weights_of_the_best_epoch_are_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The predictions of the second of three epochs are correct and all others wrong: its weights are stored."""
    epochs: list[int] = []

    def scripted_predictions(
        network: Network, store: FeatureStore, indices: Sequence[int], device: str
    ) -> dict[str, torch.Tensor]:
        epochs.append(len(epochs))
        correct = torch.eye(2)[labels()[list(indices)]]
        return dict.fromkeys(PARTS, correct if epochs[-1] == 1 else 1 - correct)

    monkeypatch.setattr(loop, "predict_logits", scripted_predictions)
    averages = []

    def read_average(done: int, total: int, text: str) -> None:
        averages.append(checkpoint.load(tmp_path / "c")[0]["average"])

    network, history = fit(tmp_path / "c", RECIPES["base"], progress=read_average)
    assert [row["val_uar"] for row in history if row["part"] == "mel"] == [0, 1, 0]
    assert equal_states(copy_weights(network), averages[1])
    assert not equal_states(averages[1], averages[2])


def test_patience_ends_a_phase(tmp_path: Path) -> None:
    settings = recipe("base", epochs=9, patience=2)
    _, history = fit(tmp_path / "c", settings)
    rows = [row for row in history if row["part"] == "fusion"]
    scores = [np.mean([r["val_uar"] for r in history if r["epoch"] == epoch]) for epoch in range(len(rows))]
    assert len(rows) == min(9, int(np.argmax(scores)) + 1 + settings.patience)
    assert len(rows) < 9


def test_earlier_phases_are_frozen(tmp_path: Path) -> None:
    """Each branch stays bitwise as it was at the end of its phase, running statistics included."""
    settings = recipe("base", phases=(("mel",), ("prosody",), ("fusion",)))
    after_two = {}

    def read_checkpoint(done: int, total: int, text: str) -> None:
        if done == 2 * settings.epochs + 1:
            groups, at = checkpoint.load(tmp_path / "c")
            assert at.phase == 2
            after_two.update(groups["network"])

    network, _ = fit(tmp_path / "c", settings, progress=read_checkpoint)
    final = copy_weights(network)
    branches = [name for name in final if not name.startswith("fusion")]
    assert any(name.startswith("branches.") for name in branches)
    assert all(torch.equal(final[name], after_two[name]) for name in branches)


def test_predictions_are_in_the_order_of_the_indices(uninterrupted: Trained) -> None:
    network, _ = fit(uninterrupted.path, uninterrupted.recipe)
    forward, backward = (predict_logits(network, tiny_store(), order) for order in (range(9), range(8, -1, -1)))
    for part in PARTS:
        assert forward[part].shape == (9, 2)
        torch.testing.assert_close(forward[part], backward[part].flip(0), atol=1e-5, rtol=1e-5)
