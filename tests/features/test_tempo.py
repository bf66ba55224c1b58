"""The tempo compared with librosa and with the rate of clicks."""

import numpy as np
import pytest
import synthetic_audio
import torch

from overtone.features.mel import LogMel
from overtone.features.spectrum import SAMPLE_RATE_HZ
from overtone.features.tempo import HIGH_BPM, LOW_BPM, Tempo

MAX_ERROR = 0.02


def tempo_bpm(samples: np.ndarray) -> float:
    with torch.inference_mode():
        return Tempo()(LogMel()(torch.from_numpy(samples)[None])).item()


@pytest.mark.parametrize("bpm", [50, 60, 72, 85, 97, 110, 120, 133, 150])
def test_clicks_have_their_tempo(rng: np.random.Generator, bpm: float) -> None:
    assert tempo_bpm(synthetic_audio.clicks(bpm, 12, rng)) == pytest.approx(bpm, rel=MAX_ERROR)


@pytest.mark.slow
@pytest.mark.parametrize("bpm", [50, 77, 104, 126, 150])
def test_tempo_of_clicks_agrees_with_librosa(rng: np.random.Generator, bpm: float) -> None:
    """librosa's tempo has a resolution of whole hops: a hop of 64 samples is fine enough."""
    librosa = pytest.importorskip("librosa")
    samples = synthetic_audio.clicks(bpm, 12, rng)
    expected = librosa.feature.tempo(y=samples, sr=SAMPLE_RATE_HZ, hop_length=64)[0]
    assert tempo_bpm(samples) == pytest.approx(expected, rel=MAX_ERROR)


def test_tempo_does_not_depend_on_the_gain(rng: np.random.Generator) -> None:
    samples = synthetic_audio.clicks(100, 8, rng)
    assert tempo_bpm(samples * np.float32(0.3)) == pytest.approx(tempo_bpm(samples), rel=1e-3)


@pytest.mark.parametrize("duration_s", [0.03, 0.5, 3])
def test_any_audio_has_a_tempo_within_the_range(rng: np.random.Generator, duration_s: float) -> None:
    noise = rng.standard_normal(len(synthetic_audio.sample_times_s(duration_s))).astype(np.float32)
    for samples in (synthetic_audio.silence(duration_s), noise):
        assert LOW_BPM - 1 <= tempo_bpm(samples) <= HIGH_BPM * 1.1
