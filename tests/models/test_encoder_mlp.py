"""The MLP on encoder statistics: normalised by the training clips, and a model of its own that can be exported."""

import dataclasses

import numpy as np
import onnxruntime
import pytest
import synthetic_audio
import torch
from small_encoder import WIDTH
from tiny_training import make_store

from overtone.datatypes import Waveform
from overtone.features.front_end import Features
from overtone.models import build
from overtone.models.encoder_mlp import EncoderMlp
from overtone.models.encoder_statistics import FEATURE
from overtone.models.statistics_mlp import EMBEDDING, PRIOR_CLIPS
from overtone.recipe import Recipe, read_recipe
from overtone.training.batches import collate

VALUES = 2 * WIDTH


@pytest.fixture
def recipe(small_encoder: str) -> Recipe:
    """Return a recipe with the encoder branch alone."""
    return dataclasses.replace(read_recipe("base"), branches={"encoder": small_encoder}, phases=())


def features(values: torch.Tensor) -> Features:
    """Return features of clips with these statistics `(batch, values)`, and silence otherwise."""
    store = make_store([Waveform(synthetic_audio.speech_like(np.random.default_rng(0), 0.5))] * len(values))
    batch = collate([store.clip(index) for index in range(len(values))])
    return batch._replace(extra={FEATURE: values[:, None]})


def test_statistics_are_standardised_by_the_training_clips(small_encoder: str) -> None:
    branch = EncoderMlp(small_encoder, 3, 0.0)
    values = 5 + 3 * torch.randn(40, VALUES)
    branch.fit([features(values[:25]), features(values[25:])])
    torch.testing.assert_close(branch.mean, values.mean(0))
    torch.testing.assert_close(branch.scale, values.std(0))
    inputs = branch.inputs(features(values))
    embedding, logits = branch(*inputs)
    assert embedding.shape == (40, EMBEDDING) and logits.shape == (40, 3)
    torch.testing.assert_close(embedding, branch.embed((values - values.mean(0)) / values.std(0)))


def test_a_statistic_that_is_constant_stays_finite(small_encoder: str) -> None:
    branch = EncoderMlp(small_encoder, 3, 0.1)
    branch.fit([features(torch.ones(8, VALUES))])
    assert torch.isfinite(branch(*branch.inputs(features(torch.ones(8, VALUES))))[1]).all()


def test_a_large_reference_takes_the_place_of_the_training_mean(small_encoder: str) -> None:
    branch = EncoderMlp(small_encoder, 3, 0.0)
    branch.fit([features(5 + 3 * torch.randn(40, VALUES))])
    clips, mean = torch.randn(4, VALUES), torch.randn(1, VALUES)
    inputs = branch.inputs(features(clips))
    none = branch(*branch.refer(inputs, mean, torch.zeros(1)))[1]
    torch.testing.assert_close(none, branch(*inputs)[1])
    many = branch(*branch.refer(inputs, mean, torch.tensor([1e9])))[0]
    torch.testing.assert_close(many, branch.embed((clips - mean) / branch.scale), atol=1e-4, rtol=1e-4)


def test_references_and_mixup_can_be_exchanged(small_encoder: str) -> None:
    """The inputs are linear in clip and reference: mixing clips mixes their references with them."""
    branch = EncoderMlp(small_encoder, 3, 0.0)
    clips, means, counts = torch.randn(2, VALUES), torch.randn(2, VALUES), torch.tensor([3.0, 0.0])
    referring = branch.refer(branch.inputs(features(clips)), means, counts)
    mixed = [0.3 * tensor[:1] + 0.7 * tensor[1:] for tensor in referring]
    rows = zip(clips, means, counts / (counts + PRIOR_CLIPS), strict=True)
    standardised = [(clip - w * mean - (1 - w) * branch.mean) / branch.scale for clip, mean, w in rows]
    torch.testing.assert_close(branch(*mixed)[0], branch.embed((0.3 * standardised[0] + 0.7 * standardised[1])[None]))


@pytest.mark.slow
def test_the_exported_graph_gives_the_same_probabilities(recipe: Recipe) -> None:
    from overtone.training.onnx_export import _graph

    network = build(recipe, 3).eval()
    session = onnxruntime.InferenceSession(_graph(network).SerializeToString(), providers=["CPUExecutionProvider"])
    for duration_s in (0.3, 0.5, 0.9):
        waveform = synthetic_audio.speech_like(np.random.default_rng(1), duration_s)[None]
        with torch.inference_mode():
            expected = network(torch.from_numpy(waveform))[0].numpy()
        (found,) = session.run(["probabilities"], {"waveform": waveform})
        np.testing.assert_allclose(found, expected, atol=1e-5)
