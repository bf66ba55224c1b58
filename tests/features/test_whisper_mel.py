"""The log-mel spectrogram of Whisper agrees with that of transformers."""

import numpy as np
import pytest
import synthetic_audio
import torch

from overtone.features.whisper_mel import HOP_SAMPLES, WhisperLogMel


@pytest.mark.parametrize("duration_s", [0.5, 1.237, 3.0])
def test_it_agrees_with_transformers(rng: np.random.Generator, duration_s: float) -> None:
    transformers = pytest.importorskip("transformers", reason="transformers comes with the [dev] extra")
    samples = synthetic_audio.speech_like(rng, duration_s)
    extractor = transformers.WhisperFeatureExtractor(feature_size=80)
    expected = extractor(samples, sampling_rate=16_000, padding=False, return_tensors="np").input_features[0].T
    spectrogram = WhisperLogMel()(torch.from_numpy(samples)[None])[0].numpy()
    assert spectrogram.shape == (len(samples) // HOP_SAMPLES, 80)
    np.testing.assert_allclose(spectrogram, expected[: len(spectrogram)], atol=1e-4)


def test_each_clip_is_scaled_by_its_own_maximum(rng: np.random.Generator) -> None:
    samples = torch.from_numpy(synthetic_audio.speech_like(rng, 1.0))
    batch = WhisperLogMel()(torch.stack([samples, 0.1 * samples]))
    torch.testing.assert_close(batch[:1], WhisperLogMel()(samples[None]))
    torch.testing.assert_close(batch[0].amax() - batch[1].amax(), torch.tensor(2 / 4), atol=1e-4, rtol=0)  # -20 dB
