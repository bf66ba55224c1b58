"""A trained model and the test side -> its answers, part by part."""

from collections.abc import Sequence

import torch
from torch import Tensor

from overtone.datatypes import OofPredictions, Split, Utterance
from overtone.evaluation import oof_files
from overtone.models.ensemble import Ensemble
from overtone.models.network import Model
from overtone.training.feature_cache import FeatureStore
from overtone.training.fit_adapter import adapted_logits
from overtone.training.loop import predict_logits
from overtone.training.run_config import present_emotions

FUSION_VARIANTS = (
    "member",
    "adapted",
)  # other answers of the same networks to the same clips: they share the fusion's audit


def _predictions(
    probabilities: Tensor, utterances: Sequence[Utterance], split: Split, seeds: Sequence[int]
) -> OofPredictions:
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
    return oof_files.from_rows(present_emotions(utterances), rows)


@torch.inference_mode()
def predict_test_side(
    model: Model, store: FeatureStore, utterances: Sequence[Utterance], parts: dict[str, Split], seeds: Sequence[int]
) -> dict[str, OofPredictions]:
    """Part -> its answers for the test side; a part without a test side is left out."""
    tested = {part: split for part, split in parts.items() if split.test}
    shares = {split: model.probabilities(predict_logits(model, store, split.test)) for split in set(tested.values())}
    found = {
        part: _predictions(shares[split][part][None], utterances, split, seeds[:1]) for part, split in tested.items()
    }
    split = parts["fusion"]
    if isinstance(model, Ensemble) and split.test:
        alone = [predict_logits(network, store, split.test)["fusion"].softmax(-1) for network in model.networks]
        found["member"] = _predictions(torch.stack(alone), utterances, split, seeds)
    if model.adapter is not None and split.test:
        adapted = adapted_logits(model, store, utterances, split.test).softmax(-1)
        found["adapted"] = _predictions(adapted[None], utterances, split, seeds[:1])
    return found
