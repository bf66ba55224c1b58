"""Backgrounds of speech: their level, their spectrum, and what silence and missing voices give."""

import numpy as np
import pytest
import synthetic_audio

from overtone.features.background_noise import add_babble, add_hum, add_noise, speech_power, speech_span

SPEECH = np.concatenate(
    [synthetic_audio.silence(0.5), synthetic_audio.syllables(4, 8), synthetic_audio.silence(0.5)]
)  # 0.5 s of silence on either side of 2 s of speech


def snr_db(changed: np.ndarray, speech: np.ndarray = SPEECH) -> float:
    """Return the ratio of the power of the speech to that of what was added, in dB."""
    return float(10 * np.log10(speech_power(speech) / np.mean((changed - speech) ** 2)))


def band_power(samples: np.ndarray, low_hz: float, high_hz: float) -> float:
    """Return the power of a clip between two frequencies."""
    hz = np.fft.rfftfreq(len(samples), 1 / synthetic_audio.RATE_HZ)
    power = np.abs(np.fft.rfft(samples)) ** 2
    return float(power[(hz >= low_hz) & (hz < high_hz)].sum())


def test_silence_around_the_speech_is_not_part_of_its_span() -> None:
    span = speech_span(SPEECH)
    assert 0.48 < span.start / synthetic_audio.RATE_HZ < 0.6
    assert 2.4 < span.stop / synthetic_audio.RATE_HZ < 2.52
    assert speech_span(synthetic_audio.silence(0.1)) == slice(0, 1600)


def test_silence_around_the_speech_does_not_lower_its_power() -> None:
    assert speech_power(SPEECH) == pytest.approx(speech_power(SPEECH[8000:-8000]), rel=0.02)
    assert speech_power(synthetic_audio.silence(0.1)) == 0


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_noise_has_the_requested_level_and_colour(slope: float) -> None:
    noisy = add_noise(SPEECH, np.random.default_rng(1), snr_db=10, slope=slope)
    assert noisy.dtype == np.float32 and noisy.shape == SPEECH.shape
    assert snr_db(noisy) == pytest.approx(10, abs=0.01)
    # An octave is twice as wide and has 2 ** -slope of the power per Hz.
    octaves = [band_power(noisy - SPEECH, low_hz, 2 * low_hz) for low_hz in (500, 1000, 2000)]
    ratios = np.array(octaves[1:]) / octaves[:-1]
    np.testing.assert_allclose(ratios, 2 ** (1 - slope), rtol=0.25)


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
def test_hum_is_the_mains_and_its_harmonics(mains_hz: float) -> None:
    humming = add_hum(SPEECH, np.random.default_rng(2), snr_db=5, mains_hz=mains_hz)
    hum = humming - SPEECH
    assert humming.dtype == np.float32
    assert snr_db(humming) == pytest.approx(5, abs=0.01)
    harmonics = sum(band_power(hum, n * mains_hz - 2, n * mains_hz + 2) for n in range(1, 9))
    assert harmonics > 0.95 * band_power(hum, 0, 8000)


def test_babble_consists_of_the_other_voices(rng: np.random.Generator) -> None:
    others = [synthetic_audio.voice(pitch_hz, 1.0) for pitch_hz in (200.0, 210.0)]
    with_babble = add_babble(SPEECH, others, rng, snr_db=15)
    babble = with_babble - SPEECH
    assert with_babble.dtype == np.float32 and with_babble.shape == SPEECH.shape
    assert snr_db(with_babble) == pytest.approx(15, abs=0.05)
    assert band_power(babble, 150, 270) > 0.4 * band_power(babble, 0, 8000), "first harmonics, at speeds up to 1.25"
    assert np.abs(babble[:8000]).max() > 0, "shorter voices are repeated"


def test_without_voices_there_is_no_babble(rng: np.random.Generator) -> None:
    np.testing.assert_array_equal(add_babble(SPEECH, [], rng, snr_db=5), SPEECH)
    np.testing.assert_array_equal(add_babble(SPEECH, [synthetic_audio.silence(1)], rng, snr_db=5), SPEECH)


def test_silence_stays_silence(rng: np.random.Generator) -> None:
    silence = synthetic_audio.silence(0.5)
    assert not add_noise(silence, rng, snr_db=5, slope=1).any()
    assert not add_hum(silence, rng, snr_db=5, mains_hz=50).any()
    assert not add_babble(silence, [SPEECH], rng, snr_db=5).any()
