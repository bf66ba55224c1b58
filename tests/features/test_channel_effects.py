"""Channel effects: what a room, a telephone, a codec and an overdriven microphone measurably do to speech."""

from collections.abc import Callable

import numpy as np
import pytest
import synthetic_audio

from overtone.features import channel_effects
from overtone.features.channel_effects import clip_peaks, limit_band, reverberate, telephone, tilt_spectrum

RATE_HZ = synthetic_audio.RATE_HZ


def noise(duration_s: float = 1.0) -> np.ndarray:
    """Return white noise, float32 `(samples,)`."""
    samples = len(synthetic_audio.sample_times_s(duration_s))
    return (0.1 * np.random.default_rng(0).standard_normal(samples)).astype(np.float32)


def band_db(samples: np.ndarray, low_hz: float, high_hz: float) -> float:
    """Return the mean power per frequency between two frequencies in dB, relative to that of `noise`."""
    power = []
    for clip in (samples, noise(len(samples) / RATE_HZ)):
        hz = np.fft.rfftfreq(len(clip), 1 / RATE_HZ)
        power.append(np.mean(np.abs(np.fft.rfft(clip)[(hz >= low_hz) & (hz < high_hz)]) ** 2))
    return float(10 * np.log10(power[0] / power[1]))


def in_room(samples: np.ndarray, reverberation_s: float = 0.5, direct_db: float = 0.0) -> np.ndarray:
    """Return the samples in a room, always the same one."""
    rng = np.random.default_rng(3)
    settings = {"reverberation_s": reverberation_s, "direct_db": direct_db, "delay_s": 0.01, "damping": 0.3}
    return reverberate(samples, rng, **settings)


EFFECTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "room": in_room,
    "telephone": telephone,
    "band limit": lambda samples: limit_band(samples, 9000),
    "opus": lambda samples: channel_effects.opus(samples, 0.97),
    "mp3": lambda samples: channel_effects.mp3(samples, 0.92),
    "clipping": lambda samples: clip_peaks(samples, 6),
    "tilt": lambda samples: tilt_spectrum(samples, 0.3),
}


@pytest.mark.parametrize("effect", EFFECTS.values(), ids=EFFECTS)
@pytest.mark.parametrize("samples", [1, 500, 12_345])
def test_effects_keep_the_length(effect: Callable[[np.ndarray], np.ndarray], samples: int) -> None:
    speech = synthetic_audio.syllables(4, 4)[:samples]
    changed = effect(speech)
    assert changed.shape == speech.shape and changed.dtype == np.float32
    assert np.isfinite(changed).all()
    assert not np.abs(effect(np.zeros(samples, np.float32))).max() > 1e-4


@pytest.mark.parametrize("effect", EFFECTS.values(), ids=EFFECTS)
def test_effects_keep_the_speech_in_place(effect: Callable[[np.ndarray], np.ndarray]) -> None:
    speech = np.pad(noise(), 4000)
    changed = effect(speech)
    correlation = np.fft.irfft(np.fft.rfft(changed, 2**16) * np.fft.rfft(speech, 2**16).conj())
    assert min(correlation.argmax(), 2**16 - correlation.argmax()) <= 2, "samples later or earlier"


@pytest.mark.parametrize("reverberation_s", [0.2, 0.6])
def test_a_room_has_the_requested_decay(reverberation_s: float) -> None:
    click = np.zeros(RATE_HZ, np.float32)
    click[0] = 1
    energy = np.cumsum(in_room(click, reverberation_s)[::-1].astype(np.float64) ** 2)[::-1]
    decay_db = 10 * np.log10(
        energy[200:] / energy[200]
    )  # Schroeder (1965): backward integration, after the direct sound
    found_s = 3 * (np.argmax(decay_db < -25) - np.argmax(decay_db < -5)) / RATE_HZ  # 20 dB of 60
    assert found_s == pytest.approx(reverberation_s, rel=0.15)


def test_a_room_has_the_requested_direct_sound() -> None:
    click = np.zeros(RATE_HZ, np.float32)
    click[0] = 1
    power = in_room(click, direct_db=6) ** 2
    assert 10 * np.log10(power[0] / power[1:].sum()) == pytest.approx(6, abs=0.1)
    assert power.sum() == pytest.approx(1, rel=0.01)
    assert not power[1:160].max() > 1e-6, "10 ms up to the first reflection"


def test_the_telephone_transmits_its_band_only() -> None:
    line = telephone(noise())
    assert band_db(line, 3600, 8000) < -25
    assert band_db(line, 0, 150) < -20
    assert abs(band_db(line, 600, 3000)) < 1


def test_the_telephone_quantises_relative_to_the_level() -> None:
    quiet, loud = telephone(0.001 * noise()), telephone(noise())
    np.testing.assert_allclose(1000 * quiet, loud, atol=0.02)


def test_nothing_above_half_the_sampling_rate_is_left() -> None:
    limited = limit_band(noise(), 9000)
    assert band_db(limited, 4700, 8000) < -45
    assert abs(band_db(limited, 100, 4000)) < 0.5


@pytest.mark.parametrize(("codec", "levels"), [("opus", "OPUS_LEVELS"), ("mp3", "MP3_LEVELS")])
def test_codecs_lose_more_at_a_lower_bit_rate(codec: str, levels: str) -> None:
    speech = synthetic_audio.speech_like(np.random.default_rng(1), 1.5)
    errors = []
    for level in getattr(channel_effects, levels):
        decoded = getattr(channel_effects, codec)(speech, level)
        errors.append(np.mean((decoded - speech) ** 2) / np.mean(speech**2))
    assert 1e-6 < errors[0] < errors[1] < 1.5


def test_clipping_limits_the_peaks_and_nothing_else() -> None:
    speech = noise()
    clipped = clip_peaks(speech, 6)
    limit = np.abs(speech).max() * 10 ** (-6 / 20)
    assert np.abs(clipped).max() == pytest.approx(limit)
    below = np.abs(speech) < limit
    np.testing.assert_array_equal(clipped[below], speech[below])


@pytest.mark.parametrize("tilt", [-0.3, 0.3])
def test_a_tilt_changes_the_balance_of_low_and_high_frequencies(tilt: float) -> None:
    tilted = tilt_spectrum(noise(), tilt)
    assert np.sign(band_db(tilted, 100, 1000) - band_db(tilted, 6000, 8000)) == np.sign(tilt)
