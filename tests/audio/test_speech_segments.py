from pathlib import Path

import noises
import numpy as np
import pytest
from sounds import RATE_HZ, silence, some_clips

from overtone.audio.decode import read
from overtone.audio.vad import SpeechDetector, runs, speech_steps
from overtone.audio.windows import STEP_SAMPLES, count_steps

SPEECH = Path(__file__).resolve().parent.parent.parent / "examples" / "speech"
CORPORA = ("ravdess", "emodb", "emovo", "nemo", "ased")


def probabilities(sound: np.ndarray) -> np.ndarray:
    detector = SpeechDetector()
    return np.concatenate([detector.push(sound), detector.close()])


def spoken(sound: np.ndarray) -> np.ndarray:
    return speech_steps(probabilities(sound), count_steps(len(sound)))


def loud_steps(clip: np.ndarray) -> np.ndarray:
    """Steps of a clean clip that are at most 25 dB below its loudest: where an actor speaks."""
    levels = np.array([clip[i : i + STEP_SAMPLES].std() for i in range(0, len(clip), STEP_SAMPLES)])
    return levels > levels.max() * 10 ** (-25 / 20)


def joined(clips: list[np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Clips with 1 to 3 s of silence before each, and what is known of each step: 1 spoken, 0 silence, -1 neither."""
    sounds, truth = [], []
    for clip in clips:
        gap_steps = int(rng.integers(10, 30))
        known = np.where(loud_steps(clip), 1, -1)
        sounds += [silence(gap_steps / 10), np.pad(clip, (0, -len(clip) % STEP_SAMPLES))]
        truth += [np.r_[[-1] * 3, [0] * (gap_steps - 6), [-1] * 3], known]
    return np.concatenate(sounds), np.concatenate(truth)


@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.parametrize(("snr_db", "kept"), [(None, 0.95), (15, 0.9)])
def test_speech_is_kept_and_pauses_are_found(
    data_folder: Path, corpus: str, snr_db: float | None, kept: float, rng: np.random.Generator
) -> None:
    clips = [noises.at_level(clip, -25) for clip in some_clips(data_folder / corpus, 24, seed=8)]
    sound, truth = joined(clips, rng)
    if snr_db is not None:
        sound = sound + noises.at_level(noises.noise("pink", len(sound) / RATE_HZ, rng), -25 - snr_db)
    found = spoken(sound)
    assert found[truth == 1].mean() > kept
    assert found[truth == 0].mean() < 0.01


@pytest.mark.parametrize("level_db", [-60, -40, -25])
@pytest.mark.parametrize("colour", noises.COLOURS)
def test_noise_is_no_speech(colour: str, level_db: float, rng: np.random.Generator) -> None:
    assert not spoken(noises.at_level(noises.noise(colour, 20, rng), level_db)).any()


@pytest.mark.parametrize("mains_hz", [50, 60])
def test_hum_is_no_speech(mains_hz: float, rng: np.random.Generator) -> None:
    assert not spoken(noises.at_level(noises.hum(mains_hz, 20, rng), -30)).any()


@pytest.mark.parametrize("kind", noises.MUSIC)
def test_music_is_no_speech(kind: str, rng: np.random.Generator) -> None:
    found = [spoken(noises.at_level(noises.music(kind, 20, rng), -20)) for _ in range(4)]
    assert np.concatenate(found).mean() < 0.02


def test_silence_is_no_speech() -> None:
    assert not spoken(silence(3)).any()
    assert not spoken(np.full(3 * RATE_HZ, 0.3, np.float32)).any()  # a constant offset


def test_made_speech_between_silences_is_found() -> None:
    clip = read(SPEECH / "level.flac").samples
    clip = clip[: len(clip) // STEP_SAMPLES * STEP_SAMPLES]
    found = spoken(np.concatenate([silence(10), clip, silence(10)]))
    inside = slice(100, 100 + len(clip) // STEP_SAMPLES)
    assert found[inside].mean() > 0.7
    assert found.sum() - found[inside].sum() <= 2


def test_clicks_and_short_pauses_do_not_cut_speech() -> None:
    heard = np.zeros(300)
    heard[50:100] = 0.9
    heard[107:150] = 0.4  # after a pause of 0.22 s; too low to begin, were it not for
    heard[110:112] = 0.6  # this
    heard[200:202] = 0.9  # 64 ms
    assert runs(speech_steps(heard, 96)) == [(15, 49)]
    assert speech_steps(heard[45:150], 34).all()
    assert not speech_steps(np.zeros(9), 3).any()
    assert runs(np.zeros(4, bool)) == [] and runs(np.ones(4, bool)) == [(0, 4)]
    assert speech_steps(np.zeros(0), 0).shape == (0,)
