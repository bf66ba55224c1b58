"""Predictions for the test set: every class, or a choice among the classes of the test set."""

from dataclasses import replace
from pathlib import Path

import pytest
import tiny_training
import torch

from overtone.datatypes import Split, Utterance
from overtone.models import build
from overtone.training.held_out import predict_test_set

CLASSES = ("sad", "angry", "fearful")


def make_utterances() -> list[Utterance]:
    """Return the synthetic clips as two corpora; only the first one has fearful clips."""
    labels = [CLASSES[k % 3] if k < 12 else CLASSES[k % 2] for k in range(tiny_training.CLIPS)]
    return [
        Utterance(Path(f"{k}.wav"), label, speaker=str(k % 3), corpus="mine" if k < 12 else "yours", clip=str(k))
        for k, label in enumerate(labels)
    ]


@pytest.mark.parametrize(("protocol", "fearful"), [("cross", True), ("unseen-corpus", False)])
def test_predictions_are_a_choice_among_the_classes_of_the_corpus_where_the_protocol_says_so(
    protocol: str, fearful: bool
) -> None:
    recipe, utterances = tiny_training.recipe("base"), make_utterances()
    torch.manual_seed(0)
    network = build(recipe, len(CLASSES)).eval()
    split = Split(protocol, "yours", tuple(range(12)), (), tuple(range(12, 24)))
    predicted, allowed = (
        predict_test_set(network, tiny_training.tiny_store(), utterances, dict.fromkeys(recipe.parts, fold), [0])
        for fold in (split, replace(split, protocol="loso"))
    )
    assert set(predicted) == set(recipe.parts)
    for part, table in predicted.items():
        assert table.emotions == CLASSES
        assert set(table.corpus.tolist()) == {"yours"}
        assert (table.probabilities[:, 2] > 0).all() == fearful
        assert table.probabilities.sum(axis=1) == pytest.approx(1)
        ratios = table.probabilities[:, 0] / table.probabilities[:, 1]
        assert ratios == pytest.approx(allowed[part].probabilities[:, 0] / allowed[part].probabilities[:, 1])
