"""Embeddings and what is usual for their speaker -> logits of a model that knows the speaker."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from overtone.features.front_end import Features, speech_frames
from overtone.features.mel import BANDS
from overtone.models.pooling import masked_moments
from overtone.models.prosody_cnn import MARGIN_FRAMES, SUMMARIES, contours

STATISTICS = 2 * BANDS + SUMMARIES
MAX_DEVIATIONS = 6.0  # deviations beyond are outliers, as a spread that few clips tell is no sure one
# Clips of the speaker that count as much as what is known of speakers in general: with few clips the usual is unsure.
PRIOR_CLIPS = 2.0


def clip_statistics(features: Features) -> Tensor:
    """How loud, bright, high and lively each clip is, before any normalisation; `(batch, STATISTICS)`.

    Mean and spread of every mel band over the spoken frames, and the summaries of the contours. Between speakers these
    tell voice, microphone and distance; around what is usual for one speaker, emotion.

    Args:
        features: of the clips.
    """
    spoken = speech_frames(features, MARGIN_FRAMES)
    mean, spread = masked_moments(features.log_mel.transpose(1, 2), spoken[:, None].to(features.log_mel.dtype))
    return torch.cat([mean, spread, contours(features, spoken)[1]], dim=-1)


class SpeakerAdapter(nn.Module):
    """Voices, each as its distance from what is usual for the speaker, through one linear layer.

    A voice is the embeddings of a clip and its statistics, `(batch, values)`; what is usual are mean and standard
    deviation over unlabelled clips of the same speaker.

    Args:
        values: width of a voice.
        emotions: number of classes.
    """

    centre: Tensor
    scale: Tensor

    def __init__(self, values: int, emotions: int) -> None:
        super().__init__()
        self.register_buffer("centre", torch.zeros(values))  # of the training speakers
        self.register_buffer("scale", torch.ones(values))
        self.answer = nn.Linear(values, emotions)

    def normalise(self, voice: Tensor, usual: Tensor, clips: Tensor) -> Tensor:
        """Voices in standard deviations from what is usual for the speaker, `(batch, values)`.

        Args:
            voice: `(batch, values)`.
            usual: mean and standard deviation of the speaker's clips, `(2, values)`.
            clips: how many clips they were taken of, `(1,)`; with 0 the speakers of the training are the usual.
        """
        trust = clips / (clips + PRIOR_CLIPS)
        mean = self.centre + trust * (usual[0] - self.centre)
        spread = self.scale + trust * (usual[1] - self.scale)
        return ((voice - mean) / (spread + 0.05 * self.scale)).clamp(-MAX_DEVIATIONS, MAX_DEVIATIONS)

    def forward(self, voice: Tensor, usual: Tensor, clips: Tensor) -> Tensor:
        """Logits `(batch, emotions)`; arguments as in `distance`."""
        return self.answer(self.normalise(voice, usual, clips))


@torch.no_grad()
def average_adapters(adapters: Sequence[SpeakerAdapter]) -> SpeakerAdapter:
    """One adapter for an ensemble, whose logits are the mean of those of the adapters of its networks.

    Args:
        adapters: one for each network, alike in shape, in the order of the networks.
    """
    several = len(adapters)
    emotions, values = adapters[0].answer.weight.shape
    own = values - STATISTICS  # embeddings of each network; the statistics are those of the clip, alike for all
    mean = SpeakerAdapter(several * own + STATISTICS, emotions)
    mean.answer.bias.copy_(torch.stack([one.answer.bias for one in adapters]).mean(0))
    for part, rows in (
        (mean.centre, [one.centre for one in adapters]),
        (mean.scale, [one.scale for one in adapters]),
        (mean.answer.weight, [one.answer.weight for one in adapters]),
    ):
        shared = torch.stack([row[..., own:] for row in rows]).mean(0)
        part.copy_(torch.cat([*(row[..., :own] for row in rows), shared], dim=-1))
    mean.answer.weight[:, : several * own] /= several
    return mean


def adapter_from_weights(weights: Mapping[str, Tensor]) -> SpeakerAdapter | None:
    """An adapter of the shape that the weights of a model ask for; None where the model has none."""
    shape = weights["adapter.answer.weight"].shape if "adapter.answer.weight" in weights else None
    return SpeakerAdapter(shape[1], shape[0]) if shape else None
