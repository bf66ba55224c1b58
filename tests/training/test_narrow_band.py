"""Training on sound at 8 kHz: the bands above 4 kHz are empty, and the same in all clips."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import tiny_training
import torch

from overtone.audio.decode import from_array
from overtone.datatypes import Waveform
from overtone.models import build
from overtone.recipe import Recipe
from overtone.training import loop


def at_8_khz(waveform: Waveform) -> Waveform:
    """Return a clip as a file of 8 kHz with a low level is read."""
    return from_array(waveform.samples[::2] / 100, 8000, source=waveform.source)


def recipes() -> list[Recipe]:
    """Return recipes with all networks that standardise bands: the default one, the paper's and that of `lite`."""
    lite = dataclasses.replace(tiny_training.recipe("lite"), teacher="", distil=0.0, reference_sets=0.0)
    return [tiny_training.recipe("base"), tiny_training.recipe("paper"), lite]


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.name)
def test_all_losses_and_predictions_are_finite(recipe: Recipe, tmp_path: Path) -> None:
    recipe = dataclasses.replace(recipe, wave_variants=0)
    clips = [at_8_khz(tiny_training.waveform(index)) for index in range(tiny_training.CLIPS)]
    store = tiny_training.make_store(clips)
    assert np.ptp(store.versions[0]["log_mel"][:, -1]) == 0, "the highest band is empty"
    torch.manual_seed(0)
    network = build(recipe, len(tiny_training.EMOTIONS))
    parts = dict.fromkeys(recipe.parts, tiny_training.SPLIT)
    path = tmp_path / "checkpoint.safetensors"
    history = loop.fit(network, store, tiny_training.targets(), parts, recipe, seed=0, path=path)
    assert all(math.isfinite(row["train_loss"]) and math.isfinite(row["val_loss"]) for row in history)
    logits = loop.predict_logits(network, store, range(tiny_training.CLIPS))
    assert all(torch.isfinite(values).all() for values in logits.values())
    wide = tiny_training.tiny_store()  # 16 kHz, whose upper bands the network has never met
    logits = loop.predict_logits(network, wide, range(tiny_training.CLIPS))
    assert all(torch.isfinite(values).all() for values in logits.values())
