"""Networks in a state as after training: normalisers fitted, running statistics and biases changed."""

from collections.abc import Callable

import numpy as np
import pytest
import synthetic_audio
import torch
from tiny_training import make_store

from overtone.datatypes import Waveform
from overtone.features.front_end import Features
from overtone.models import build
from overtone.models.network import Network
from overtone.recipe import read_recipe
from overtone.training.batches import collate

EMOTIONS = 8


@pytest.fixture(scope="session")
def clips() -> list[np.ndarray]:
    """Return speech-like clips of 0.7 to 2 s, float32 `(samples,)` each."""
    rng = np.random.default_rng(7)
    return [synthetic_audio.speech_like(rng, duration_s) for duration_s in (0.7, 1.1, 1.3, 1.6, 2.0)]


@pytest.fixture(scope="session")
def batch(clips: list[np.ndarray]) -> Features:
    """Return the clips as one padded batch."""
    store = make_store([Waveform(samples) for samples in clips])
    return collate([store.clip(index) for index in range(len(clips))])


@pytest.fixture(scope="session")
def single(clips: list[np.ndarray]) -> list[Features]:
    """Return each clip as a batch of one."""
    store = make_store([Waveform(samples) for samples in clips])
    return [collate([store.clip(index)]) for index in range(len(clips))]


@pytest.fixture(scope="session")
def network(batch: Features) -> Callable[[str], Network]:
    """Return a function: recipe name -> a network with the statistics of the clips, in eval mode."""

    def make(name: str) -> Network:
        torch.manual_seed(0)
        made = build(read_recipe(name), EMOTIONS)
        made.fit_normalisers({branch: [batch] for branch in made.branch_names})
        with torch.no_grad():
            for _ in range(20):
                made.train().logits(made.inputs(batch))
            for parameter_name, parameter in made.named_parameters():
                if parameter_name.endswith("bias"):
                    parameter.add_(0.1 * torch.randn_like(parameter))
        return made.eval()

    networks = {name: make(name) for name in ("base", "paper")}
    return networks.__getitem__
