"""Networks in a state as after training: normalisers fitted, running statistics and biases away from their start."""

from collections.abc import Callable

import numpy as np
import pytest
import sounds
import torch
from tiny_training import store_of

from overtone.datatypes import Waveform
from overtone.features.front_end import Features
from overtone.models import build
from overtone.models.network import Network
from overtone.recipe import read_recipe
from overtone.training.batches import collate

EMOTIONS = 8


@pytest.fixture(scope="session")
def clips() -> list[np.ndarray]:
    """Speech-like clips of 0.7 to 2 s, float32 `(samples,)` each."""
    rng = np.random.default_rng(7)
    return [sounds.speech_like(rng, duration_s) for duration_s in (0.7, 1.1, 1.3, 1.6, 2.0)]


@pytest.fixture(scope="session")
def batch(clips: list[np.ndarray]) -> Features:
    """The clips as one padded batch."""
    store = store_of([Waveform(samples) for samples in clips])
    return collate([store.clip(index) for index in range(len(clips))])


@pytest.fixture(scope="session")
def single(clips: list[np.ndarray]) -> list[Features]:
    """Each clip as a batch of its own."""
    store = store_of([Waveform(samples) for samples in clips])
    return [collate([store.clip(index)]) for index in range(len(clips))]


@pytest.fixture(scope="session")
def network(batch: Features) -> Callable[[str], Network]:
    """Recipe name -> a network that has seen the clips, in eval mode."""

    def made(name: str) -> Network:
        torch.manual_seed(0)
        found = build(read_recipe(name), EMOTIONS)
        found.fit_normalisers({"mel": [batch], "prosody": [batch]})
        with torch.no_grad():
            for _ in range(20):
                found.train().logits(found.inputs(batch))
            for name_of, parameter in found.named_parameters():
                if name_of.endswith("bias"):
                    parameter.add_(0.1 * torch.randn_like(parameter))
        return found.eval()

    networks = {name: made(name) for name in ("overtone", "paper")}
    return networks.__getitem__
