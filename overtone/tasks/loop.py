"""The training loop: features and labels -> a trained network. Reads from top to bottom.

Every draw of an epoch comes from a generator seeded with (seed, phase, epoch), so a resumed training goes exactly the
way of an unbroken one.
"""

import copy
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from overtone.models.network import Network
from overtone.recipe import PARTS, Recipe
from overtone.tasks import checkpoint
from overtone.tasks.batches import mix, plain_batches, training_batches, vary
from overtone.tasks.prepare import FeatureStore
from overtone.tasks.progress import Progress, silent_progress
from overtone.values import Split

WARM_UP = 0.2  # share of the steps until the learning rate has reached its peak
FIRST_RATE, LAST_RATE = 1 / 25, 1e-4  # as shares of the peak
MAX_GRADIENT_NORM = 5.0


def learning_rate(step: int, steps: int, peak: float) -> float:
    """One-cycle schedule: up and down again along a cosine.

    Source: Smith & Topin (2018), "Super-convergence".

    Args:
        step: steps taken, from 0.
        steps: steps of the whole phase.
        peak: highest rate.
    """
    top = WARM_UP * steps
    start, end, way = (FIRST_RATE, 1.0, step / top) if step < top else (1.0, LAST_RATE, (step - top) / (steps - top))
    return peak * (end + (start - end) * (1 + math.cos(math.pi * min(1.0, way))) / 2)


def _optimiser(network: nn.Module, parts: Sequence[str], recipe: Recipe) -> torch.optim.Optimizer:
    trained = [p for part in parts for p in network.get_submodule(part).parameters()]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)


def _only_train(network: nn.Module, parts: Sequence[str]) -> None:
    network.eval()
    for part in PARTS:
        network.get_submodule(part).requires_grad_(part in parts)
        network.get_submodule(part).train(part in parts)
    network.training = True


@torch.no_grad()
def _follow(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    decay = min(decay, (1 + step) / (11 + step))  # the first weights are forgotten soon
    for slow, fast in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if slow.dtype.is_floating_point:
            slow.lerp_(fast, 1 - decay)
        else:
            slow.copy_(fast)


@torch.inference_mode()
def answer(network: Network, store: FeatureStore, indices: Sequence[int], device: str = "cpu") -> dict[str, Tensor]:
    """Logits of each part for the clean clips, float32 `(clips, emotions)` each, in the order of `indices`."""
    network.eval()
    batches = [network.logits(network.inputs(f.to(device))) for f in plain_batches(store, indices)]
    return {part: torch.cat([batch[part] for batch in batches]).cpu() for part in PARTS}


def _validation(logits: Tensor, truth: Tensor) -> dict[str, float]:
    found = logits.argmax(-1)
    recalls = [(found[truth == label] == label).float().mean() for label in truth.unique()]
    return {
        "val_loss": functional.cross_entropy(logits, truth).item(),
        "val_accuracy": (found == truth).float().mean().item(),
        "val_uar": torch.stack(recalls).mean().item(),
    }


def _train_epoch(
    network: Network,
    average: Network,
    optimiser: torch.optim.Optimizer,
    batches: Sequence[tuple[Any, np.ndarray]],
    labels: Tensor,
    parts: Sequence[str],
    recipe: Recipe,
    rng: np.random.Generator,
    step: int,
    steps: int,
) -> dict[str, dict[str, float]]:
    """One pass over the training side; mean loss and accuracy of each part."""
    device = next(network.parameters()).device
    totals = {part: np.zeros(2) for part in parts}
    clips = 0
    for features, indices in batches:
        truth = labels[torch.from_numpy(indices)].to(device)
        with torch.no_grad():
            inputs = vary(network.inputs(features.to(device)), recipe, rng)
            weight, partners = 1.0, torch.arange(len(truth))
            if recipe.mixup:
                weight = float(rng.beta(recipe.mixup, recipe.mixup))
                partners = torch.from_numpy(rng.permutation(len(truth)))
                inputs = mix(inputs, weight, partners.to(device))
        logits = network.logits(inputs)
        loss = torch.zeros((), device=device)
        for part in parts:
            own, other = (
                functional.cross_entropy(logits[part], target, label_smoothing=recipe.label_smoothing)
                for target in (truth, truth[partners])
            )
            part_loss = weight * own + (1 - weight) * other
            right = (logits[part].argmax(-1) == (truth if weight >= 0.5 else truth[partners])).sum().item()
            totals[part] += (part_loss.item() * len(truth), right)
            loss = loss + part_loss
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, steps, recipe.learning_rate)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_([p for g in optimiser.param_groups for p in g["params"]], MAX_GRADIENT_NORM)
        optimiser.step()
        _follow(average, network, recipe.ema_decay, step)
        step += 1
        clips += len(truth)
    return {part: {"train_loss": t[0] / clips, "train_accuracy": t[1] / clips} for part, t in totals.items()}


def fit(
    network: Network,
    store: FeatureStore,
    labels: np.ndarray,
    splits: dict[str, Split],
    recipe: Recipe,
    *,
    seed: int,
    path: Path,
    device: str = "cpu",
    progress: Progress = silent_progress,
) -> list[dict[str, Any]]:
    """Trains the network in the phases of the recipe and leaves the best weights in it.

    The best epoch of a phase is the one with the highest UAR on the validation side, mean over the phase's parts.

    Args:
        network: as `models.build` made it.
        store: features of all clips.
        labels: position of each clip's emotion, int64 `(clips,)`.
        splits: part -> its split; parts of one phase have one split.
        recipe: what to do.
        seed: of all draws.
        path: checkpoint; where it exists, training goes on from it.
        device: "cpu" or "cuda".
        progress: told after each epoch, with loss and accuracy.

    Returns:
        The history: a row per part and epoch with `part, epoch, train_loss, train_accuracy, val_loss, val_accuracy,
        val_uar`.
    """
    truth = torch.from_numpy(labels)
    groups, at = checkpoint.load(path) if path.is_file() else ({}, checkpoint.Progress())
    if not groups:
        training = {part: list(plain_batches(store, splits[part].train)) for part in PARTS}
        network.fit_normalisers(training)
        del training
    network.to(device)
    network.mel.to(memory_format=torch.channels_last)  # a fifth faster on a CPU
    average = copy.deepcopy(network) if recipe.ema_decay else network
    epochs = recipe.epochs * len(recipe.phases)
    for phase in range(at.phase, len(recipe.phases)):
        parts = recipe.phases[phase]
        split = splits[parts[0]]
        optimiser = _optimiser(network, parts, recipe)
        best: checkpoint.State = {}
        if groups:
            best, groups = checkpoint.restore(groups, network, average, optimiser), {}
        elif recipe.ema_decay:
            average.load_state_dict(network.state_dict())
        steps = recipe.epochs * math.ceil(len(split.train) / recipe.batch_clips)
        for epoch in range(at.epoch, recipe.epochs):
            if epoch - at.best_epoch > recipe.patience:
                break
            _only_train(network, parts)
            rng = np.random.default_rng([seed, phase, epoch])
            torch.manual_seed(int(rng.integers(2**62)))
            batches = list(training_batches(store, split.train, recipe, rng))
            learned = _train_epoch(network, average, optimiser, batches, truth, parts, recipe, rng, at.step, steps)
            logits = answer(average, store, split.validation, device)
            checked = {part: _validation(logits[part], truth[list(split.validation)]) for part in parts}
            at.history += [{"part": part, "epoch": epoch, **learned[part], **checked[part]} for part in parts]
            score = float(np.mean([checked[part]["val_uar"] for part in parts]))
            if score > at.best_score:
                at.best_score, at.best_epoch = score, epoch
                best = {name: value.detach().cpu().clone() for name, value in average.state_dict().items()}
            at.epoch, at.step = epoch + 1, at.step + len(batches)
            checkpoint.save(path, network, average, best, optimiser, at)
            row = at.history[-1]
            text = f"{row['part']}: loss {row['train_loss']:.2f}, validation accuracy {row['val_accuracy']:.2f}"
            progress(phase * recipe.epochs + epoch + 1, epochs, text)
        network.load_state_dict(best)
        at = checkpoint.Progress(phase=phase + 1, history=at.history)
    network.eval()
    return at.history
