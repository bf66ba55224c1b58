"""The training loop: features and labels -> a trained network. Reads from top to bottom.

Every draw of an epoch comes from a generator seeded with (seed, phase, epoch), so a resumed training goes exactly the
way of an unbroken one.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from overtone._internal.progress import Progress, silent_progress
from overtone.datatypes import Split
from overtone.features.front_end import Features
from overtone.models.network import Inputs, Model, Network
from overtone.recipe import PARTS, Recipe
from overtone.training import checkpoint
from overtone.training.batches import augment, clean_batches, mixup, training_batches
from overtone.training.feature_cache import FeatureStore
from overtone.training.targets import Targets, smoothed_cross_entropy

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


def _freeze_except(network: nn.Module, parts: Sequence[str]) -> None:
    network.eval()
    for part in PARTS:
        network.get_submodule(part).requires_grad_(part in parts)
        network.get_submodule(part).train(part in parts)
    network.training = True


@torch.no_grad()
def _update_ema(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    decay = min(decay, (1 + step) / (11 + step))  # the first weights are forgotten soon
    for slow, fast in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if slow.dtype.is_floating_point:
            slow.lerp_(fast, 1 - decay)
        else:
            slow.copy_(fast)


@torch.inference_mode()
def predict_logits(
    network: Model, store: FeatureStore, indices: Sequence[int], device: str = "cpu"
) -> dict[str, Tensor]:
    """Logits of each part for the clean clips, float32 `(clips, emotions)` each, in the order of `indices`."""
    network.eval()
    batches = [network.logits(network.inputs(f.to(device))) for f in clean_batches(store, indices)]
    return {part: torch.cat([batch[part] for batch in batches]).cpu() for part in PARTS}


def _validation(logits: Tensor, targets: Targets) -> dict[str, float]:
    truth, found = targets.truth, targets.mask_disallowed(logits).argmax(-1)
    recalls = [(found[truth == label] == label).float().mean() for label in truth.unique()]
    return {
        "val_loss": smoothed_cross_entropy(logits, targets, 0.0).item(),
        "val_accuracy": (found == truth).float().mean().item(),
        "val_uar": torch.stack(recalls).mean().item(),
    }


@dataclass(frozen=True)
class _Phase:
    """What stays the same during a phase."""

    parts: tuple[str, ...]
    recipe: Recipe
    steps: int
    network: Network
    average: Network
    optimiser: torch.optim.Optimizer
    targets: Targets


def _augmented_inputs(
    network: Network, features: Features, recipe: Recipe, rng: np.random.Generator
) -> tuple[Inputs, float, Tensor]:
    """Varied and mixed inputs of a batch, the share of each clip itself, and the partners `(batch,)` mixed in."""
    clips = len(features.tempo_bpm)
    with torch.no_grad():
        inputs = augment(network.inputs(features), recipe, rng)
        if not recipe.mixup:
            return inputs, 1.0, torch.arange(clips)
        share = float(rng.beta(recipe.mixup, recipe.mixup))
        partners = torch.from_numpy(rng.permutation(clips)).to(features.tempo_bpm.device)
        return mixup(inputs, share, partners), share, partners


def _step(
    phase: _Phase, logits: dict[str, Tensor], targets: Targets, others: Targets, share: float, step: int
) -> Tensor:
    """One step of the optimiser; the loss of each part `(parts,)`."""
    smoothing = phase.recipe.label_smoothing
    losses = []
    for part in phase.parts:
        own, other = (smoothed_cross_entropy(logits[part], wanted, smoothing) for wanted in (targets, others))
        losses.append(share * own + (1 - share) * other)
    for group in phase.optimiser.param_groups:
        group["lr"] = learning_rate(step, phase.steps, phase.recipe.learning_rate)
    phase.optimiser.zero_grad()
    torch.stack(losses).sum().backward()
    trained = [parameter for group in phase.optimiser.param_groups for parameter in group["params"]]
    nn.utils.clip_grad_norm_(trained, MAX_GRADIENT_NORM)
    phase.optimiser.step()
    _update_ema(phase.average, phase.network, phase.recipe.ema_decay, step)
    return torch.stack(losses).detach()


def _train_epoch(
    phase: _Phase,
    batches: Sequence[tuple[Features, np.ndarray]],
    rng: np.random.Generator,
    step: int,
) -> dict[str, dict[str, float]]:
    """One pass over the training side; mean loss and accuracy of each part.

    The accuracy of mixed clips counts the label of which there is more.
    """
    device = next(phase.network.parameters()).device
    _freeze_except(phase.network, phase.parts)
    loss, right = (np.zeros(len(phase.parts)) for _ in range(2))
    for done, (features, indices) in enumerate(batches):
        inputs, share, partners = _augmented_inputs(phase.network, features.to(device), phase.recipe, rng)
        targets = phase.targets.at(torch.from_numpy(indices).to(device))
        others = targets.at(partners)
        logits = phase.network.logits(inputs)
        losses = _step(phase, logits, targets, others, share, step + done)
        loss += len(indices) * losses.cpu().numpy()
        mostly = (targets if share >= 0.5 else others).truth
        right += [(logits[part].argmax(-1) == mostly).sum().item() for part in phase.parts]
    clips = sum(len(indices) for _, indices in batches)
    return {
        part: {"train_loss": loss[k] / clips, "train_accuracy": right[k] / clips} for k, part in enumerate(phase.parts)
    }


def fit(
    network: Network,
    store: FeatureStore,
    targets: Targets,
    splits: dict[str, Split],
    recipe: Recipe,
    *,
    seed: int,
    path: Path,
    device: str = "cpu",
    progress: Progress = silent_progress,
    start: checkpoint.State | None = None,
    usual: dict[str, Split] | None = None,
) -> list[dict[str, Any]]:
    """Trains the network in the phases of the recipe and leaves the best weights in it.

    The best epoch of a phase is the one with the highest UAR on the validation side, mean over the phase's parts; where
    a recipe validates in turns, the last one.

    Args:
        network: as `models.build` made it.
        store: features of all clips.
        targets: of all clips.
        splits: part -> its split; parts of one phase have one split.
        recipe: what to do.
        seed: of all draws.
        path: checkpoint; where it exists, training goes on from it.
        device: "cpu" or "cuda".
        progress: told after each epoch, with loss and accuracy.
        start: weights of another network of the same branches to begin with; see `checkpoint.init_branches`.
        usual: part -> the split whose training side tells mean and scale, which all networks of an ensemble share; None
            for that of `splits`.

    Returns:
        The history: a row per part and epoch with `part, epoch, train_loss, train_accuracy, val_loss, val_accuracy,
        val_uar`.
    """
    groups, at = checkpoint.load(path) if path.is_file() else ({}, checkpoint.TrainingPosition())
    if not groups:
        training = {part: list(clean_batches(store, (usual or splits)[part].train)) for part in PARTS}
        checkpoint.init_branches(network, start or {})
        network.fit_normalisers(training)
        del training
    network.to(device)
    network.mel.to(memory_format=torch.channels_last)  # a fifth faster on a CPU
    average = copy.deepcopy(network) if recipe.ema_decay else network
    epochs = recipe.epochs * len(recipe.phases)
    for position in range(at.phase, len(recipe.phases)):
        parts = recipe.phases[position]
        split = splits[parts[0]]
        optimiser = _optimiser(network, parts, recipe)
        best: checkpoint.State = {}
        if groups:
            best, groups = checkpoint.restore(groups, network, average, optimiser), {}
        elif recipe.ema_decay:
            average.load_state_dict(network.state_dict())
        steps = recipe.epochs * math.ceil(len(split.train) / recipe.batch_clips)
        phase = _Phase(parts, recipe, steps, network, average, optimiser, targets.to(device))
        for epoch in range(at.epoch, recipe.epochs):
            if epoch - at.best_epoch > recipe.patience:
                break
            rng = np.random.default_rng([seed, position, epoch])
            torch.manual_seed(int(rng.integers(2**62)))
            batches = list(training_batches(store, split.train, recipe, rng))
            learned = _train_epoch(phase, batches, rng, at.step)
            logits = predict_logits(average, store, split.validation, device)
            checked = {part: _validation(logits[part], targets.at(torch.tensor(split.validation))) for part in parts}
            at.history += [{"part": part, "epoch": epoch, **learned[part], **checked[part]} for part in parts]
            score = float(np.mean([checked[part]["val_uar"] for part in parts]))
            if score > at.best_score or recipe.validation == "in-turns":
                at.best_score, at.best_epoch = score, epoch
                best = {name: value.detach().cpu().clone() for name, value in average.state_dict().items()}
            at.epoch, at.step = epoch + 1, at.step + len(batches)
            checkpoint.save(path, network, average, best, optimiser, at)
            row = at.history[-1]
            text = f"{row['part']}: loss {row['train_loss']:.2f}, validation accuracy {row['val_accuracy']:.2f}"
            progress(position * recipe.epochs + epoch + 1, epochs, text)
        network.load_state_dict(best)
        at = checkpoint.TrainingPosition(phase=position + 1, history=at.history)
    network.eval()
    return at.history
