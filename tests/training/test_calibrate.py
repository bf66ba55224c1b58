"""Calibration: validation clips give a weighted fusion its weights, and each part its temperature."""

from pathlib import Path

import torch
from tiny_training import SPLIT, fit, recipe, targets, tiny_store

from overtone.models.ensemble import Ensemble
from overtone.models.fusion import WeightedFusion
from overtone.training.calibrate import calibrate
from overtone.training.loop import predict_logits


def test_weights_and_temperatures_are_those_of_the_whole_ensemble(one_thread: None, tmp_path: Path) -> None:
    settings = recipe("base", fusion="weighted", epochs=1, wave_variants=0)
    networks = [fit(tmp_path / str(seed), settings, seed)[0] for seed in (0, 1)]
    ensemble = Ensemble(networks)
    with torch.no_grad():
        for classifier in networks[0].branch("mel").classifier:  # a branch that knows nothing
            for parameter in classifier.parameters():
                parameter.zero_()
        networks[1].branch("mel").load_state_dict(networks[0].branch("mel").state_dict())
    splits = dict.fromkeys(ensemble.parts, SPLIT)
    calibrate(ensemble, tiny_store(), targets(), [(network, splits) for network in networks])
    fusions = [network.fusion for network in networks]
    assert all(isinstance(fusion, WeightedFusion) for fusion in fusions)
    assert torch.equal(fusions[0].weights, fusions[1].weights)
    assert fusions[0].weights[1] > 0, "of the prosody branch"
    assert not torch.equal(fusions[0].weights, torch.full((2,), 0.5))
    assert torch.isfinite(ensemble.temperature).all() and (ensemble.temperature > 0).all()
    logits = predict_logits(ensemble, tiny_store(), SPLIT.validation)
    assert logits["fusion"].shape == (len(SPLIT.validation), 2)
