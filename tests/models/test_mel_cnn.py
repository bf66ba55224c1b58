"""The attentive mel branch: masked to the spoken frames in every layer."""

from collections.abc import Callable

import torch

from overtone.features.front_end import Features, speech_frames
from overtone.models.mel_cnn import EMBEDDING, MARGIN_FRAMES
from overtone.models.network import Network

Networks = Callable[[str], Network]


def test_a_clip_alone_is_the_same_clip_in_a_padded_batch(
    network: Networks, batch: Features, single: list[Features]
) -> None:
    mel = network("overtone").mel
    with torch.inference_mode():
        embeddings, logits = mel(*mel.inputs(batch))
        assert embeddings.shape == (len(single), EMBEDDING) and logits.shape == (len(single), 8)
        for index, features in enumerate(single):
            embedding, alone = mel(*mel.inputs(features))
            torch.testing.assert_close(embedding[0], embeddings[index], atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(alone[0], logits[index], atol=1e-5, rtol=1e-5)


def test_what_is_outside_the_mask_has_no_say(network: Networks, batch: Features) -> None:
    mel = network("overtone").mel
    with torch.inference_mode():
        picture, mask = mel.inputs(batch)
        elsewhere = torch.where(mask[..., None], picture, 50.0)
        torch.testing.assert_close(mel(elsewhere, mask)[1], mel(picture, mask)[1], atol=1e-5, rtol=1e-5)
        louder = torch.where(mask[..., None], picture + 0.5, picture)
        assert (mel(louder, mask)[1] - mel(picture, mask)[1]).abs().max() > 1e-3


def test_inputs_are_normalised_over_the_spoken_frames(network: Networks, batch: Features) -> None:
    picture, mask = network("overtone").mel.inputs(batch)
    spoken = picture[mask]
    spoken_of_clips = speech_frames(batch, MARGIN_FRAMES).sum(-1)
    assert torch.equal(mask.sum(-1), spoken_of_clips) and mask.shape[1] == spoken_of_clips.max()
    assert mask[:, 0].all(), "each begins at its own speech"
    assert spoken.mean(0).abs().max() < 1e-3
    for clip, its_mask in zip(picture, mask, strict=True):
        assert clip[its_mask].mean(0).abs().max() < 1e-3
    assert 0.2 < spoken.std() < 1.5


def test_gain_is_not_heard(network: Networks, batch: Features) -> None:
    mel = network("overtone").mel
    quieter = batch._replace(log_mel=batch.log_mel - 1.4)
    torch.testing.assert_close(mel.inputs(quieter)[0], mel.inputs(batch)[0], atol=1e-4, rtol=0)
