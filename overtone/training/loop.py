"""The training loop: features and targets -> a trained network. Reads from top to bottom.

All random numbers of an epoch come from a generator seeded with (seed, phase, epoch), so a resumed training gives the
same result as an uninterrupted one.
"""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
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
from overtone.recipe import Recipe
from overtone.training import checkpoint
from overtone.training.batches import augment, clean_batches, mixup, training_batches
from overtone.training.feature_cache import FeatureStore
from overtone.training.reference_sets import ReferenceSets, drawable_sets
from overtone.training.targets import Targets, mean_recall, smoothed_cross_entropy

WARM_UP = 0.2  # share of the steps until the learning rate reaches its peak
FIRST_RATE, LAST_RATE = 1 / 25, 1e-4  # as shares of the peak
MAX_GRADIENT_NORM = 5.0

Batch = tuple[Features, np.ndarray, np.ndarray]
"""Features, positions of the utterances, and which of them refer to other clips; as `training_batches` yields them."""

OnEpoch = Callable[[int, Sequence[Mapping[str, Any]], float], None]
"""Called with the number of epochs of all phases so far, the rows of the history of one, and the learning rate."""


def ignore_epoch(step: int, rows: Sequence[Mapping[str, Any]], rate: float) -> None:
    """Do nothing after an epoch."""


def learning_rate(step: int, steps: int, peak: float) -> float:
    """One-cycle schedule: up and down again along a cosine.

    Source: Smith & Topin (2018), "Super-convergence".

    Args:
        step: steps taken, from 0.
        steps: steps of the whole phase.
        peak: highest rate.
    """
    top = WARM_UP * steps
    if step < top:
        start, end, progress = FIRST_RATE, 1.0, step / top
    else:
        start, end, progress = 1.0, LAST_RATE, (step - top) / (steps - top)
    return peak * (end + (start - end) * (1 + math.cos(math.pi * min(1.0, progress))) / 2)


def _optimiser(network: Network, parts: Sequence[str], recipe: Recipe) -> torch.optim.Optimizer:
    trained = [p for part in parts for p in network.part(part).parameters()]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)


def _freeze_except(network: Network, parts: Sequence[str]) -> None:
    network.eval()
    for part in network.parts:
        network.part(part).requires_grad_(part in parts).train(part in parts)
    network.training = True


@torch.no_grad()
def _update_ema(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Move the averaged weights towards the current ones."""
    decay = min(decay, (1 + step) / (11 + step))  # a short memory at first: the initial weights are random
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
    return {part: torch.cat([batch[part] for batch in batches]).cpu() for part in network.parts}


def _validation(logits: Tensor, targets: Targets) -> dict[str, float]:
    truth, predicted = targets.truth, targets.mask_disallowed(logits).argmax(-1)
    return {
        "val_loss": smoothed_cross_entropy(logits, targets, 0.0).item(),
        "val_accuracy": (predicted == truth).float().mean().item(),
        "val_uar": mean_recall(predicted, truth),
    }


@dataclass(frozen=True)
class _Phase:
    """The state that stays constant during a phase."""

    parts: tuple[str, ...]
    recipe: Recipe
    steps: int
    network: Network
    average: Network
    optimiser: torch.optim.Optimizer
    targets: Targets
    reference_values: Tensor
    references: ReferenceSets | None


def _augmented_inputs(phase: _Phase, batch: Batch, rng: np.random.Generator) -> tuple[Inputs, float, Tensor]:
    """Augmented and mixed inputs of a batch, the weight of each clip, and the positions of its partners `(batch,)`."""
    features, indices, referring = batch
    network, recipe, clips = phase.network, phase.recipe, len(indices)
    device = features.tempo_bpm.device
    with torch.no_grad():
        inputs = augment(network.inputs(features), recipe, rng)
        if phase.references is not None and referring.any():
            means, counts = torch.zeros(clips, phase.reference_values.shape[1]), torch.zeros(clips)
            rows = torch.from_numpy(referring)
            means[rows], counts[rows] = phase.references.means(phase.reference_values, indices[referring], rng)
            inputs = network.refer(inputs, means.to(device), counts.to(device))
        if not recipe.mixup:
            return inputs, 1.0, torch.arange(clips)
        weight = float(rng.beta(recipe.mixup, recipe.mixup))
        partners = torch.from_numpy(rng.permutation(clips)).to(device)
        return mixup(inputs, weight, partners), weight, partners


def _step(
    phase: _Phase, logits: dict[str, Tensor], targets: Targets, partner_targets: Targets, weight: float, step: int
) -> Tensor:
    """One optimiser step; returns the loss of each part `(parts,)`."""
    smoothing = phase.recipe.label_smoothing
    losses = []
    for part in phase.parts:
        own, partner = (smoothed_cross_entropy(logits[part], t, smoothing) for t in (targets, partner_targets))
        losses.append(weight * own + (1 - weight) * partner)
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
    batches: Sequence[Batch],
    rng: np.random.Generator,
    step: int,
) -> dict[str, dict[str, float]]:
    """One pass over the training set; mean loss and accuracy of each part.

    The accuracy of mixed clips counts the label with the larger weight.
    """
    device = next(phase.network.parameters()).device
    _freeze_except(phase.network, phase.parts)
    loss, correct = (np.zeros(len(phase.parts)) for _ in range(2))
    for done, (features, indices, referring) in enumerate(batches):
        inputs, weight, partners = _augmented_inputs(phase, (features.to(device), indices, referring), rng)
        targets = phase.targets.at(torch.from_numpy(indices).to(device))
        partner_targets = targets.at(partners)
        logits = phase.network.logits(inputs)
        losses = _step(phase, logits, targets, partner_targets, weight, step + done)
        loss += len(indices) * losses.cpu().numpy()
        dominant = (targets if weight >= 0.5 else partner_targets).truth
        correct += [(logits[part].argmax(-1) == dominant).sum().item() for part in phase.parts]
    clips = sum(len(indices) for _, indices, _ in batches)
    return {
        part: {"train_loss": loss[k] / clips, "train_accuracy": correct[k] / clips}
        for k, part in enumerate(phase.parts)
    }


def _fit_normalisers(
    network: Network, store: FeatureStore, own_splits: Mapping[str, Split], shared_splits: Mapping[str, Split]
) -> None:
    """Fit the normaliser of each branch to the training clips of its own split, or of the one that networks share."""
    clips = {
        branch: (own_splits if network.has_own_normaliser(branch) else shared_splits)[branch].train
        for branch in network.branch_names
    }
    network.fit_normalisers({branch: list(clean_batches(store, indices)) for branch, indices in clips.items()})


def fit(
    network: Network,
    store: FeatureStore,
    targets: Targets,
    splits: Mapping[str, Split],
    recipe: Recipe,
    *,
    seed: int,
    path: Path,
    device: str = "cpu",
    progress: Progress = silent_progress,
    init: checkpoint.State | None = None,
    normaliser_splits: Mapping[str, Split] | None = None,
    sampling: Callable[[Sequence[int]], np.ndarray] | None = None,
    references: Callable[[Sequence[int]], ReferenceSets] | None = None,
    on_epoch: OnEpoch = ignore_epoch,
) -> list[dict[str, Any]]:
    """Train the network in the phases of the recipe and leave the best weights in it.

    The best epoch of a phase is the one with the highest UAR on the validation set, averaged over the parts of the
    phase. It is the last one if each network leaves out other validation clips.

    Args:
        network: as `models.build` made it.
        store: features of all clips.
        targets: of all clips.
        splits: part -> its split; the parts of one phase share one split.
        recipe: the settings.
        seed: of all random numbers.
        path: checkpoint; if it exists, training resumes from it.
        device: "cpu" or "cuda".
        progress: called after each epoch, with loss and accuracy.
        init: weights of another network of the same branches to start from; see `checkpoint.init_branches`.
        normaliser_splits: part -> split whose training set gives mean and scale, shared by all networks of an
            ensemble, except of branches with normalisers of their own; None for `splits`.
        sampling: returns the probability of each training clip to be drawn; None for every clip once per epoch.
        references: returns the reference sets that can be drawn from the training clips; None for none.
        on_epoch: called after each epoch, with its numbers.

    Returns:
        The history: a row per part and epoch with `part, epoch, train_loss, train_accuracy, val_loss, val_accuracy,
        val_uar`.
    """
    groups, position = checkpoint.load(path) if path.is_file() else ({}, checkpoint.TrainingPosition())
    if not groups:
        checkpoint.init_branches(network, init or {})
        _fit_normalisers(network, store, splits, normaliser_splits or splits)
    network.to(device)
    network.set_memory_format(torch.channels_last)  # a fifth faster on a CPU
    average = copy.deepcopy(network) if recipe.ema_decay else network
    epochs = recipe.epochs * len(recipe.phases)
    for phase_index in range(position.phase, len(recipe.phases)):
        parts = recipe.phases[phase_index]
        split = splits[parts[0]]
        optimiser = _optimiser(network, parts, recipe)
        best: checkpoint.State = {}
        if groups:
            best, groups = checkpoint.restore(groups, network, average, optimiser), {}
        elif recipe.ema_decay:
            average.load_state_dict(network.state_dict())
        steps = recipe.epochs * math.ceil(len(split.train) / recipe.batch_clips)
        weights = None if sampling is None else sampling(split.train)
        values, sets = drawable_sets(network, store, split.train, references)
        phase = _Phase(parts, recipe, steps, network, average, optimiser, targets.to(device), values, sets)
        for epoch in range(position.epoch, recipe.epochs):
            if epoch - position.best_epoch > recipe.patience:
                break
            rng = np.random.default_rng([seed, phase_index, epoch])
            torch.manual_seed(int(rng.integers(2**62)))
            batches = list(training_batches(store, split.train, recipe, rng, weights))
            trained = _train_epoch(phase, batches, rng, position.step)
            logits = predict_logits(average, store, split.validation, device)
            validation = targets.at(torch.tensor(split.validation))
            validated = {part: _validation(logits[part], validation) for part in parts}
            position.history += [{"part": part, "epoch": epoch, **trained[part], **validated[part]} for part in parts]
            score = float(np.mean([validated[part]["val_uar"] for part in parts]))
            if score > position.best_score or recipe.validation != "shared":
                position.best_score, position.best_epoch = score, epoch
                best = {name: value.detach().cpu().clone() for name, value in average.state_dict().items()}
            position.epoch, position.step = epoch + 1, position.step + len(batches)
            checkpoint.save(path, network, average, best, optimiser, position)
            done = phase_index * recipe.epochs + epoch + 1
            on_epoch(done, position.history[-len(parts) :], optimiser.param_groups[0]["lr"])
            row = position.history[-1]
            text = f"{row['part']}: loss {row['train_loss']:.2f}, validation accuracy {row['val_accuracy']:.2f}"
            progress(done, epochs, text)
        network.load_state_dict(best)
        position = checkpoint.TrainingPosition(phase=phase_index + 1, history=position.history)
    network.eval()
    return position.history
