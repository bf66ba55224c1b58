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
from overtone.models.encoder_mlp import EMBEDDING, EncoderMlp
from overtone.models.encoder_statistics import FEATURE
from overtone.recipe import Recipe, read_recipe
from overtone.training.batches import collate


@pytest.fixture
def recipe(small_encoder: str) -> Recipe:
    """Return a recipe with the encoder branch alone."""
    return dataclasses.replace(read_recipe("base"), branches={"encoder": small_encoder}, phases=())


def features(values: torch.Tensor) -> Features:
    """Return features of clips with these statistics `(batch, values)`, and silence otherwise."""
    store = make_store([Waveform(synthetic_audio.speech_like(np.random.default_rng(0), 0.5))] * len(values))
    batch = collate([store.clip(index) for index in range(len(values))])
    return batch._replace(extra={FEATURE: values[:, None]})


def test_inputs_are_standardised_by_the_training_clips(small_encoder: str) -> None:
    branch = EncoderMlp(small_encoder, 3, 0.1)
    values = 5 + 3 * torch.randn(40, 2 * WIDTH)
    branch.fit([features(values[:25]), features(values[25:])])
    (standardised,) = branch.inputs(features(values))
    torch.testing.assert_close(standardised.mean(0), torch.zeros(2 * WIDTH), atol=1e-5, rtol=0)
    torch.testing.assert_close(standardised.std(0), torch.ones(2 * WIDTH))
    embedding, logits = branch.eval()(standardised)
    assert embedding.shape == (40, EMBEDDING) and logits.shape == (40, 3)


def test_a_statistic_that_is_constant_stays_finite(small_encoder: str) -> None:
    branch = EncoderMlp(small_encoder, 3, 0.1)
    branch.fit([features(torch.ones(8, 2 * WIDTH))])
    assert torch.isfinite(branch.inputs(features(torch.ones(8, 2 * WIDTH)))[0]).all()


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
