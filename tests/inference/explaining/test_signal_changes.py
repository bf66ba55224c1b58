"""The changes of a clip: each changes what it is for, and nothing else; the pitch is measured by Praat."""

from collections.abc import Callable

import numpy as np
import parselmouth
import pytest
from synthetic_audio import RATE_HZ, syllables, voice

from overtone.inference.explaining import loudness_changes, pitch_changes, replacement, stretching
from overtone.inference.explaining.average_speech import average_speech
from overtone.inference.explaining.band_changes import BAND_EDGES_HZ, BANDS, BandReplacement, measure_levels_db
from overtone.inference.explaining.stft import istft, stft
from overtone.inference.explaining.time_spans import SpanReplacement, cell_edges, share_among_cells, window_masks
from overtone.inference.explaining.voice_quality_changes import BANDS_HZ, equalise, measure_spectrum_db, tilt

HOP_SAMPLES = 256
PITCH_CHANGES = (pitch_changes.move_periods, pitch_changes.warp_pitch)
STRETCHES = (stretching.overlap_stretch, stretching.vocoder_stretch)


def glide(low_hz: float = 120.0, high_hz: float = 240.0, duration_s: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Return a voice whose pitch rises, with pauses before and after it, and its contour."""
    hz = np.geomspace(low_hz, high_hz, round(duration_s * RATE_HZ))
    phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
    waves = sum(np.cos(number * phase) / number for number in range(1, 16))
    pause = np.zeros(RATE_HZ // 5)
    samples = np.concatenate([pause, 0.1 * waves, pause]).astype(np.float32)
    samples += (1e-4 * np.random.default_rng(0).standard_normal(len(samples))).astype(np.float32)
    frames = np.arange(len(samples) // HOP_SAMPLES + 1) * HOP_SAMPLES - len(pause)
    inside = (frames >= 0) & (frames < len(hz))
    return samples, np.where(inside, hz[np.clip(frames, 0, len(hz) - 1)], 0.0)


def praat_pitch_hz(samples: np.ndarray) -> np.ndarray:
    """Return the pitch of the voiced frames, without the first and the last ones."""
    pitch = parselmouth.Sound(samples.astype(float), RATE_HZ).to_pitch_ac(pitch_floor=75, pitch_ceiling=600)
    hz = pitch.selected_array["frequency"]
    return hz[hz > 0][5:-5]


def test_the_inverse_transform_is_exact() -> None:
    for length in (1, 511, 12_345):
        samples = np.random.default_rng(length).standard_normal(length).astype(np.float32)
        np.testing.assert_allclose(istft(stft(samples), length), samples, atol=1e-5)


@pytest.mark.parametrize("change", PITCH_CHANGES)
def test_the_pitch_becomes_flat_and_rises_again(change: Callable[..., np.ndarray]) -> None:
    samples, contour_hz = glide()
    before_hz = praat_pitch_hz(samples)
    assert np.ptp(before_hz) > 80
    flat_hz = pitch_changes.flat_contour(contour_hz)
    flat = change(samples, contour_hz, flat_hz, HOP_SAMPLES)
    assert len(flat) == len(samples)
    after_hz = praat_pitch_hz(flat)
    assert len(after_hz) > 0.8 * len(before_hz), "it is still voiced"
    assert np.median(after_hz) == pytest.approx(np.median(contour_hz[contour_hz > 0]), rel=0.02)
    assert np.percentile(after_hz, 90) / np.percentile(after_hz, 10) < 1.08
    back_hz = praat_pitch_hz(change(flat, flat_hz, contour_hz, HOP_SAMPLES))
    assert np.percentile(back_hz, [10, 90]) == pytest.approx(np.percentile(before_hz, [10, 90]), rel=0.08)


@pytest.mark.parametrize("change", PITCH_CHANGES)
def test_without_a_voice_nothing_changes_in_pitch(change: Callable[..., np.ndarray]) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, 8_000).astype(np.float32)
    unvoiced = np.zeros(len(noise) // HOP_SAMPLES + 1)
    single = unvoiced.copy()
    single[[0, 10, -1]] = 150  # parts of one frame have no two periods
    for contour_hz in (unvoiced, single):
        changed = change(noise, contour_hz, pitch_changes.flat_contour(contour_hz), HOP_SAMPLES)
        assert np.corrcoef(changed, noise)[0, 1] > 0.98


@pytest.mark.parametrize("stretch", STRETCHES)
@pytest.mark.parametrize("factor", [0.7, 1.0, 1.4])
def test_the_tempo_changes_and_the_pitch_stays(stretch: Callable[..., np.ndarray], factor: float) -> None:
    speech = syllables(4.0, 6, pitch_hz=150)
    changed = stretch(speech, factor)
    assert len(changed) == round(factor * len(speech))
    assert np.median(praat_pitch_hz(changed)) == pytest.approx(150, rel=0.02)
    level_db = loudness_changes.levels_db(changed, 0.05)
    is_loud = level_db > level_db.max() - 8
    onsets_s = np.flatnonzero(np.diff(is_loud.astype(int), prepend=0) == 1) / RATE_HZ
    # The level may cross the threshold several times in a millisecond: onsets within half a syllable are one.
    assert 1 + (np.diff(onsets_s) > factor / 8).sum() == 6, "as many syllables as before"


def test_the_loudness_becomes_level_and_pauses_stay_quiet() -> None:
    loud, soft = voice(150, 0.5, level=0.2), voice(150, 0.5, level=0.02)
    pause = np.random.default_rng(0).normal(0, 1e-5, 8_000).astype(np.float32)
    clip = np.concatenate([loud, pause, soft])
    changed = loudness_changes.flatten_loudness(clip, 0.06)
    level_db = loudness_changes.levels_db(changed, 0.06)
    assert level_db[4_000] == pytest.approx(level_db[-4_000], abs=1)
    assert level_db[12_000] < level_db[4_000] - 50
    assert (changed**2).mean() == pytest.approx((clip**2).mean(), rel=1e-3)


def test_voice_quality_becomes_average() -> None:
    average_db = average_speech().spectrum_db
    assert average_db.shape == BANDS_HZ.shape
    bright = voice(110, 1.0, fall=0.5)
    before = np.abs(measure_spectrum_db(bright) - average_db)[:15]
    after = np.abs(measure_spectrum_db(equalise(bright, average_db)) - average_db)[:15]
    assert after.mean() < 0.5 * before.mean()
    octaves = np.log2(BANDS_HZ)[:15]
    slopes = [
        np.polyfit(octaves, (measure_spectrum_db(clip) - average_db)[:15], 1)[0]
        for clip in (bright, tilt(bright, average_db))
    ]
    assert abs(slopes[1]) < abs(slopes[0])


def test_spans_are_replaced_where_they_should_be() -> None:
    samples = syllables(4.0, 8)
    spans = SpanReplacement(samples, np.random.default_rng(0))
    mask = np.zeros(len(spans.edges) - 1, bool)
    mask[3:5] = True
    first, end = spans.edges[3], spans.edges[5]
    for change in (spans.with_background, spans.with_transition):
        changed = change(mask)
        margin = replacement.RAMP_SAMPLES
        np.testing.assert_allclose(changed[: first - margin], samples[: first - margin], atol=1e-6)
        np.testing.assert_allclose(changed[end + margin :], samples[end + margin :], atol=1e-6)
        inner = slice(first + margin, end - margin)
        assert np.abs(np.corrcoef(changed[inner], samples[inner])[0, 1]) < 0.3, "nothing of it is left"
    background = spans.with_background(mask)[first + 400 : end - 400]
    assert (background**2).mean() < 0.1 * (samples[first:end] ** 2).mean(), "the background is quieter than speech"
    steps = np.abs(np.diff(spans.with_background(mask)))
    assert steps.max() <= np.abs(np.diff(samples)).max() * 1.05, "no clicks"


def test_windows_cover_all_cells_and_share_their_contribution() -> None:
    masks = window_masks(4, 2)
    assert np.sum(masks, axis=0).tolist() == [2, 2, 2, 2]
    assert share_among_cells(masks, np.array([0, 0, 2.0, 0, 0])).tolist() == [0, 0.5, 0.5, 0]
    for seconds in (0.3, 3.6, 29.0):
        edges = cell_edges(round(seconds * RATE_HZ))
        assert 4 <= len(edges) <= 31
        assert edges[-1] == round(seconds * RATE_HZ)


@pytest.mark.parametrize("method", ["removed", "filled"])
def test_a_band_is_replaced_and_the_others_stay(method: str) -> None:
    samples = syllables(4.0, 8)
    mask = np.arange(BANDS) == 3
    changed = getattr(BandReplacement(samples, np.random.default_rng(0)), method)(mask)
    frequencies_hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    low, high = BAND_EDGES_HZ[3:5]
    inside = (frequencies_hz > low + 70) & (frequencies_hz < high - 70)
    outside = (frequencies_hz < low - 70) | ((frequencies_hz > high + 70) & (frequencies_hz < 3_000))
    before, after = np.fft.rfft(samples), np.fft.rfft(changed)
    correlation = np.abs(np.vdot(before[inside], after[inside])) / (
        np.linalg.norm(before[inside]) * np.linalg.norm(after[inside])
    )
    if method == "filled":
        assert correlation < 0.3
        assert np.linalg.norm(after[inside]) == pytest.approx(np.linalg.norm(before[inside]), rel=0.5)
    else:
        assert np.linalg.norm(after[inside]) < 0.3 * np.linalg.norm(before[inside])
    assert np.linalg.norm((after - before)[outside]) < 0.05 * np.linalg.norm(before[outside])


def test_levels_are_relative_to_the_loudest() -> None:
    levels_db = measure_levels_db(syllables(4.0, 8))
    assert levels_db.shape == (120, BANDS)
    assert (levels_db.max(), levels_db.min()) == (0, -80)
    assert measure_levels_db(np.ones(100, np.float32)).shape[0] == 2
