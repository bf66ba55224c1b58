"""The paper's networks: inputs of one length, padded or cut."""

from collections.abc import Callable

import numpy as np
import pytest
import sounds
import torch

from overtone.features.front_end import Features, FrontEnd
from overtone.features.loudness import FLOOR_DB
from overtone.features.spectrum import HOP_SAMPLES
from overtone.models.network import Network
from overtone.models.paper_baseline import FRAMES, LOG_FLOOR, PaperMelCnn, PaperProsodyMlp, fixed_length

Networks = Callable[[str], Network]


@pytest.mark.parametrize("frames", [1, 100, FRAMES - 1, FRAMES, FRAMES + 1, 1000])
def test_every_length_becomes_the_one(frames: int) -> None:
    track = torch.arange(1.0, frames + 1)[None]
    inside = torch.ones(1, frames, dtype=torch.bool)
    found = fixed_length(track, inside, -7.0)
    kept = min(frames, FRAMES)
    assert found.shape == (1, FRAMES)
    assert torch.equal(found[:, :kept], track[:, :kept])
    assert (found[:, kept:] == -7).all()
    assert fixed_length(torch.zeros(1, frames, 64), inside, 1.0).shape == (1, FRAMES, 64)


def test_padding_of_a_batch_is_silence(network: Networks, batch: Features, single: list[Features]) -> None:
    network_ = network("paper")
    with torch.inference_mode():
        together = network_.logits(network_.inputs(batch))
        for index, features in enumerate(single):
            alone = network_.logits(network_.inputs(features))
            for part, logits in together.items():
                torch.testing.assert_close(alone[part][0], logits[index], atol=1e-5, rtol=1e-5)


def test_what_comes_after_the_last_frame_is_not_heard(network: Networks, rng: np.random.Generator) -> None:
    samples = sounds.speech_like(rng, 8.0)
    other = samples.copy()
    other[(FRAMES + 4) * HOP_SAMPLES :] = 0
    with torch.inference_mode():
        one, cut = (network("paper")(torch.from_numpy(s)[None]).mel_probabilities for s in (samples, other))
    # The mean of the whole clip is taken away first: a hair of difference.
    torch.testing.assert_close(one, cut, atol=1e-4, rtol=0)


def test_normalisers_take_mean_and_scale_of_the_training_side(batch: Features) -> None:
    mel, prosody = PaperMelCnn(8, 0.3), PaperProsodyMlp(8, 0.3)
    mel.fit([batch, batch])
    prosody.fit([batch, batch])
    (picture,), (vector,) = mel.inputs(batch), prosody.inputs(batch)
    assert picture.mean().item() == pytest.approx(0, abs=1e-3)
    assert picture.std().item() == pytest.approx(1, abs=1e-2)
    assert vector.mean(0).abs().max() < 1e-3


def test_vector_is_pitch_then_loudness_then_tempo() -> None:
    with torch.inference_mode():
        features = FrontEnd()(torch.from_numpy(sounds.syllables(4, 4))[None])
    found = PaperProsodyMlp(8, 0.3).vector(features)
    frames = features.pitch_hz.shape[1]
    assert torch.equal(found[:, :frames], features.pitch_hz)
    assert torch.equal(found[:, FRAMES : FRAMES + frames], features.loudness_db)
    assert (found[:, FRAMES + frames : -1] == FLOOR_DB).all()
    assert torch.equal(found[:, -1], features.tempo_bpm)
    assert np.log(1e-7) == pytest.approx(LOG_FLOOR)
