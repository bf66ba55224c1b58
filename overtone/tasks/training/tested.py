"""A trained model and the test side -> its answers, part by part."""

from collections.abc import Sequence

import torch
from torch import Tensor

from overtone.models.ensemble import Ensemble
from overtone.models.network import Model
from overtone.outputs import predictions
from overtone.tasks.training.adapt import adapted_logits
from overtone.tasks.training.loop import answer
from overtone.tasks.training.plan import emotions_of
from overtone.tasks.training.prepare import FeatureStore
from overtone.values import Predictions, Split, Utterance

OF_FUSION = ("member", "adapted")  # other answers of the same networks to the same clips: they share the fusion's audit


def _predictions(
    probabilities: Tensor, utterances: Sequence[Utterance], split: Split, seeds: Sequence[int]
) -> Predictions:
    """Answers for the test side as a table, once per seed.

    Args:
        probabilities: `(seeds, clips, emotions)`, clips in the order of the test side.
        utterances: all clips.
        split: what the clips are of.
        seeds: of the trainings.
    """
    fold = "1" if split.protocol == "paper" else split.fold
    rows = [
        (u.clip, u.speaker, u.sentence, fold, seed, u.emotion, *p)
        for seed, answers in zip(seeds, probabilities.double().numpy(), strict=True)
        for u, p in zip((utterances[index] for index in split.test), answers, strict=True)
    ]
    return predictions.from_rows(emotions_of(utterances), rows)


@torch.inference_mode()
def answers(
    model: Model, store: FeatureStore, utterances: Sequence[Utterance], parts: dict[str, Split], seeds: Sequence[int]
) -> dict[str, Predictions]:
    """Part -> its answers for the test side; a part without a test side is left out."""
    tested = {part: split for part, split in parts.items() if split.test}
    shares = {split: model.probabilities(answer(model, store, split.test)) for split in set(tested.values())}
    found = {
        part: _predictions(shares[split][part][None], utterances, split, seeds[:1]) for part, split in tested.items()
    }
    split = parts["fusion"]
    if isinstance(model, Ensemble) and split.test:
        alone = [answer(network, store, split.test)["fusion"].softmax(-1) for network in model.networks]
        found["member"] = _predictions(torch.stack(alone), utterances, split, seeds)
    if model.adapter is not None and split.test:
        adapted = adapted_logits(model, store, utterances, split.test).softmax(-1)
        found["adapted"] = _predictions(adapted[None], utterances, split, seeds[:1])
    return found
