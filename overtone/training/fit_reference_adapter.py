"""Validation clips and random reference sets -> the reference adapter of a model."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from overtone.datatypes import Split, Utterance
from overtone.models.network import Model
from overtone.models.reference_adapter import CONDITIONS, EXPERTS, ReferenceAdapter, conditions, experts
from overtone.training.adapted_predictions import predict_with_sets, unadapted
from overtone.training.batches import sampling_weights
from overtone.training.feature_cache import FeatureStore
from overtone.training.reference_sets import ReferenceSets
from overtone.training.targets import Targets

SETS = 4  # random reference sets per clip
# Share of each kind of set. Sets of the emotion that is asked for are the worst case, and count more than they are
# frequent: with 0.3 rather than 0 they cost left-out corpora 4 instead of 14 points of UAR, and whole speakers gain 13
# instead of 14.
KINDS = {"speaker": 0.25, "some": 0.2, "one-sided": 0.1, "own emotion": 0.3, "corpus": 0.15}
PENALTY = 1e-3  # on the squared weights


def fit_reference_adapter(
    model: Model,
    store: FeatureStore,
    utterances: Sequence[Utterance],
    targets: Targets,
    trained_on: Sequence[tuple[Model, Split]],
    seed: int,
) -> None:
    """Give a model the reference adapter that predicts validation clips with random reference sets best.

    Each clip counts such that corpora, their classes and speakers weigh equally.

    Args:
        model: calibrated, on the CPU; with branches that refer.
        store: features of all clips.
        utterances: all clips.
        targets: of all clips.
        trained_on: the model, or each of its networks, with the split whose validation clips it was not trained on.
        seed: of the reference sets.
    """
    emotions = targets.allowed.shape[-1]
    rows = []
    for k, (network, split) in enumerate(trained_on):
        network.temperature.copy_(model.temperature)
        rows.append(_experts_of_sets(network, store, utterances, split.validation, np.random.default_rng([seed, k])))
    expert_rows, condition_rows = (torch.cat(parts).double() for parts in zip(*rows, strict=True))
    clips = [i for _, split in trained_on for i in split.validation for _ in range(SETS)]
    importance = torch.from_numpy(sampling_weights(utterances, clips))
    adapter = ReferenceAdapter(model.reference_size, emotions)
    adapter.expert_weights.copy_(_fit(expert_rows, condition_rows, targets.at(torch.tensor(clips)), importance))
    model.adapter = adapter


@torch.inference_mode()
def _experts_of_sets(
    network: Model,
    store: FeatureStore,
    utterances: Sequence[Utterance],
    clips: Sequence[int],
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """Experts `(sets, EXPERTS, emotions)` and conditions `(sets, CONDITIONS)`, `SETS` rows for each clip."""
    sets, row_of = ReferenceSets(utterances, clips, KINDS), {clip: row for row, clip in enumerate(clips)}
    batches = list(unadapted(network, store, clips))
    statistics = torch.cat(
        [torch.cat([network.reference_values(batch.inputs), batch.probabilities], dim=1) for batch in batches]
    )
    expert_rows, condition_rows = [], []
    first = 0
    for batch in batches:
        own = clips[first : first + len(batch.probabilities)]
        first += len(own)
        drawn = [[[row_of[int(i)] for i in sets.draw(clip, rng)] for _ in range(SETS)] for clip in own]
        of_batch = [
            predict_with_sets(network, batch.inputs, statistics, [of_clip[k] for of_clip in drawn]) for k in range(SETS)
        ]
        expert_rows.append(
            _interleave([experts(batch.probabilities, p.referring, p.reference_probabilities) for p in of_batch])
        )
        condition_rows.append(_interleave([conditions(p.reference_probabilities, p.clips) for p in of_batch]))
    return torch.cat(expert_rows), torch.cat(condition_rows)


def _interleave(tensors: Sequence[Tensor]) -> Tensor:
    """The rows of all tensors `(clips, ...)`, those of each clip one after the other, `(clips * tensors, ...)`."""
    return torch.stack(list(tensors), dim=1).flatten(0, 1)


def _fit(expert_rows: Tensor, condition_rows: Tensor, targets: Targets, importance: Tensor) -> Tensor:
    """Weights `(EXPERTS, CONDITIONS)` that minimise the negative log-likelihood of the truth."""

    def loss_and_gradient(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights = torch.from_numpy(flat).reshape(EXPERTS, CONDITIONS).requires_grad_()
        logits = ((condition_rows @ weights.T)[..., None] * expert_rows).sum(1)
        log_probabilities = targets.mask_disallowed(logits).log_softmax(-1)
        likelihood = log_probabilities.gather(1, targets.truth[:, None])[:, 0]
        loss = PENALTY * weights.square().sum() - (importance * likelihood).sum()
        loss.backward()
        assert weights.grad is not None
        return loss.item(), weights.grad.numpy().ravel()

    found = minimize(loss_and_gradient, np.zeros(EXPERTS * CONDITIONS), jac=True, method="L-BFGS-B")
    return torch.from_numpy(found.x).reshape(EXPERTS, CONDITIONS)
