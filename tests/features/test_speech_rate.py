"""Speech rate and pause ratio on sound whose syllables and pauses are counted, and on real speech."""

from pathlib import Path

import numpy as np
import pytest
import sounds
import torch

from overtone.features.front_end import FrontEnd
from overtone.features.speech_rate import syllable_nuclei


def rate_and_pauses(samples: np.ndarray) -> tuple[float, float]:
    with torch.inference_mode():
        found = FrontEnd()(torch.from_numpy(samples)[None])
    return found.speech_rate_hz.item(), found.pause_ratio.item()


@pytest.mark.parametrize("pitch_hz", [110, 220])
@pytest.mark.parametrize("rate_hz", [2, 3, 4, 5, 6, 7])
def test_syllables_are_counted(rate_hz: float, pitch_hz: float) -> None:
    samples = np.concatenate([sounds.silence(0.3), sounds.syllables(rate_hz, 12, pitch_hz), sounds.silence(0.3)])
    with torch.inference_mode():
        found = FrontEnd()(torch.from_numpy(samples)[None])
        assert syllable_nuclei(found.loudness_db, found.pitch_hz).sum() == 12
    assert rate_and_pauses(samples)[0] == pytest.approx(rate_hz, rel=0.03)


def test_a_noise_burst_is_no_syllable(rng: np.random.Generator) -> None:
    hiss = 0.1 * rng.standard_normal(1600).astype(np.float32)
    spoken = sounds.syllables(4, 4)
    assert rate_and_pauses(np.concatenate([spoken, hiss, spoken]))[0] == pytest.approx(8 / 2.1, rel=0.05)


@pytest.mark.parametrize("pause_s", [0.0, 0.2, 0.5, 1.0, 2.0])
def test_pauses_are_measured(pause_s: float) -> None:
    """The 64 ms window lets each voice ring on into the pause by about 25 ms."""
    samples = np.concatenate([sounds.voice(150, 1), sounds.silence(pause_s), sounds.voice(150, 1)])
    assert rate_and_pauses(samples)[1] == pytest.approx(pause_s / (2 + pause_s), abs=0.03)


def test_silence_around_the_speech_is_no_pause() -> None:
    spoken = np.concatenate([sounds.syllables(4, 6), sounds.silence(0.4), sounds.syllables(5, 6)])
    alone = rate_and_pauses(np.concatenate([sounds.silence(0.512), spoken, sounds.silence(0.512)]))
    for before_s, after_s in ((0.512, 3.0), (1.024, 0.512), (4.096, 2.0)):
        padded = np.concatenate([sounds.silence(before_s), spoken, sounds.silence(after_s)])
        assert rate_and_pauses(padded) == pytest.approx(alone, abs=1e-5)


def test_silence_has_neither() -> None:
    assert rate_and_pauses(sounds.silence(1)) == (0, 0)


def test_actors_speak_at_a_human_rate(ravdess_folder: Path) -> None:
    found = np.array([rate_and_pauses(samples) for samples in sounds.some_clips(ravdess_folder, 40, seed=5)])
    rates_hz, pauses = found.T
    assert np.mean((rates_hz >= 2) & (rates_hz <= 8)) >= 0.9
    # Both sentences have seven syllables.
    assert 3.5 < np.median(rates_hz) < 6
    assert ((pauses >= 0) & (pauses < 0.6)).all()


def test_other_languages_are_spoken_at_a_human_rate(data_folder: Path) -> None:
    for corpus in ("emodb", "emovo", "nemo", "ased"):
        if (data_folder / corpus).is_dir():
            clips = sounds.some_clips(data_folder / corpus, 10, seed=2)
            assert np.mean([2 <= rate_and_pauses(samples)[0] <= 8 for samples in clips]) >= 0.9
