"""Predicts the test set with a trained model, part by part: out-of-fold predictions."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from overtone.corpora.label_mapping import present_emotions
from overtone.datatypes import OofPredictions, Split, Utterance
from overtone.evaluation import oof_files
from overtone.evaluation.protocols import PROTOCOLS, choices
from overtone.models.ensemble import Ensemble
from overtone.models.network import Model
from overtone.recipe import FUSION
from overtone.training.adapted_predictions import adapted_logits
from overtone.training.feature_cache import FeatureStore
from overtone.training.loop import predict_logits


def _predictions(
    probabilities: Tensor, utterances: Sequence[Utterance], split: Split, seeds: Sequence[int]
) -> OofPredictions:
    """Predictions for the test set as a table, once per seed.

    Predictions are a choice among the classes of the tested corpora, or of the fold where the protocol says so. Classes
    of corpora that serve training alone are left out; the probabilities of classes that the fold does not have are 0.

    Args:
        probabilities: `(seeds, clips, emotions)`, clips in the order of the test set.
        utterances: all clips.
        split: the split with this test set.
        seeds: of the training runs, one per matrix.
    """
    classes = present_emotions(utterances)
    emotions = present_emotions([utterance for utterance in utterances if not utterance.training_only])
    fold = "1" if PROTOCOLS[split.protocol].split_per_part else split.fold
    chosen = oof_files.restrict(probabilities.double().numpy(), choices(split, utterances, classes))
    chosen = chosen[..., [classes.index(emotion) for emotion in emotions]]
    rows = [
        (u.clip, u.corpus, u.speaker, u.sentence, fold, seed, u.emotion, *row)
        for seed, matrix in zip(seeds, chosen, strict=True)
        for u, row in zip((utterances[index] for index in split.test), matrix, strict=True)
    ]
    return oof_files.from_rows(emotions, rows)


@torch.inference_mode()
def predict_test_set(
    model: Model,
    store: FeatureStore,
    utterances: Sequence[Utterance],
    parts: Mapping[str, Split],
    seeds: Sequence[int],
) -> dict[str, OofPredictions]:
    """Part -> its predictions for the test set; a part without a test set is left out.

    Args:
        model: the trained, calibrated model.
        store: features of all clips.
        utterances: all clips.
        parts: part -> its split.
        seeds: stored with the predictions: one per network of an ensemble for "member", the first one for all others.
    """
    tested = {part: split for part, split in parts.items() if split.test}
    probabilities = {
        split: model.probabilities(predict_logits(model, store, split.test)) for split in set(tested.values())
    }
    predictions = {
        part: _predictions(probabilities[split][part][None], utterances, split, seeds[:1])
        for part, split in tested.items()
    }
    split = parts[FUSION]
    if isinstance(model, Ensemble) and split.test:
        members = [predict_logits(network, store, split.test)[FUSION].softmax(-1) for network in model.networks]
        predictions["member"] = _predictions(torch.stack(members), utterances, split, seeds)
    if model.adapter is not None and split.test:
        adapted = adapted_logits(model, store, utterances, split.test).softmax(-1)
        predictions["adapted"] = _predictions(adapted[None], utterances, split, seeds[:1])
    return predictions
