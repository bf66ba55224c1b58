"""The MLP on statistics of prosody and spectrum: what it measures, and what it does not depend on."""

import numpy as np
import pytest
import synthetic_audio
import torch
from tiny_training import make_store

from overtone.datatypes import Waveform
from overtone.features.front_end import Features, FrontEnd
from overtone.features.mel import BANDS
from overtone.models.prosody_cnn import SUMMARIES
from overtone.models.prosody_mlp import LAG_FRAMES, ProsodyMlp
from overtone.training.batches import collate

RATE_HZ = 16_000


def speech(duration_s: float = 1.0, seed: int = 0) -> np.ndarray:
    return synthetic_audio.speech_like(np.random.default_rng(seed), duration_s)


def statistics(samples: np.ndarray) -> torch.Tensor:
    """Return the statistics of one clip, `(values,)`."""
    with torch.inference_mode():
        return ProsodyMlp(4, 0.0).statistics(FrontEnd()(torch.from_numpy(samples.astype(np.float32))[None]))[0]


def test_statistics_of_the_bands_are_those_of_numpy() -> None:
    features = FrontEnd()(torch.from_numpy(speech())[None])
    whole = features._replace(loudness_db=torch.zeros_like(features.loudness_db))  # every frame counts as speech
    found = ProsodyMlp(4, 0.0).statistics(whole)[0, SUMMARIES:].reshape(3, BANDS)
    bands = features.log_mel[0].double().numpy()
    changes = bands[LAG_FRAMES:] - bands[:-LAG_FRAMES]
    np.testing.assert_allclose(found, [bands.mean(0), bands.std(0), changes.std(0)], atol=2e-3)


def test_silence_around_the_speech_changes_nothing() -> None:
    samples = speech()
    hops = np.zeros(256 * 40, np.float32)
    torch.testing.assert_close(statistics(np.concatenate([hops, samples, hops])), statistics(samples), atol=0.3, rtol=0)


def test_a_clip_has_the_same_statistics_alone_and_in_a_batch() -> None:
    store = make_store([Waveform(speech(0.6)), Waveform(speech(1.2, seed=1))])
    branch = ProsodyMlp(4, 0.0)

    def of(*clips: int) -> torch.Tensor:
        return branch.statistics(collate([store.clip(index) for index in clips]))

    torch.testing.assert_close(of(0, 1), torch.cat([of(0), of(1)]), atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("samples", [np.zeros(4096), np.full(4096, 0.1), speech(0.1)], ids=["silence", "dc", "short"])
def test_any_clip_has_finite_statistics(samples: np.ndarray) -> None:
    assert torch.isfinite(statistics(samples)).all()


def test_the_training_clips_standardise_and_references_are_subtracted() -> None:
    store = make_store([Waveform(speech(0.5, seed)) for seed in range(4)])
    batch: Features = collate([store.clip(index) for index in range(4)])
    branch = ProsodyMlp(4, 0.0)
    branch.fit([batch])
    values, weight = branch.inputs(batch)
    torch.testing.assert_close(branch.mean, values.mean(0))
    many = branch.refer((values, weight), values.mean(0, keepdim=True), torch.tensor([1e9]))
    torch.testing.assert_close(branch(*many)[1], branch(values, weight)[1], atol=1e-4, rtol=1e-4)
