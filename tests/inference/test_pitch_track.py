"""The pitch contour compared with Praat on real speech, and on synthetic audio with known pitch."""

from pathlib import Path

import numpy as np
import pytest
import synthetic_audio

from overtone.inference import pitch_track
from overtone.inference.pitch_track import HIGH_HZ, HOP_SAMPLES, LOW_HZ, track_pitch

RATE_HZ = synthetic_audio.RATE_HZ
INNER = slice(3, -3)  # frames that are not at the start or end of the sound
# Within the range of 65 to 600 Hz.
PITCHES_HZ = [70, 85, 100, 130, 170, 220, 285, 370, 480, 580]


def contour(samples: np.ndarray) -> np.ndarray:
    """Return the pitch of the frames of a clip in Hz, `(frames,)`."""
    return track_pitch(samples, max(1, len(samples) // HOP_SAMPLES))


def praat_pitch(samples: np.ndarray, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Return Praat's pitch at our frames, 0 where unvoiced, and where it is defined, each `(frames,)`."""
    parselmouth = pytest.importorskip("parselmouth")
    sound = parselmouth.Sound(samples.astype(float), RATE_HZ)
    track = sound.to_pitch_ac(time_step=synthetic_audio.HOP_S, pitch_floor=LOW_HZ, pitch_ceiling=HIGH_HZ)
    times_s = np.arange(frames) * synthetic_audio.HOP_S
    values_hz = np.nan_to_num([track.get_value_at_time(time_s) for time_s in times_s])
    return values_hz, (times_s >= track.xs()[0]) & (times_s <= track.xs()[-1])


@pytest.mark.parametrize("corpus", ["ravdess", "emodb", "emovo", "nemo", "ased"])
def test_it_agrees_with_praat(data_folder: Path, corpus: str) -> None:
    if not (data_folder / corpus).is_dir():
        pytest.skip(f"no {corpus} in {data_folder}")
    ours, praat = [], []
    for samples in synthetic_audio.random_clips(data_folder / corpus, 12, seed=3):
        track_hz = contour(samples)
        expected_hz, is_defined = praat_pitch(samples, len(track_hz))
        ours.append(track_hz[is_defined])
        praat.append(expected_hz[is_defined])
    track_hz, expected_hz = np.concatenate(ours), np.concatenate(praat)
    both = (track_hz > 0) & (expected_hz > 0)
    assert both.sum() > 500
    assert (np.abs(track_hz[both] / expected_hz[both] - 1) > 0.2).mean() < 0.02
    assert ((track_hz > 0) == (expected_hz > 0)).mean() > 0.92
    high, expected_high = ((values_hz[values_hz > 0] > 450).mean() for values_hz in (track_hz, expected_hz))
    assert high == pytest.approx(expected_high, abs=0.02)


@pytest.mark.parametrize("level", [0.003, 0.9])
@pytest.mark.parametrize("pitch_hz", PITCHES_HZ)
def test_steady_sound_has_its_pitch(pitch_hz: float, level: float) -> None:
    tone = level * np.sin(2 * np.pi * pitch_hz * synthetic_audio.sample_times_s(0.5)).astype(np.float32)
    for samples in (tone, synthetic_audio.voice(pitch_hz, 0.5, level), synthetic_audio.voice(pitch_hz, 0.5, level, 0)):
        assert np.abs(contour(samples)[INNER] / pitch_hz - 1).max() < 0.01


def weak_odd_harmonics(pitch_hz: float) -> np.ndarray:
    """Return a voice whose odd harmonics are weak for 80 ms, so that an octave higher seems likely for a while."""
    times_s = synthetic_audio.sample_times_s(0.6)
    weak = (times_s > 0.26) & (times_s < 0.34)
    waves = [
        np.cos(2 * np.pi * number * pitch_hz * times_s) / number * (np.where(weak, 0.02, 1) if number % 2 else 1)
        for number in range(1, 12)
    ]
    return (0.1 * np.sum(waves, axis=0)).astype(np.float32)


def test_the_contour_does_not_jump_by_an_octave(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = weak_odd_harmonics(150)
    assert np.abs(contour(samples)[INNER] / 150 - 1).max() < 0.01
    monkeypatch.setattr(pitch_track, "OCTAVE_JUMP_COST", 0)
    assert contour(samples)[INNER].max() > 290, "the sound is no test of the path"


def test_two_speakers_in_a_row_have_their_own_pitch() -> None:
    low, high = synthetic_audio.voice(105, 0.5), synthetic_audio.voice(260, 0.5)
    joined = contour(np.concatenate([low, synthetic_audio.silence(0.2), high]))
    assert np.abs(joined[3:28] / 105 - 1).max() < 0.01
    assert (joined[34:41] == 0).all()
    assert np.abs(joined[47:71] / 260 - 1).max() < 0.01


def test_gliding_pitch_is_tracked() -> None:
    times_s = synthetic_audio.sample_times_s(2)
    true_hz = 120 * 2 ** (times_s / 2)  # an octave up
    phase = 2 * np.pi * np.cumsum(true_hz) / RATE_HZ
    track_hz = contour((0.1 * sum(np.cos(k * phase) / k for k in range(1, 12))).astype(np.float32))
    at_frames_hz = true_hz[np.arange(len(track_hz)) * HOP_SAMPLES]
    assert np.abs(track_hz[INNER] / at_frames_hz[INNER] - 1).max() < 0.015


def test_silence_noise_and_hum_below_any_voice_have_no_pitch(rng: np.random.Generator) -> None:
    assert (contour(synthetic_audio.silence(1)) == 0).all()
    assert (contour(0.1 * rng.standard_normal(10 * RATE_HZ).astype(np.float32)) > 0).mean() < 0.01
    hum = 0.3 * np.sin(2 * np.pi * 20 * synthetic_audio.sample_times_s(1))
    assert (contour((hum + 0.01 * rng.standard_normal(len(hum))).astype(np.float32)) > 0).mean() < 0.1


def test_quiet_frames_have_no_pitch() -> None:
    track_hz = contour(np.concatenate([synthetic_audio.voice(150, 0.5, 0.3), synthetic_audio.voice(150, 0.5, 0.003)]))
    assert (track_hz[3:28] > 0).all()
    assert (track_hz[35:] == 0).all()


def test_gain_and_offset_do_not_change_the_contour() -> None:
    samples = synthetic_audio.syllables(4, 4)
    expected_hz = contour(samples)
    np.testing.assert_allclose(contour(samples * np.float32(0.125)), expected_hz, rtol=1e-3)
    np.testing.assert_allclose(contour(samples + np.float32(0.2)), expected_hz, rtol=1e-3)


def test_the_size_of_blocks_does_not_change_the_contour(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = synthetic_audio.syllables(4, 8)
    expected_hz = contour(samples)
    for frames in (1, 7, 10_000):
        monkeypatch.setattr(pitch_track, "BLOCK_FRAMES", frames)
        np.testing.assert_allclose(contour(samples), expected_hz)


@pytest.mark.parametrize("samples", [1, 100, 300, 1_600])
def test_short_audio_has_as_many_frames_as_asked_for(samples: int) -> None:
    sound = synthetic_audio.voice(150, 1)[:samples]
    assert track_pitch(sound, 8).shape == (8,)
    assert (track_pitch(sound, 8)[-1:] == 0).all()
