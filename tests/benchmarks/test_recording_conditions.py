"""Recording conditions: each does what its description says, and is the same for every model."""

import numpy as np
import pytest
import synthetic_audio

from benchmarks.recording_conditions import CONDITIONS, apply_condition, speech_level
from benchmarks.shoebox_room import impulse_response

pytest.importorskip("av", reason="the condition 'Opus' encodes with PyAV")
RATE_HZ = synthetic_audio.RATE_HZ
SPEECH = synthetic_audio.speech_like(np.random.default_rng(1), 2.0, padding_s=0.4)
OTHERS = [synthetic_audio.voice(pitch_hz, 0.7) for pitch_hz in (90.0, 180.0, 220.0, 260.0, 300.0)]
BY_NAME = {condition.name: condition for condition in CONDITIONS}


def recorded(name: str, samples: np.ndarray = SPEECH) -> np.ndarray:
    """Return the clip in a condition."""
    return apply_condition(BY_NAME[name], samples, "clip", OTHERS)


def added_db(name: str) -> float:
    """Return the level of what a condition adds to the speech, in dB relative to it."""
    added = recorded(name) - SPEECH
    return float(20 * np.log10(np.sqrt(np.mean(added**2)) / speech_level(SPEECH)))


def noise() -> np.ndarray:
    """Return white noise, float32 `(samples,)`."""
    return (0.1 * np.random.default_rng(0).standard_normal(RATE_HZ)).astype(np.float32)


def band_db(samples: np.ndarray, low_hz: float, high_hz: float) -> float:
    """Return the power between two frequencies in dB, relative to that of `noise`."""
    hz = np.fft.rfftfreq(RATE_HZ, 1 / RATE_HZ)
    band = (hz >= low_hz) & (hz < high_hz)
    power = [np.sum(np.abs(np.fft.rfft(clip)[band]) ** 2) for clip in (samples, noise())]
    return float(10 * np.log10(power[0] / power[1]))


@pytest.mark.parametrize("name", BY_NAME)
def test_a_condition_is_the_same_for_the_same_clip(name: str) -> None:
    first, again = recorded(name), recorded(name)
    np.testing.assert_array_equal(first, again)
    assert first.dtype == np.float32 and np.isfinite(first).all() and first.any()
    expected = {"first 0.5 s": 8000, "1 s of silence around": len(SPEECH) + 2 * RATE_HZ}
    assert len(first) == expected.get(name, len(SPEECH))
    assert np.array_equal(first, SPEECH) == (name == "clean")


def test_noise_differs_between_clips() -> None:
    other = apply_condition(BY_NAME["white noise 20 dB"], SPEECH, "another clip", OTHERS)
    assert not np.array_equal(other, recorded("white noise 20 dB"))


@pytest.mark.parametrize(
    ("name", "level_db"), [("white noise 20 dB", -20), ("white noise 10 dB", -10), ("babble 10 dB", -10), ("hum", -10)]
)
def test_backgrounds_have_their_level(name: str, level_db: float) -> None:
    assert added_db(name) == pytest.approx(level_db, abs=0.1)


def test_without_other_speakers_there_is_no_babble() -> None:
    np.testing.assert_array_equal(apply_condition(BY_NAME["babble 10 dB"], SPEECH, "clip", []), SPEECH)


def test_telephone_and_8_khz_limit_the_band() -> None:
    line, low_rate = recorded("telephone", noise()), recorded("8 kHz sample rate", noise())
    assert band_db(line, 4500, 8000) < -35 and band_db(line, 0, 100) < -30 and abs(band_db(line, 800, 2500)) < 1
    assert band_db(low_rate, 4500, 8000) < -40 and abs(band_db(low_rate, 100, 3500)) < 0.5


def test_the_room_has_its_reverberation_time() -> None:
    response = impulse_response(0.8)
    energy = np.cumsum(response[::-1] ** 2)[::-1]
    decay_db = 10 * np.log10(energy / energy[0])
    found_s = 3 * (np.argmax(decay_db < -25) - np.argmax(decay_db < -5)) / RATE_HZ
    assert found_s == pytest.approx(0.8, rel=0.15)
    assert np.abs(response).argmax() == 0 and response[0] == pytest.approx(1)
    assert speech_level(recorded("reverberation 0.8 s")) == pytest.approx(speech_level(SPEECH), rel=0.05)


def test_clipping_flattens_the_peaks() -> None:
    clipped = recorded("clipping")
    assert np.abs(clipped).max() == 1
    assert 0.02 < np.mean(np.abs(clipped) == 1) < 0.6


def test_quiet_clips_are_30_db_lower() -> None:
    ratio_db = 20 * np.log10(speech_level(recorded("quiet -30 dB")) / speech_level(SPEECH))
    assert ratio_db == pytest.approx(-30, abs=0.2)


def test_the_start_is_that_of_the_speech() -> None:
    start = recorded("first 0.5 s")
    assert np.abs(start[:800]).max() > 0, "not the silence before it"


def test_opus_changes_little() -> None:
    decoded = recorded("Opus 12 kbit/s")
    assert np.corrcoef(decoded, SPEECH)[0, 1] > 0.7
