"""The log-mel branch: masked to the speech frames in every layer."""

from collections.abc import Callable

import torch

from overtone.features.front_end import Features, speech_frames
from overtone.models.mel_cnn import EMBEDDING, MARGIN_FRAMES
from overtone.models.network import Network

Networks = Callable[[str], Network]


def test_a_single_clip_equals_the_clip_in_a_padded_batch(
    network: Networks, batch: Features, single: list[Features]
) -> None:
    mel = network("base").branch("mel")
    with torch.inference_mode():
        embeddings, logits = mel(*mel.inputs(batch))
        assert embeddings.shape == (len(single), EMBEDDING) and logits.shape == (len(single), 8)
        for index, features in enumerate(single):
            embedding, single_logits = mel(*mel.inputs(features))
            torch.testing.assert_close(embedding[0], embeddings[index], atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(single_logits[0], logits[index], atol=1e-5, rtol=1e-5)


def test_frames_outside_the_mask_do_not_affect_the_logits(network: Networks, batch: Features) -> None:
    mel = network("base").branch("mel")
    with torch.inference_mode():
        spectrogram, mask = mel.inputs(batch)
        changed_outside = torch.where(mask[..., None], spectrogram, 50.0)
        torch.testing.assert_close(mel(changed_outside, mask)[1], mel(spectrogram, mask)[1], atol=1e-5, rtol=1e-5)
        changed_inside = torch.where(mask[..., None], spectrogram + 0.5, spectrogram)
        assert (mel(changed_inside, mask)[1] - mel(spectrogram, mask)[1]).abs().max() > 1e-3


def test_inputs_are_normalised_over_the_speech_frames(network: Networks, batch: Features) -> None:
    spectrogram, mask = network("base").branch("mel").inputs(batch)
    spoken = spectrogram[mask]
    frames = speech_frames(batch, MARGIN_FRAMES).sum(-1)
    assert torch.equal(mask.sum(-1), frames) and mask.shape[1] == frames.max()
    assert mask[:, 0].all(), "each clip starts at its own speech"
    assert spoken.mean(0).abs().max() < 1e-3
    for clip, clip_mask in zip(spectrogram, mask, strict=True):
        assert clip[clip_mask].mean(0).abs().max() < 1e-3
    assert 0.2 < spoken.std() < 1.5


def test_gain_does_not_change_the_inputs(network: Networks, batch: Features) -> None:
    mel = network("base").branch("mel")
    quieter = batch._replace(log_mel=batch.log_mel - 1.4)
    torch.testing.assert_close(mel.inputs(quieter)[0], mel.inputs(batch)[0], atol=1e-4, rtol=0)
