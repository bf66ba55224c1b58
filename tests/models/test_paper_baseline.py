"""The networks of the paper: inputs of a fixed length, padded or truncated."""

from collections.abc import Callable

import numpy as np
import pytest
import synthetic_audio
import torch

from overtone.features.front_end import Features, FrontEnd
from overtone.features.loudness import FLOOR_DB
from overtone.features.spectrum import HOP_SAMPLES
from overtone.models.network import Network
from overtone.models.paper_baseline import (
    FRAMES,
    LOG_FLOOR,
    MAX_DEVIATIONS,
    PaperMelCnn,
    PaperProsodyMlp,
    fixed_length,
)

Networks = Callable[[str], Network]


@pytest.mark.parametrize("frames", [1, 100, FRAMES - 1, FRAMES, FRAMES + 1, 1000])
def test_inputs_are_padded_or_truncated_to_a_fixed_length(frames: int) -> None:
    track = torch.arange(1.0, frames + 1)[None]
    inside = torch.ones(1, frames, dtype=torch.bool)
    found = fixed_length(track, inside, -7.0)
    common = min(frames, FRAMES)
    assert found.shape == (1, FRAMES)
    assert torch.equal(found[:, :common], track[:, :common])
    assert (found[:, common:] == -7).all()
    assert fixed_length(torch.zeros(1, frames, 64), inside, 1.0).shape == (1, FRAMES, 64)


def test_a_single_clip_equals_the_clip_in_a_padded_batch(
    network: Networks, batch: Features, single: list[Features]
) -> None:
    paper = network("paper")
    with torch.inference_mode():
        batch_logits = paper.logits(paper.inputs(batch))
        for index, features in enumerate(single):
            single_logits = paper.logits(paper.inputs(features))
            for part, logits in batch_logits.items():
                torch.testing.assert_close(single_logits[part][0], logits[index], atol=1e-5, rtol=1e-5)


def test_audio_after_the_last_frame_is_ignored(network: Networks, rng: np.random.Generator) -> None:
    samples = synthetic_audio.speech_like(rng, 8.0)
    other = samples.copy()
    other[(FRAMES + 4) * HOP_SAMPLES :] = 0
    with torch.inference_mode():
        full, truncated = (
            network("paper")(torch.from_numpy(s)[None])[1] for s in (samples, other)
        )  # of the log-mel branch
    # The mean of the whole clip is subtracted first, hence a tiny difference.
    torch.testing.assert_close(full, truncated, atol=1e-4, rtol=0)


def test_normalisers_use_mean_and_scale_of_the_training_set(batch: Features) -> None:
    mel, prosody = PaperMelCnn(8, 0.3), PaperProsodyMlp(8, 0.3)
    mel.fit([batch, batch])
    prosody.fit([batch, batch])
    (spectrogram,), (vector,) = mel.inputs(batch), prosody.inputs(batch)
    assert spectrogram.mean().item() == pytest.approx(0, abs=1e-3)
    assert spectrogram.std().item() == pytest.approx(1, abs=1e-2)
    assert vector.mean(0).abs().max() < 1e-3


def test_inputs_are_bounded_where_the_training_clips_hardly_differ(batch: Features) -> None:
    mel, prosody = PaperMelCnn(8, 0.3), PaperProsodyMlp(8, 0.3)
    silent = batch._replace(
        log_mel=torch.full_like(batch.log_mel, LOG_FLOOR),
        pitch_hz=torch.zeros_like(batch.pitch_hz),
        loudness_db=torch.full_like(batch.loudness_db, FLOOR_DB),
    )
    for branch in (mel, prosody):
        branch.fit([silent])
        assert 0 < branch.inputs(batch)[0].abs().max() <= MAX_DEVIATIONS


def test_the_vector_is_pitch_loudness_and_tempo() -> None:
    with torch.inference_mode():
        features = FrontEnd()(torch.from_numpy(synthetic_audio.syllables(4, 4))[None])
    found = PaperProsodyMlp(8, 0.3).vector(features)
    frames = features.pitch_hz.shape[1]
    assert torch.equal(found[:, :frames], features.pitch_hz)
    assert torch.equal(found[:, FRAMES : FRAMES + frames], features.loudness_db)
    assert (found[:, FRAMES + frames : -1] == FLOOR_DB).all()
    assert torch.equal(found[:, -1], features.tempo_bpm)
    assert np.log(1e-7) == pytest.approx(LOG_FLOOR)
