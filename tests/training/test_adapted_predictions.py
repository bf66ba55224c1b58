"""Predictions with a reference set for each clip: the means of the rows named, and nothing for an empty set."""

import dataclasses

import torch
from small_encoder import WIDTH

from overtone.models import build
from overtone.recipe import read_recipe
from overtone.training.adapted_predictions import predict_with_sets

EMOTIONS, VALUES = 3, 2 * WIDTH


def test_each_clip_refers_to_its_own_set(small_encoder: str) -> None:
    torch.manual_seed(0)
    recipe = dataclasses.replace(read_recipe("base"), branches={"encoder": small_encoder}, phases=())
    model = build(recipe, EMOTIONS).eval()
    statistics = torch.randn(6, VALUES + EMOTIONS)
    inputs = {"encoder": (torch.randn(2, VALUES), torch.zeros(2, 1))}
    found = predict_with_sets(model, inputs, statistics, [[0, 3, 4], []])
    assert found.clips.tolist() == [3, 0]
    mean = statistics[[0, 3, 4]].mean(0)
    torch.testing.assert_close(found.reference_probabilities[0], mean[VALUES:])
    assert not found.reference_probabilities[1].any()
    with torch.inference_mode():
        one = {"encoder": tuple(tensor[:1] for tensor in inputs["encoder"])}
        referring = model.refer(one, mean[None, :VALUES], torch.tensor([3.0]))
        torch.testing.assert_close(found.referring[:1], model.probabilities(model.logits(referring))["fusion"])
        unchanged = model.probabilities(model.logits(inputs))["fusion"]
    torch.testing.assert_close(found.referring[1], unchanged[1])
    assert not torch.allclose(found.referring[0], unchanged[0], atol=1e-4)
