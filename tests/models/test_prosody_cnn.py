"""The prosody branch: tracks and summaries of known contours, and its mask."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from overtone.features.front_end import Features
from overtone.models.network import Network
from overtone.models.prosody_cnn import SUMMARIES, TRACKS, Conv1dAs2d, contours, difference, relative_pitch

Networks = Callable[[str], Network]


def contour(pitch_hz: list[float], loudness_db: float = -20.0) -> Features:
    """Return features of one clip with this pitch track."""
    frames = len(pitch_hz)
    ones = torch.ones(1, frames)
    rates = (torch.tensor([100.0]), torch.tensor([4.0]), torch.tensor([0.1]))
    pitch = torch.tensor([pitch_hz])
    return Features(torch.zeros(1, frames, 64), pitch, ones, ones * loudness_db, *rates, inside=ones > 0)


def test_pitch_is_in_semitones_around_its_mean() -> None:
    voiced = torch.tensor([[1.0, 1, 0, 1, 1]])
    pitch, mean = relative_pitch(contour([100, 200, 0, 200, 100]), voiced)
    torch.testing.assert_close(pitch, torch.tensor([[-6.0, 6, 0, 6, -6]]))
    assert mean.item() == pytest.approx(6)


def test_transposition_changes_only_the_mean_pitch() -> None:
    track = [100.0, 110, 130, 0, 0, 120, 100]
    features, higher = contour(track), contour([1.5 * hz for hz in track])
    tracks, summaries = contours(features, features.inside)
    tracks_higher, summaries_higher = contours(higher, higher.inside)
    torch.testing.assert_close(tracks_higher, tracks, atol=1e-5, rtol=0)
    changed = ((summaries_higher - summaries).abs() > 1e-4).nonzero()[:, 1].tolist()
    assert changed == [0]
    assert (summaries_higher - summaries)[0, 0] * 12 == pytest.approx(12 * np.log2(1.5), abs=1e-4)


def test_unvoiced_audio_gives_finite_contours() -> None:
    features = contour([0.0] * 12)
    tracks, summaries = contours(features, features.inside)
    assert tracks.shape == (1, TRACKS, 12) and summaries.shape == (1, SUMMARIES)
    assert torch.isfinite(tracks).all() and torch.isfinite(summaries).all()
    assert not tracks[:, :2].any()


def test_difference_to_the_previous_frame() -> None:
    assert difference(torch.tensor([[1.0, 3, 2]])).tolist() == [[0, 2, -1]]


def test_a_single_clip_equals_the_clip_in_a_padded_batch(
    network: Networks, batch: Features, single: list[Features]
) -> None:
    prosody = network("base").branch("prosody")
    with torch.inference_mode():
        embeddings, logits = prosody(*prosody.inputs(batch))
        for index, features in enumerate(single):
            embedding, single_logits = prosody(*prosody.inputs(features))
            torch.testing.assert_close(embedding[0], embeddings[index], atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(single_logits[0], logits[index], atol=1e-5, rtol=1e-5)


def test_every_track_and_summary_affects_the_logits(network: Networks, batch: Features) -> None:
    prosody = network("base").branch("prosody")
    with torch.inference_mode():
        tracks, summaries, mask = prosody.inputs(batch)
        before = prosody(tracks, summaries, mask)[1]
        for number in range(TRACKS):
            changed = tracks.clone()
            changed[:, number] += mask
            assert (prosody(changed, summaries, mask)[1] - before).abs().max() > 1e-5
        for number in range(SUMMARIES):
            changed = summaries.clone()
            changed[:, number] += 1
            assert (prosody(tracks, changed, mask)[1] - before).abs().max() > 1e-5


def test_two_dimensional_convolution_of_one_row_equals_conv1d() -> None:
    convolution = Conv1dAs2d(3, 4, 5, stride=2, padding=4, dilation=2)
    tracks = torch.randn(2, 3, 30)
    found = convolution(tracks[:, :, None])[:, :, 0]
    torch.testing.assert_close(found, torch.nn.Conv1d.forward(convolution, tracks))
