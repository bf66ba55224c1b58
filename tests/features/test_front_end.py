"""The complete front end as one layer: shapes, silence, and invariances."""

import numpy as np
import pytest
import synthetic_audio
import torch

from overtone.features.front_end import Features, FrontEnd, speech_frames
from overtone.features.mel import BANDS
from overtone.features.spectrum import HOP_SAMPLES


def features(*clips: np.ndarray) -> Features:
    with torch.inference_mode():
        return FrontEnd()(torch.from_numpy(np.stack(clips)))


@pytest.mark.parametrize("samples", [480, 8000, 48_123])
def test_shapes(rng: np.random.Generator, samples: int) -> None:
    result = features(*rng.standard_normal((3, samples)).astype(np.float32))
    frames = synthetic_audio.frame_count(samples)
    assert result.log_mel.shape == (3, frames, BANDS)
    for track in (result.pitch_hz, result.periodicity, result.loudness_db, result.inside):
        assert track.shape == (3, frames)
    for number in (result.tempo_bpm, result.speech_rate_hz, result.pause_ratio):
        assert number.shape == (3,)
    assert result.inside.all()
    assert all(torch.isfinite(values.float()).all() for values in result[:-1])


def test_nothing_is_trained() -> None:
    front_end = FrontEnd()
    assert not list(front_end.parameters())
    assert not front_end.state_dict()


def test_clips_of_a_batch_are_independent(rng: np.random.Generator) -> None:
    clips = [synthetic_audio.speech_like(rng, 1.0) for _ in range(3)]
    batch = features(*clips)
    for index, clip in enumerate(clips):
        for batched, alone in zip(batch[:-1], features(clip)[:-1], strict=True):
            torch.testing.assert_close(batched[index], alone[0], rtol=1e-4, atol=1e-4)


def test_whole_hops_of_leading_silence_shift_the_tracks(rng: np.random.Generator) -> None:
    clip, hops = synthetic_audio.speech_like(rng, 1.0), 20
    clip -= clip.mean()  # as the front end does: the longer clip has another mean
    original, moved = features(clip), features(np.pad(clip, (hops * HOP_SAMPLES, 0)))
    for name in ("log_mel", "pitch_hz", "loudness_db"):
        torch.testing.assert_close(getattr(moved, name)[:, hops:], getattr(original, name), rtol=1e-4, atol=1e-4)
    for name in ("speech_rate_hz", "pause_ratio"):
        torch.testing.assert_close(getattr(moved, name), getattr(original, name))


@pytest.mark.parametrize("offset", [-0.3, 0.002, 0.02])
def test_a_constant_offset_does_not_change_the_features(rng: np.random.Generator, offset: float) -> None:
    clip = synthetic_audio.speech_like(rng, 1.5) + 1e-3 * rng.standard_normal(24_000).astype(np.float32)
    original, shifted = features(clip), features(clip + np.float32(offset))
    for name in ("log_mel", "loudness_db", "tempo_bpm", "speech_rate_hz", "pause_ratio"):
        torch.testing.assert_close(getattr(shifted, name), getattr(original, name), rtol=1e-3, atol=1e-2)
    assert ((shifted.pitch_hz - original.pitch_hz).abs() < 0.1).float().mean() > 0.98
    silent = features(np.full(16_000, offset, np.float32))
    assert silent.loudness_db.max() < -80 and not silent.pitch_hz.any() and not silent.speech_rate_hz.any()


def test_speech_frames_are_the_speech_and_a_margin() -> None:
    clip = np.concatenate(
        [synthetic_audio.silence(1.024), synthetic_audio.voice(150, 0.512), synthetic_audio.silence(1.024)]
    )
    result = features(clip)
    tight, wide = (speech_frames(result, margin)[0].nonzero()[:, 0] for margin in (0, 8))
    assert (tight[0], tight[-1]) == pytest.approx((64, 96), abs=2)
    assert (wide[0], wide[-1]) == (tight[0] - 8, tight[-1] + 8)
    assert len(wide) == wide[-1] - wide[0] + 1


def test_padding_frames_are_never_speech(rng: np.random.Generator) -> None:
    result = features(synthetic_audio.speech_like(rng, 1.0, padding_s=0.0))
    inside = result.inside.clone()
    inside[:, 30:] = False
    is_speech = speech_frames(result._replace(inside=inside), 8)
    assert is_speech[:, :30].any() and not is_speech[:, 30:].any()


def test_moving_to_another_device_keeps_all_features(rng: np.random.Generator) -> None:
    result = features(synthetic_audio.speech_like(rng, 0.5))
    moved = result.to("cpu")
    assert isinstance(moved, Features)
    assert all(torch.equal(a, b) for a, b in zip(result[:-1], moved[:-1], strict=True))
