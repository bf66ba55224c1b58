"""The whole front end as one layer: its shapes, its silence, and what does not change it."""

import numpy as np
import pytest
import sounds
import torch

from overtone.features.front_end import Features, FrontEnd, speech_frames
from overtone.features.mel import BANDS
from overtone.features.spectrum import HOP_SAMPLES


def features(*clips: np.ndarray) -> Features:
    with torch.inference_mode():
        return FrontEnd()(torch.from_numpy(np.stack(clips)))


@pytest.mark.parametrize("samples", [480, 8000, 48_123])
def test_shapes(rng: np.random.Generator, samples: int) -> None:
    found = features(*rng.standard_normal((3, samples)).astype(np.float32))
    frames = sounds.frame_count(samples)
    assert found.log_mel.shape == (3, frames, BANDS)
    for track in (found.pitch_hz, found.periodicity, found.loudness_db, found.inside):
        assert track.shape == (3, frames)
    for number in (found.tempo_bpm, found.speech_rate_hz, found.pause_ratio):
        assert number.shape == (3,)
    assert found.inside.all()
    assert all(torch.isfinite(values.float()).all() for values in found)


def test_nothing_is_trained() -> None:
    front_end = FrontEnd()
    assert not list(front_end.parameters())
    assert not front_end.state_dict()


def test_clips_of_a_batch_do_not_touch(rng: np.random.Generator) -> None:
    clips = [sounds.speech_like(rng, 1.0) for _ in range(3)]
    together = features(*clips)
    for index, clip in enumerate(clips):
        for whole, alone in zip(together, features(clip), strict=True):
            torch.testing.assert_close(whole[index], alone[0], rtol=1e-4, atol=1e-4)


def test_whole_hops_of_silence_before_move_the_tracks(rng: np.random.Generator) -> None:
    clip, hops = sounds.speech_like(rng, 1.0), 20
    clip -= clip.mean()  # as the front end would: of the longer clip the mean is another
    alone, moved = features(clip), features(np.pad(clip, (hops * HOP_SAMPLES, 0)))
    for name in ("log_mel", "pitch_hz", "loudness_db"):
        torch.testing.assert_close(getattr(moved, name)[:, hops:], getattr(alone, name), rtol=1e-4, atol=1e-4)
    for name in ("speech_rate_hz", "pause_ratio"):
        torch.testing.assert_close(getattr(moved, name), getattr(alone, name))


@pytest.mark.parametrize("offset", [-0.3, 0.002, 0.02])
def test_a_constant_offset_is_not_heard(rng: np.random.Generator, offset: float) -> None:
    clip = sounds.speech_like(rng, 1.5) + 1e-3 * rng.standard_normal(24_000).astype(np.float32)
    alone, shifted = features(clip), features(clip + np.float32(offset))
    for name in ("log_mel", "loudness_db", "tempo_bpm", "speech_rate_hz", "pause_ratio"):
        torch.testing.assert_close(getattr(shifted, name), getattr(alone, name), rtol=1e-3, atol=1e-2)
    assert ((shifted.pitch_hz - alone.pitch_hz).abs() < 0.1).float().mean() > 0.98
    silent = features(np.full(16_000, offset, np.float32))
    assert silent.loudness_db.max() < -80 and not silent.pitch_hz.any() and not silent.speech_rate_hz.any()


def test_spoken_frames_are_the_speech_and_a_margin() -> None:
    clip = np.concatenate([sounds.silence(1.024), sounds.voice(150, 0.512), sounds.silence(1.024)])
    found = features(clip)
    tight, wide = (speech_frames(found, margin)[0].nonzero()[:, 0] for margin in (0, 8))
    assert (tight[0], tight[-1]) == pytest.approx((64, 96), abs=2)
    assert (wide[0], wide[-1]) == (tight[0] - 8, tight[-1] + 8)
    assert len(wide) == wide[-1] - wide[0] + 1


def test_frames_of_the_padding_are_never_spoken(rng: np.random.Generator) -> None:
    found = features(sounds.speech_like(rng, 1.0, around_s=0.0))
    inside = found.inside.clone()
    inside[:, 30:] = False
    spoken = speech_frames(found._replace(inside=inside), 8)
    assert spoken[:, :30].any() and not spoken[:, 30:].any()


def test_to_another_device_keeps_all(rng: np.random.Generator) -> None:
    found = features(sounds.speech_like(rng, 0.5))
    moved = found.to("cpu")
    assert isinstance(moved, Features)
    assert all(torch.equal(a, b) for a, b in zip(found, moved, strict=True))
