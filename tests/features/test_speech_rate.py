"""Speech rate and pause ratio on audio with known syllables and pauses, and on real speech."""

from pathlib import Path

import numpy as np
import pytest
import synthetic_audio
import torch

from overtone.features.front_end import FrontEnd
from overtone.features.speech_rate import syllable_nuclei


def rate_and_pauses(samples: np.ndarray) -> tuple[float, float]:
    with torch.inference_mode():
        features = FrontEnd()(torch.from_numpy(samples)[None])
    return features.speech_rate_hz.item(), features.pause_ratio.item()


@pytest.mark.parametrize("pitch_hz", [110, 220])
@pytest.mark.parametrize("rate_hz", [2, 3, 4, 5, 6, 7])
def test_syllables_are_counted(rate_hz: float, pitch_hz: float) -> None:
    samples = np.concatenate(
        [synthetic_audio.silence(0.3), synthetic_audio.syllables(rate_hz, 12, pitch_hz), synthetic_audio.silence(0.3)]
    )
    with torch.inference_mode():
        features = FrontEnd()(torch.from_numpy(samples)[None])
        assert syllable_nuclei(features.loudness_db, features.pitch_hz).sum() == 12
    assert rate_and_pauses(samples)[0] == pytest.approx(rate_hz, rel=0.03)


def test_a_noise_burst_is_not_a_syllable(rng: np.random.Generator) -> None:
    hiss = 0.1 * rng.standard_normal(1600).astype(np.float32)
    speech = synthetic_audio.syllables(4, 4)
    assert rate_and_pauses(np.concatenate([speech, hiss, speech]))[0] == pytest.approx(8 / 2.1, rel=0.05)


@pytest.mark.parametrize("pause_s", [0.0, 0.2, 0.5, 1.0, 2.0])
def test_pauses_are_measured(pause_s: float) -> None:
    """The 64 ms window extends each voice into the pause by about 25 ms."""
    samples = np.concatenate(
        [synthetic_audio.voice(150, 1), synthetic_audio.silence(pause_s), synthetic_audio.voice(150, 1)]
    )
    assert rate_and_pauses(samples)[1] == pytest.approx(pause_s / (2 + pause_s), abs=0.03)


def test_silence_around_the_speech_is_not_a_pause() -> None:
    speech = np.concatenate(
        [synthetic_audio.syllables(4, 6), synthetic_audio.silence(0.4), synthetic_audio.syllables(5, 6)]
    )
    alone = rate_and_pauses(np.concatenate([synthetic_audio.silence(0.512), speech, synthetic_audio.silence(0.512)]))
    for before_s, after_s in ((0.512, 3.0), (1.024, 0.512), (4.096, 2.0)):
        padded = np.concatenate([synthetic_audio.silence(before_s), speech, synthetic_audio.silence(after_s)])
        assert rate_and_pauses(padded) == pytest.approx(alone, abs=1e-5)


def test_silence_has_no_rate_and_no_pauses() -> None:
    assert rate_and_pauses(synthetic_audio.silence(1)) == (0, 0)


def test_actors_speak_at_a_human_rate(ravdess_folder: Path) -> None:
    results = np.array(
        [rate_and_pauses(samples) for samples in synthetic_audio.random_clips(ravdess_folder, 40, seed=5)]
    )
    rates_hz, pauses = results.T
    assert np.mean((rates_hz >= 2) & (rates_hz <= 8)) >= 0.9
    # Both sentences have seven syllables.
    assert 3.5 < np.median(rates_hz) < 6
    assert ((pauses >= 0) & (pauses < 0.6)).all()


def test_other_languages_are_spoken_at_a_human_rate(data_folder: Path) -> None:
    for corpus in ("emodb", "emovo", "nemo", "ased"):
        if (data_folder / corpus).is_dir():
            clips = synthetic_audio.random_clips(data_folder / corpus, 10, seed=2)
            assert np.mean([2 <= rate_and_pauses(samples)[0] <= 8 for samples in clips]) >= 0.9
