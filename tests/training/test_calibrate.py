"""Calibration: validation clips give a weighted fusion its weights, and each part its temperature."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_training import CLIPS, SPLIT, fit, recipe, targets, tiny_store

from overtone.datatypes import Utterance
from overtone.evaluation.calibration import PRECISION_OF_CERTAIN, UNCERTAIN_BELOW, fit_temperature, fit_threshold
from overtone.models.ensemble import Ensemble
from overtone.models.fusion import WeightedFusion
from overtone.training.calibrate import calibrate, confidence_threshold
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


def test_the_fusion_of_calibrated_networks_is_that_of_their_weights(one_thread: None, tmp_path: Path) -> None:
    """The logits with the fitted weights are derived from those of the branches, not predicted once more."""
    network, _ = fit(tmp_path / "checkpoint", recipe("base", fusion="weighted", epochs=1, wave_variants=0), 0)
    calibrate(network, tiny_store(), targets(), [(network, dict.fromkeys(network.parts, SPLIT))])
    logits = predict_logits(network, tiny_store(), SPLIT.validation)
    truth = targets().truth[list(SPLIT.validation)].numpy()
    expected = fit_temperature(logits["fusion"].log_softmax(-1).double().numpy(), truth)
    assert float(network.temperature[network.parts.index("fusion")]) == pytest.approx(expected, rel=1e-5)


def test_the_threshold_is_fitted_on_left_out_corpora_alone(one_thread: None, tmp_path: Path) -> None:
    network, _ = fit(tmp_path / "checkpoint", recipe("base", epochs=1, wave_variants=0), 0)
    trained_on = [(network, dict.fromkeys(network.parts, SPLIT))]

    def threshold(validation_corpus: str) -> float:
        corpora = ["emodb" if index in SPLIT.train else validation_corpus for index in range(CLIPS)]
        utterances = [Utterance(Path("clip.wav"), "sad", corpus=corpus) for corpus in corpora]
        return confidence_threshold(network, tiny_store(), utterances, targets(), trained_on)

    assert threshold("emodb") == UNCERTAIN_BELOW, "known corpora tell nothing about others"
    logits = predict_logits(network, tiny_store(), SPLIT.validation)["fusion"]
    confidence, predicted = logits.softmax(-1).max(-1)
    correct = (predicted == targets().truth[list(SPLIT.validation)]).numpy()
    corpus = np.array(["emovo"] * len(correct))
    assert threshold("emovo") == fit_threshold(confidence.numpy(), correct, corpus, PRECISION_OF_CERTAIN)
